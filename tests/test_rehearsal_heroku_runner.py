"""Real builds and real dynos: uv installs from the rehearsal's index, a shell runs the Procfile."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from bridge.rehearsal.gemfury import Gemfury
from bridge.rehearsal.heroku import Heroku
from bridge.rehearsal.heroku.records import Build, SourceBlob
from bridge.rehearsal.heroku.runner import RealRunner
from tests.rehearsal_kit import served, sha256, tarball, wheel

PUSH, READ = "push-made-up", "read-made-up"
WHEELS = dict(
    wheel("tiny_pkg", version, {"tiny_pkg.py": f"VALUE = {version!r}\n".encode()})
    for version in ("1.0", "1.1")
)
SERVE = """
import http.server, json, os, sys
import tiny_pkg

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        said = {"value": tiny_pkg.VALUE, "python": sys.executable, "env": dict(os.environ)}
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer).serve_forever()
"""
INDEX_LINE = "--extra-index-url ${PIP_EXTRA_INDEX_URL}\n"


def pin(version: str) -> str:
    digest = sha256(WHEELS[f"tiny_pkg-{version}-py3-none-any.whl"])
    return f"{INDEX_LINE}tiny-pkg=={version} --hash=sha256:{digest}\n"


class Town:
    """A Heroku with a real runner, whose app may install from a real index."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder / "slugs"
        machine = {**os.environ, "UV_CACHE_DIR": str(folder / "cache"), "SHELL_SECRET": "seen?"}
        self.index = f"http://{READ}@127.0.0.1:{port}/acme/"
        self.heroku = Heroku(
            app_name="tiny",
            token="token-made-up",
            webhook_secret="secret-made-up",
            post=lambda letter: None,
            clock=lambda: datetime.now(UTC),
            runner=RealRunner(self.folder, machine),
            config_vars={"PIP_EXTRA_INDEX_URL": self.index, "OTHER_INDEX": self.index},
        )
        self.visitor = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.heroku.router), base_url="http://app.test"
        )

    async def build(self, requirements: str, web: str = "python serve.py") -> Build:
        files = {
            "requirements.txt": requirements,
            "serve.py": SERVE,
            "Procfile": f"web: {web}\n",
            ".python-version": "3.14\n",
        }
        self.heroku.slots["slot"] = tarball(files)
        source = SourceBlob(url=f"{self.heroku.url}/slots/slot", version="c0ffee00c0ffee")
        build = self.heroku.create_build(source, "ann@acme.test")
        await self.heroku.settle()
        return build


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    gemfury = Gemfury(tmp_path / "index", account="acme", push_token=PUSH, read_token=READ)
    for name, data in WHEELS.items():
        (gemfury.folder / name).write_bytes(data)
    async with served(gemfury.app) as port:
        town = Town(tmp_path, port)
        yield town
        await town.visitor.aclose()
        await town.heroku.close()


@contextlib.asynccontextmanager
async def ends_with_its_process(port: str) -> AsyncIterator[None]:
    """Holds an idle connection to a process, and sees it end because the process does."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
    yield
    async with asyncio.timeout(5):
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
    writer.close()


async def test_two_versions_are_installed_run_and_rolled_back(town: Town) -> None:
    first = await town.build(pin("1.0"))
    output = "\n".join(first.output)
    assert first.status == "succeeded", output
    old = (await town.visitor.get("/")).json()
    assert old["value"] == "1.0"
    assert Path(old["python"]).is_relative_to(town.folder)
    assert old["env"]["DYNO"] == "web.1"
    assert old["env"]["OTHER_INDEX"] == town.index
    assert "SHELL_SECRET" not in old["env"]
    assert "-----> Installing requirements with uv" in output
    assert ".python-version asks for 3.14" in output
    assert "tiny-pkg==1.0" in output
    assert READ not in output

    async with ends_with_its_process(old["env"]["PORT"]):
        assert (await town.build(pin("1.1"))).status == "succeeded"
    assert (await town.visitor.get("/")).json()["value"] == "1.1"

    town.heroku.rollback(1, "ann@acme.test")
    await town.heroku.settle()
    back = (await town.visitor.get("/")).json()
    assert back["value"] == "1.0"
    async with ends_with_its_process(back["env"]["PORT"]):
        await town.heroku.close()
    assert list(town.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("requirements", "said"),
    [
        (pin("1.0").replace("sha256:", "sha256:0000")[:-5] + "\n", "ash mismatch"),
        (f"{pin('1.0')}other==1.0\n", "--require-hashes"),
        (pin("1.0").replace("PIP_EXTRA_INDEX_URL", "OTHER_INDEX"), "OTHER_INDEX"),
        ("tiny-pkg @ ${PIP_EXTRA_INDEX_URL}tiny_pkg-9.0-py3-none-any.whl\n", "****"),
    ],
)
async def test_what_cannot_be_installed_is_not_released(
    town: Town, requirements: str, said: str
) -> None:
    build = await town.build(requirements)
    assert build.status == "failed"
    output = "\n".join(build.output)
    assert said in output
    assert READ not in output
    assert (build.release, town.heroku.releases) == (None, [])
    assert list(town.folder.iterdir()) == []


async def test_the_config_var_alone_leads_the_installer_to_the_index(town: Town) -> None:
    assert (await town.build(pin("1.0").removeprefix(INDEX_LINE))).status == "succeeded"


async def test_a_web_process_that_ends_at_once_is_a_crash(town: Town) -> None:
    build = await town.build(pin("1.0"), web="echo no luck; exit 3")
    assert build.status == "succeeded"
    assert town.heroku.crash == "exited with status 3\nno luck"
    assert (await town.visitor.get("/")).status_code == 503


async def test_a_web_process_that_ignores_the_signal_is_killed(town: Town) -> None:
    await town.build(pin("1.0"), web="trap '' TERM; python serve.py & wait; sleep 60")
    running = (await town.visitor.get("/")).json()
    async with ends_with_its_process(running["env"]["PORT"]):
        await town.heroku.close()
