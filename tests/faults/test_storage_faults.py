"""The disk is full, read-only or broken: 503 and a clear end, never a 2xx for what is not there."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from pysqlite3 import dbapi2 as sqlite3
from sqlalchemy import text
from sqlmodel import Session

import bridge.publisher.webhook as publisher
from bridge.bootstrap import Bridge
from bridge.store import deliveries
from bridge.web.app import create_app
from tests.bridge_kit import NOW, SECRETS, a_bridge, a_store

PAGE = 4096
CONFIGURATION = """\
[[pipeline]]
name = "house-prices"
package = "regression-model"
index = "https://index.test/acme/"
repository = "acme/model-deployment"
app = "house-prices-api"
api_url = "https://api.test"
"""
FEW = 20


@pytest.fixture
async def bridge(tmp_path: Path) -> AsyncIterator[Bridge]:
    async with a_bridge(tmp_path) as made:
        yield made


async def post(bridge: Bridge, number: int, size: int = 8192) -> int:
    """One signed delivery of its own; the status that its sender sees."""
    body = json.dumps({"type": "model.published", "n": number, "filler": "x" * size}).encode()
    key = publisher.key_of(SECRETS["publisher"])
    headers = publisher.sign(key, f"msg-{number}", NOW, body)
    transport = httpx.ASGITransport(create_app(bridge))
    async with httpx.AsyncClient(transport=transport, base_url="http://bridge.test") as client:
        answer = await client.post("/webhooks/publisher", content=body, headers=headers)
    if answer.status_code == 503:
        assert answer.headers["retry-after"]
    return answer.status_code


def kept(bridge: Bridge) -> set[str]:
    """The ids of what is in the inbox."""
    rows = bridge.store.read_now(lambda session: deliveries.newest(session, 999))
    return {row.delivery_id for row in rows}


async def only_pages(bridge: Bridge, pages: int) -> None:
    """The disk has room for so many pages more."""

    def limit(session: Session) -> None:
        used = session.execute(text("PRAGMA page_count")).scalar_one()
        session.execute(text(f"PRAGMA max_page_count = {used + pages}"))

    await bridge.store.write(limit)


async def test_a_full_disk_is_503_and_what_was_acknowledged_is_there(bridge: Bridge) -> None:
    assert 202 == await post(bridge, 0)
    await only_pages(bridge, 8)
    told = {f"msg-{number}": await post(bridge, number) for number in range(1, FEW)}
    assert {202, 503} == set(told.values())
    assert {"msg-0", *(name for name, status in told.items() if status == 202)} == kept(bridge)
    await only_pages(bridge, 10_000)
    assert 202 == await post(bridge, FEW), "there is room again, and it goes on by itself"


async def test_a_read_only_file_is_503(bridge: Bridge) -> None:
    assert 202 == await post(bridge, 0)

    def forbid(session: Session) -> None:
        session.execute(text("PRAGMA query_only = 1"))

    await bridge.store.write(forbid)
    assert 503 == await post(bridge, 1)
    assert {"msg-0"} == kept(bridge)


async def test_a_database_that_somebody_else_holds_is_503(bridge: Bridge, tmp_path: Path) -> None:
    assert 202 == await post(bridge, 0)

    def impatient(session: Session) -> None:
        session.execute(text("PRAGMA busy_timeout = 50"))

    await bridge.store.write(impatient)
    other = sqlite3.connect(tmp_path / "bridge.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert 503 == await post(bridge, 1)
    other.execute("ROLLBACK")
    other.close()
    assert 202 == await post(bridge, 2)
    assert {"msg-0", "msg-2"} == kept(bridge)


def broken(folder: Path) -> None:
    """Every page but the first is overwritten, and nothing of it is left in the log."""
    path = folder / "bridge.db"
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(PAGE)
        file.write(os.urandom(size - PAGE))


async def test_a_corrupted_page_is_503(bridge: Bridge, tmp_path: Path) -> None:
    assert 202 == await post(bridge, 0)
    bridge.store.close()
    broken(tmp_path)
    assert [503, 503] == [await post(bridge, 1), await post(bridge, 2)]


async def test_a_truncated_file_is_503(bridge: Bridge, tmp_path: Path) -> None:
    assert 202 == await post(bridge, 0)
    bridge.store.close()
    os.truncate(tmp_path / "bridge.db", 2 * PAGE + 100)
    assert 503 == await post(bridge, 1)


@pytest.mark.parametrize("harm", ["corrupted", "not a database", "a folder", "read-only"])
def test_a_start_on_a_broken_database_says_what_is_wrong(tmp_path: Path, harm: str) -> None:
    with a_store(f"sqlite:///{tmp_path / 'bridge.db'}"):
        pass
    path = tmp_path / "bridge.db"
    if harm == "corrupted":
        broken(tmp_path)
    elif harm == "not a database":
        path.write_bytes(b"Dear Sir or Madam, this is not a database. " * 400)
    elif harm == "a folder":
        path.unlink()
        path.mkdir()
    (tmp_path / "bridge.toml").write_text(CONFIGURATION)
    url = f"sqlite:///{path}" if harm != "read-only" else f"sqlite:///file:{path}?mode=ro&uri=true"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")},
        "BRIDGE_CONFIG": str(tmp_path / "bridge.toml"),
        "BRIDGE_DATABASE_URL": url,
    }
    ended = subprocess.run(
        [sys.executable, "-m", "bridge", "serve", "--port", "0"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = ended.stdout + ended.stderr
    assert ended.returncode == 3, said
    assert "database" in said
    assert "Traceback" not in said
