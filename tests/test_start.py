"""Before a bridge works: it is alone, the file is whole, and the record may be built upon."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import Session
from structlog.testing import capture_logs

from bridge import ledger
from bridge.errors import Reason, Refused, Unavailable
from bridge.release import Release
from bridge.store import Store, start
from tests.bridge_kit import NOW, a_store, begin
from tests.faults.test_storage_faults import CONFIGURATION, PAGE

WHY = Reason("code", "A sentence.")


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """A database with one release and 20 lines."""
    with a_store(url) as made:

        def work(session: Session) -> None:
            row = begin(session)
            for _ in range(19):
                ledger.note(session, session.get_one(Release, row.key), "note", WHY, NOW)

        asyncio.run(made.write(work))
        yield made


def tamper(store: Store, *statements: str) -> None:
    """Write past the triggers, as somebody with the file can."""
    off = (
        ["ALTER TABLE transition DISABLE TRIGGER ALL"]
        if store.is_shared
        else [f"DROP TRIGGER {name}" for name in triggers(store)]
    )

    def work(session: Session) -> None:
        for statement in (*off, *statements):
            session.execute(text(statement))

    asyncio.run(store.write(work))


def triggers(store: Store) -> list[str]:
    query = text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    return list(store.read_now(lambda session: session.execute(query).scalars().all()))


def test_what_is_whole_may_be_built_upon(store: Store) -> None:
    start.look(store)


def test_an_empty_database_may_be_built_upon(url: str) -> None:
    with a_store(url) as empty:
        start.look(empty)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE transition SET sentence = 'It was never so.' WHERE seq = 15", "line 15"),
        ("DELETE FROM transition WHERE seq = 15", "line 16: line 15 is missing"),
        ("UPDATE release SET stage = 'verified'", "release 1 stands at verified"),
        ("DELETE FROM transition", "release 1 stands at announced, and no line"),
    ],
)
def test_nothing_is_built_on_a_broken_record(store: Store, statement: str, said: str) -> None:
    tamper(store, statement)
    with pytest.raises(Refused, match=said):
        start.look(store)


def test_only_the_end_of_the_record_is_verified(
    store: Store,
) -> None:
    tamper(store, "UPDATE transition SET sentence = 'It was never so.' WHERE seq = 5")
    start.look(store, tail=10)
    tamper(store, "UPDATE transition SET prev_hash = hash WHERE seq = 11")
    with pytest.raises(Refused, match="line 11: it does not follow"):
        start.look(store, tail=10)


def test_a_large_file_is_checked_as_far_as_there_is_time(tmp_path: Path) -> None:
    with a_store(f"sqlite:///{tmp_path / 'bridge.db'}") as store:
        asyncio.run(store.write(lambda session: [begin(session, f"0.{n}").id for n in range(500)]))
        with capture_logs() as said:
            start.look(store)
            start.look(store, within=-1)
        assert ["the database is large; not all of it was checked"] == [
            one["event"] for one in said
        ]


def test_a_broken_page_is_found(tmp_path: Path) -> None:
    path = tmp_path / "bridge.db"
    root = text("SELECT rootpage FROM sqlite_master WHERE name = 'delivery_due'")
    with a_store(f"sqlite:///{path}") as store:
        page = store.read_now(lambda session: session.execute(root).scalar_one())
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(b"\xff" * PAGE)
    with a_store(f"sqlite:///{path}") as store, pytest.raises(Unavailable, match="cannot be used"):
        start.look(store)


def test_one_serves_a_file_at_a_time(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'bridge.db'}"
    with a_store(address) as one, a_store(address) as two:
        with start.alone(one):
            with pytest.raises(Unavailable, match=f"process {os.getpid()}"), start.alone(two):
                pass
            write = partial(begin, version="0.2.0")
            asyncio.run(two.write(lambda session: write(session).key))
        with start.alone(two):
            pass


def test_a_postgresql_is_served_by_many(store: Store, url: str) -> None:
    if store.is_shared:
        with a_store(url) as other, start.alone(store), start.alone(other):
            pass


def command(folder: Path, address: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A command of a bridge that is configured."""
    (folder / "bridge.toml").write_text(CONFIGURATION)
    told = {"BRIDGE_CONFIG": str(folder / "bridge.toml"), "BRIDGE_DATABASE_URL": address}
    return subprocess.run(
        [sys.executable, "-m", "bridge", *words],
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_serve_on_a_broken_record_is_1(store: Store, url: str, tmp_path: Path) -> None:
    tamper(store, "DELETE FROM transition WHERE seq = 15")
    ended = command(tmp_path, url, "serve", "--port", "0")
    assert 1 == ended.returncode, ended.stderr
    assert "The record does not hold" in ended.stderr


HOLDS = """
import os, signal, sys
from bridge.store import Store, start
with start.alone(Store(sys.argv[1])):
    print("held", flush=True)
    signal.pause()
"""


def test_a_second_bridge_is_3_until_the_first_one_is_killed(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'bridge.db'}"
    first = subprocess.Popen(
        [sys.executable, "-c", HOLDS, address], stdout=subprocess.PIPE, text=True
    )
    try:
        assert first.stdout is not None
        assert "held" == first.stdout.readline().strip()
        for words, code in ((["serve", "--port", "0"], 3), (["migrate"], 0), (["releases"], 0)):
            ended = command(tmp_path, address, *words)
            assert code == ended.returncode, ended.stderr
            if code:
                assert f"another bridge serves the database bridge.db (process {first.pid})" in (
                    " ".join(ended.stderr.split())
                )
    finally:
        first.kill()
        first.wait()
        assert first.stdout is not None
        first.stdout.close()
    with a_store(address) as store, start.alone(store):
        pass
