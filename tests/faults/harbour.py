"""The stories' neighbours on loopback ports, and a real bridge among them that can be killed."""

import asyncio
import hashlib
from pathlib import Path

import httpx
from sqlalchemy import text
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bridge.kit.clock import system_clock
from bridge.publisher.webhook import key_of, sign
from bridge.rehearsal.gemfury import Gemfury
from bridge.rehearsal.github import GitHub
from bridge.rehearsal.heroku import Heroku
from bridge.rehearsal.heroku.light import LightRunner
from bridge.rehearsal.hosting import Hosting, free_port
from bridge.rehearsal.letters import Letter
from bridge.rehearsal.postman import Postman
from bridge.store import Store
from tests.faults.nursery import Bridge
from tests.stories.invariants import Evidence, must_hold
from tests.stories.town import (
    APP,
    CIRCLECI_SECRET,
    GITHUB_SECRET,
    HEROKU_SECRET,
    PACKAGE,
    PUBLISHER_SECRET,
    REPOSITORY,
    SECRETS,
    TREE,
    announced,
    model_wheel,
)

CONFIGURATION = """\
public_url = "{bridge}"
sweep_every = "2s"

[[pipeline]]
name = "house-prices"
package = "regression-model"
index = "{index}"
repository = "acme/model-deployment"
requirements = "api/requirements.txt"
app = "house-prices-api"
app_root = "api"
api_url = "{api}"

[pipeline.policy]
merge = "auto"
resolve = false
verify = {{ matches = 3, every = "200ms", within = "2m" }}
"""


class Slow:
    """A neighbour that has heard a POST to a path with this end, and lets `seconds` pass before it
    does what it was told, whether or not anybody still waits for the answer."""

    def __init__(self, app: ASGIApp, end: str) -> None:
        self.seconds = 0.0
        self.under_way = 0
        self._app, self._end = app, end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            return await self._app(scope, receive, send)
        if not scope["path"].endswith(self._end):
            return await self._app(scope, receive, send)
        heard = [await receive()]
        while heard[-1].get("more_body"):
            heard.append(await receive())

        async def again() -> Message:
            return heard.pop(0) if heard else await receive()

        self.under_way += 1
        await asyncio.sleep(self.seconds)
        self.under_way -= 1
        return await self._app(scope, again, send)


class Harbour:
    """Everybody in `folder`, in real time; the bridge's database is at `database_url`."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self._hosting, port = Hosting(), free_port()
        self.postman = Postman(f"http://127.0.0.1:{port}")
        post = self.postman.post
        at_github, github_url = self._hosting.reserve()
        at_index, index_url = self._hosting.reserve()
        at_heroku, heroku_url = self._hosting.reserve()
        at_api, api_url = self._hosting.reserve()
        self.github = GitHub(
            folder,
            repository=REPOSITORY,
            token="made-up-github-token",
            webhook_secret=GITHUB_SECRET,
            post=post,
            clock=system_clock,
            url=github_url,
        )
        self.github.seed(TREE, "Start")
        self.github.on_push.append(self._check)
        self.index = Gemfury(
            folder / "index",
            account="acme",
            push_token="made-up-push-token",
            read_token="made-up-read-token",
            url=index_url,
        )
        self.heroku = Heroku(
            app_name=APP,
            token="made-up-heroku-token",
            webhook_secret=HEROKU_SECRET,
            post=post,
            clock=system_clock,
            runner=LightRunner(self._wheel, clock=system_clock, package=PACKAGE),
            config_vars={},
            url=heroku_url,
        )
        self._hosting.serve(self.github.app, at_github)
        self._hosting.serve(self.index.app, at_index)
        self.builds = Slow(self.heroku.app, "/builds")
        self._hosting.serve(self.builds, at_heroku)
        self._hosting.serve(self.heroku.router, at_api)
        told = CONFIGURATION.format(
            bridge=f"http://127.0.0.1:{port}", index=self.index.index_url, api=api_url
        )
        (folder / "bridge.toml").write_text(told)
        environment = {
            "BRIDGE_CONFIG": str(folder / "bridge.toml"),
            "BRIDGE_DATABASE_URL": database_url,
            "BRIDGE_WEBHOOK_SECRETS__PUBLISHER": PUBLISHER_SECRET,
            "BRIDGE_WEBHOOK_SECRETS__CIRCLECI": CIRCLECI_SECRET,
            "BRIDGE_WEBHOOK_SECRETS__GITHUB": GITHUB_SECRET,
            "BRIDGE_WEBHOOK_SECRETS__HEROKU": HEROKU_SECRET,
            "BRIDGE_GITHUB__URL": github_url,
            "BRIDGE_GITHUB__TOKEN": "made-up-github-token",
            "BRIDGE_HEROKU__URL": heroku_url,
            "BRIDGE_HEROKU__TOKEN": "made-up-heroku-token",
            "BRIDGE_INDEX__TOKEN": "made-up-read-token",
        }
        self.bridge = Bridge(folder, port, environment)
        self.store = Store(database_url)

    def publish(self, version: str) -> Letter:
        """CI uploads a version; the signed announcement that somebody has to deliver."""
        file, data = model_wheel(version)
        answer = httpx.post(
            self.index.push_url,
            files={"package": (file, data)},
            auth=("made-up-push-token", ""),
            headers={"accept": "application/json"},
            trust_env=False,
        )
        assert answer.status_code == 200, answer.text
        identifier, body = announced(version, file, hashlib.sha256(data).hexdigest())
        headers = sign(key_of(PUBLISHER_SECRET), identifier, system_clock(), body)
        return Letter("publisher", headers, body)

    def must_be_sound(self, acknowledged: set[str]) -> None:
        """What holds at every moment; asks the bridge's database beside the bridge."""
        must_hold(Evidence(self.store, self.github, self.heroku, SECRETS, acknowledged))

    def must_be_whole(self) -> None:
        """Every page of a SQLite file is sound; PostgreSQL has no such question."""
        if not self.store.is_shared:
            check = text("PRAGMA integrity_check")
            found = self.store.read_now(lambda session: session.execute(check).all())
            assert [("ok",)] == [tuple(row) for row in found]

    def stop(self) -> None:
        """Everybody goes home."""
        self.bridge.kill()
        self.postman.stop()
        self._hosting.submit(self.heroku.close()).result(timeout=30)
        self._hosting.stop()
        self.store.close()

    def _wheel(self, name: str, version: str) -> bytes | None:
        path = self.index.folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
        return path.read_bytes() if path.exists() else None

    def _check(self, ref: str, sha: str) -> None:
        if ref.startswith("refs/heads/"):
            self.github.set_status(sha, "success", "ci/circleci: test_app", "circleci")
