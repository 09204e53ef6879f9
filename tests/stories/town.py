"""A small town for stories: a bridge, and its neighbours simulated in this process.

Time stands still until everybody is quiet; then it jumps to the next moment at which somebody
wants to do something. Webhooks lie in `mail` until they are delivered, so a story can lose,
repeat or forge them.
"""

import asyncio
import base64
import hashlib
import json
import random
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar

import httpx
from packaging.version import Version
from sqlmodel import Session
from starlette.types import ASGIApp

from bridge.bootstrap import Bridge
from bridge.configuration import Pipeline
from bridge.publisher.webhook import key_of, sign
from bridge.rehearsal.circleci.webhook import Pipeline as CiPipeline
from bridge.rehearsal.circleci.webhook import Project, WorkflowRun, workflow_completed
from bridge.rehearsal.gemfury import Gemfury
from bridge.rehearsal.github import GitHub
from bridge.rehearsal.heroku import Heroku
from bridge.rehearsal.heroku.light import LightRunner
from bridge.rehearsal.letters import Letter
from bridge.release import Release, Transition
from bridge.settings import Settings
from bridge.store import record, releases
from bridge.sweep import ON_ITS_WAY
from bridge.web.app import create_app
from tests.rehearsal_kit import wheel
from tests.stories.invariants import Evidence, must_hold

T = TypeVar("T")
SWEEP_EVERY = timedelta(minutes=1)
CI_TAKES = timedelta(minutes=4)
Line = Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport]
Moment = Literal["before", "after", "written"]
"""When the process dies: before an effect, right after it, or after the write that follows."""
PACKAGE, REPOSITORY, APP = "regression-model", "acme/model-deployment", "house-prices-api"
GITHUB_SECRET = "made-up-github-secret-0000"
HEROKU_SECRET = "made-up-heroku-secret-0000"
CIRCLECI_SECRET = "made-up-circleci-secret-00"
PUBLISHER_SECRET = "whsec_" + base64.b64encode(b"made-up publisher secret").decode()
SECRETS = (
    GITHUB_SECRET,
    HEROKU_SECRET,
    CIRCLECI_SECRET,
    PUBLISHER_SECRET,
    "made-up-github-token",
    "made-up-heroku-token",
    "made-up-push-token",
    "made-up-read-token",
)
REQUIREMENTS = f"""\
--extra-index-url ${{PIP_EXTRA_INDEX_URL}}
fastapi==0.165.0 \\
    --hash=sha256:{"a" * 64}
# the model
{PACKAGE}==0.0.0 \\
    --hash=sha256:{"0" * 64}
"""
TREE = {
    "api/requirements.txt": REQUIREMENTS.encode(),
    "api/Procfile": b"web: uvicorn app.main:app\n",
    "README.md": b"# House prices\n",
}


class Crash(BaseException):
    """The process is gone: nothing after this line happens."""


class Doomed(httpx.AsyncBaseTransport):
    """The way to a neighbour of a process that dies around an effect."""

    def __init__(self, inner: httpx.AsyncBaseTransport, town: "Town") -> None:
        self._inner, self._town = inner, town

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        effect = effect_of(request)
        moment = self._town.dies_at(effect) if effect else None
        if moment == "before":
            raise Crash
        answer = await self._inner.handle_async_request(request)
        if moment == "after":
            raise Crash
        return answer


class Town:
    """Everybody, at `now`."""

    def __init__(
        self,
        folder: Path,
        url: str = "",
        policy: Mapping[str, object] | None = None,
        line: Line | None = None,
    ) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.database_url = url or f"sqlite:///{folder / 'bridge.db'}"
        self._line = line or (lambda inner: inner)
        self.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
        self.mail: list[Letter] = []
        self._next_sweep = self.now
        self._all_heard = False
        self.lost: set[str] = set()
        self.answers: list[tuple[str, int]] = []
        self.acknowledged: set[str] = set()
        self.journal: list[str] = []
        self.crash_at: int | None = None
        self.crash_moment: Moment = "after"
        self.checks: Callable[[str], str | None] = lambda sha: "success"
        self.github = GitHub(
            folder,
            repository=REPOSITORY,
            token="made-up-github-token",
            webhook_secret=GITHUB_SECRET,
            post=self.mail.append,
            clock=self.clock,
        )
        self.github.seed(TREE, "Start")
        self.github.on_push.append(self._check)
        self.index = Gemfury(
            folder / "index",
            account="acme",
            push_token="made-up-push-token",
            read_token="made-up-read-token",
        )
        self.public = Gemfury(
            folder / "public",
            account="simple",
            push_token="made-up-push-token",
            read_token=None,
            url="http://public.test",
        )
        self.looks_at_public = False
        self.runner = LightRunner(self._wheel, clock=self.clock, package=PACKAGE)
        self.heroku = Heroku(
            app_name=APP,
            token="made-up-heroku-token",
            webhook_secret=HEROKU_SECRET,
            post=self.mail.append,
            clock=self.clock,
            runner=self.runner,
            config_vars={},
        )
        self.pipeline = Pipeline.model_validate(
            {
                "name": "house-prices",
                "package": PACKAGE,
                "index": self.index.index_url,
                "repository": REPOSITORY,
                "requirements": "api/requirements.txt",
                "app": APP,
                "app_root": "api",
                "api_url": "http://api.test",
                "circleci": {"project": "gh/acme/model-deployment", "workflow": "regression-model"},
                "labels": ["model"],
                "reviewers": ["octocat", "acme/ml"],
                "policy": {
                    "merge": "auto",
                    "verify": {"within": "2m", "watch": "5s"},
                    "resolve": False,
                    **(policy or {}),
                },
            }
        )
        self.pipelines = [self.pipeline]
        self.settings: dict[str, object] = {}
        self.others: dict[str, ASGIApp] = {}
        self.bridge = self._new_bridge()

    def clock(self) -> datetime:
        """What time it is in town."""
        return self.now

    async def publish(
        self, version: str, *, announced: bool = True, digest: str | None = None, rmse: float = 0.1
    ) -> Letter:
        """CI uploads a version; its announcement goes into the mail, unless it is not `announced`.

        `digest` is what CI claims, if it is not the truth (64 hex digits).
        """
        file, data = model_wheel(version, rmse)
        async with self._client("http://index.test", self.index.app) as client:
            answer = await client.post(
                self.index.push_url,
                files={"package": (file, data)},
                auth=("made-up-push-token", ""),
                headers={"accept": "application/json"},
            )
        assert answer.status_code == 200, answer.text
        letter = self.announcement(version, file, digest or hashlib.sha256(data).hexdigest())
        if announced:
            self.mail.append(letter)
        return letter

    def announcement(self, version: str, file: str, digest: str) -> Letter:
        """The publish step's signed word about one wheel."""
        identifier, body = announced(version, file, digest)
        return Letter("publisher", sign(key_of(PUBLISHER_SECRET), identifier, self.now, body), body)

    def sealed(self, body: bytes, like: Letter) -> Letter:
        """The publish step's signed word, worded otherwise than in `like`."""
        identifier = f"{like.headers['webhook-id']}-again"
        return Letter("publisher", sign(key_of(PUBLISHER_SECRET), identifier, self.now, body), body)

    def workflow(self, tag: str | None, status: str) -> Letter:
        """CircleCI's signed word that the publishing workflow ended."""
        ref = f"refs/tags/{tag}" if tag else "refs/heads/main"
        commit = self.github.git.resolve("main") or ""
        run = WorkflowRun(
            name="regression-model",
            project=Project("acme", "model-deployment"),
            pipeline=CiPipeline(1, ref, commit, created_at=self.now - CI_TAKES),
            jobs=[],
            status="success" if status == "success" else "failed",
        )
        told = "\0".join(["Release", "", "Rosa", "rosa@example.com", "", "Rosa", "", ""])
        return workflow_completed(run, self.now, told, CIRCLECI_SECRET)

    async def deliver(self, letter: Letter) -> int:
        """Post one webhook to the bridge; its status code."""
        web = create_app(self.bridge)
        async with self._client("http://bridge.test", web) as client:
            answer = await client.post(
                f"/webhooks/{letter.source}", content=letter.body, headers=letter.headers
            )
        self.answers.append((letter.source, answer.status_code))
        if answer.is_success:
            self.acknowledged.add(hashlib.sha256(letter.body).hexdigest())
        return answer.status_code

    async def run(self, patience: timedelta = timedelta(minutes=20)) -> None:
        """Let everybody act until all is quiet and nobody has plans within `patience`."""
        end, self._all_heard = self.now + patience, False
        for _ in range(2000):
            if await self.turn():
                continue
            due = await self._next_due()
            if due is None or due > end:
                if self._all_heard or self._next_sweep > end:
                    return
                due = self._next_sweep
            self.now = max(self.now, due)
        raise AssertionError("the town never came to rest")

    async def turn(self) -> bool:
        """Deliver the mail, let the bridge and Heroku act once; whether anything happened."""
        mail, self.mail[:] = list(self.mail), []
        for letter in mail:
            if letter.source not in self.lost:
                await self.deliver(letter)
        if self.now >= self._next_sweep:
            unheard = await self.bridge.worker.sweep()
            self._next_sweep = self.now + (ON_ITS_WAY if unheard else SWEEP_EVERY)
            self._all_heard = unheard == 0
        taken = await self.bridge.worker.turn() + await self._tell()
        if mail or taken:
            self._all_heard = False
        await self.bridge.worker.settle()
        if self.crash_at is not None and self.effects >= self.crash_at:
            self.crash_at = None
            await self.restart()
        await self.heroku.settle()
        return bool(mail or taken)

    async def _tell(self) -> int:
        if not self.bridge.teller.tells:
            return 0
        told = await self.bridge.outbox.turn()
        await self.bridge.outbox.settle()
        return told

    async def proposed(self, number: int) -> None:
        """Act just until that pull request is there."""
        for _ in range(1000):
            await self.turn()
            if number in self.github.pulls:
                return
        raise AssertionError(f"pull request {number} was never opened")

    async def restart(self) -> None:
        """The process is gone and another one starts on the same database."""
        self.bridge.store.close()
        self.bridge = self._new_bridge()

    async def close(self) -> None:
        """Everybody goes home."""
        await self.bridge.neighbours.close()
        self.bridge.store.close()
        await self.heroku.close()

    @property
    def effects(self) -> int:
        """How many effects were tried."""
        return len(self.journal)

    def dies_at(self, effect: str) -> Moment | None:
        """Note an effect; when the process dies around it, if this is the one."""
        self.journal.append(effect)
        return self.crash_moment if self.effects == self.crash_at else None

    def release(self, version: str) -> Release:
        """The release of one version."""
        found = self.ask(lambda session: releases.find(session, PACKAGE, version))
        assert len(found) == 1, f"{len(found)} releases of {version}"
        return found[0]

    def releases(self) -> list[Release]:
        """Every release, oldest first."""
        return list(reversed(self.ask(lambda session: releases.newest(session, 100))))

    def lines(self, version: str) -> list[Transition]:
        """One release's lines."""
        key = self.release(version).key
        return list(self.ask(lambda session: record.of_release(session, key)))

    def move(self, version: str, stage: str) -> Transition:
        """The line of the move to that stage."""
        moves = [line for line in self.lines(version) if line.kind == "move"]
        return next(line for line in moves if line.to_stage == stage)

    def path(self, version: str) -> list[str]:
        """The stages of one release, in order."""
        return [line.to_stage for line in self.lines(version) if line.kind == "move"]

    def ask(self, query: Callable[[Session], T]) -> T:
        """Read the bridge's database."""
        return self.bridge.store.read_now(query)

    def mutations(self, name: str) -> int:
        """How often a GraphQL mutation took effect."""
        return sum(call.effects.count(name) for call in self.github.calls)

    def pinned(self) -> str:
        """The requirements file on main."""
        blob = self.github.git.read("refs/heads/main:api/requirements.txt")
        assert blob is not None
        return blob[2].decode()

    async def health(self) -> dict[str, str]:
        """What the running API says."""
        async with self._client("http://api.test", self.heroku.router) as client:
            answer = await client.get("/api/v1/health")
            told: dict[str, str] = answer.json()
            return told

    def must_be_sound(self) -> None:
        """The invariants that hold at every moment of every story."""
        store, told = self.bridge.store, self.acknowledged
        must_hold(Evidence(store, self.github, self.heroku, SECRETS, told))

    def _new_bridge(self) -> Bridge:
        settings = Settings.model_validate(
            {
                "public_url": "http://bridge.test",
                "database_url": self.database_url,
                "pipeline": self.pipelines,
                "public_index": self.public.index_url if self.looks_at_public else None,
                "webhook_secrets": {
                    "github": GITHUB_SECRET,
                    "heroku": HEROKU_SECRET,
                    "circleci": CIRCLECI_SECRET,
                    "publisher": PUBLISHER_SECRET,
                },
                "github": {"url": "http://github.test", "token": "made-up-github-token"},
                "heroku": {"url": "http://heroku.test", "token": "made-up-heroku-token"},
                "index": {"token": "made-up-read-token"},
                **self.settings,
            }
        )

        async def no_sleep(seconds: float) -> None:
            await asyncio.sleep(0)

        bridge = Bridge(
            settings,
            clock=self.clock,
            transport=self._transport,
            sleep=no_sleep,
            chance=random.Random(7).random,  # noqa: S311 - jitter, not secrets
        )
        bridge.store.migrate()
        return bridge

    def _transport(self, url: str) -> httpx.AsyncBaseTransport:
        apps: dict[str, Any] = {
            "http://github.test": self.github.app,
            "http://heroku.test": self.heroku.app,
            "http://index.test": self.index.app,
            "http://public.test": self.public.app,
            "http://api.test": self.heroku.router,
            **self.others,
        }
        inner = httpx.ASGITransport(next(app for at, app in apps.items() if url.startswith(at)))
        return self._line(Doomed(inner, self))

    def _client(self, url: str, app: object) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=url)  # type: ignore[arg-type]

    def _wheel(self, name: str, version: str) -> bytes | None:
        stem = name.replace("-", "_")
        path = self.index.folder / f"{stem}-{version}-py3-none-any.whl"
        return path.read_bytes() if path.exists() else None

    def _check(self, ref: str, sha: str) -> None:
        """CI tests every pushed branch and says so."""
        if ref.startswith("refs/heads/") and (state := self.checks(sha)):
            self.github.set_status(sha, state, "ci/circleci: test_app", "circleci")  # type: ignore[arg-type]

    async def _next_due(self) -> datetime | None:
        from bridge.store import deliveries, outbox

        due = self.ask(lambda s: [deliveries.next_due(s), releases.next_due(s), outbox.next_due(s)])
        return min((moment for moment in due if moment is not None), default=None)


def effect_of(request: httpx.Request) -> str | None:
    """The name of what a request changes: `Merge`, `POST builds`; None if it only asks."""
    mutation = re.search(rb"mutation (\w+)", request.content)
    if mutation:
        return mutation[1].decode()
    parts = [part for part in request.url.path.split("/") if part]
    if request.method == "GET" or parts[-1] in ("graphql", "predict"):
        return None
    if parts[0] == "repos" and parts[3] == "deployments":
        return f"{request.method} deployment{'s' if len(parts) == 4 else ' statuses'}"
    if parts[0] == "repos":
        return f"{request.method} {'statuses' if 'statuses' in parts else parts[-1]}"
    return f"{request.method} {parts[2] if parts[0] == 'apps' else parts[0]}"


def announced(version: str, file: str, digest: str) -> tuple[str, bytes]:
    """The id and the body of the publish step's word about one wheel."""
    told = {"filename": file, "sha256": digest}
    data = {"package": PACKAGE, "version": version, "files": [told], "tag": f"v{version}"}
    body = json.dumps({"type": "model.published", "data": data}).encode()
    return f"{PACKAGE}-{re.sub(r'[^0-9a-z]', '-', version)}-{digest[:16]}", body


def model_wheel(version: str, rmse: float = 0.1) -> tuple[str, bytes]:
    """A wheel with a model card, whose model answers 100 times the version's last number."""
    model = f"model {version}".encode()
    answer = 100.0 * (1 + Version(version).micro)
    card = {
        "schema": "model-card/1",
        "name": PACKAGE,
        "version": version,
        "data": {"source": "synthetic", "rows": 1460, "sha256": "d" * 64},
        "metrics": {"rmse": rmse},
        "features": [{"name": "GrLivArea", "type": "number"}],
        "libraries": {"onnxruntime": "1.32.0"},
        "model": {"file": "model.onnx", "sha256": hashlib.sha256(model).hexdigest()},
        "known_answers": [{"input": {"GrLivArea": 1500}, "output": answer, "tolerance": 0.01}],
    }
    files = {
        "regression_model/__init__.py": b"",
        "regression_model/model.onnx": model,
        "regression_model/model_card.json": json.dumps(card).encode(),
    }
    return wheel("regression_model", version, files)
