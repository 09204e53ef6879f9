"""A bridge among parrots: neighbours on loopback that say again what they were told in secret."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.kit.clock import system_clock
from bridge.publisher.webhook import key_of, sign
from bridge.rehearsal.gemfury import Gemfury
from bridge.rehearsal.github import APP_ID, GitHub
from bridge.rehearsal.heroku import Heroku
from bridge.rehearsal.heroku.light import LightRunner
from bridge.rehearsal.hosting import Hosting, free_port
from bridge.rehearsal.letters import Letter
from bridge.rehearsal.postman import Postman
from tests.faults.harbour import CONFIGURATION
from tests.rehearsal_github_kit import NAME
from tests.stories.town import APP, PACKAGE, TREE, announced, model_wheel

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.TraditionalOpenSSL,
    serialization.NoEncryption(),
).decode()
PUBLIC = KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
CANARIES = {
    "github token": "made-up/canary+github=token",
    "heroku token": "made-up-canary-heroku-token",
    "index token": "made-up/canary+index=token",
    "database": "made-up canary/database",
    "github": "made-up-canary-github-secret",
    "heroku": "made-up-canary-heroku-secret",
    "circleci": "made-up-canary-circleci-secret",
    "circleci, the next": "made-up-canary-circleci-next",
    "operator token": "made-up/canary+operator=token",
    "viewer token": "made-up/canary+viewer=token",
    "client secret": "made-up/canary+client=secret",
    "publisher": "whsec_" + base64.b64encode(b"made-up canary publisher").decode(),
}
Answer = Callable[[str], Response | None]


def echo(status: int, **headers: str) -> Answer:
    """The secret in a body, in two forms, and in a header that clients quote."""
    return lambda told: JSONResponse(
        {"message": f"Bad credentials: {told}", "id": told, "hex": told.encode().hex()},
        status,
        {"x-request-id": told, "content-type": f"application/{told.split()[-1]}", **headers},
    )


def says(told: str) -> Response:
    """GraphQL's errors come with 200."""
    return JSONResponse({"data": None, "errors": [{"type": "NOPE", "message": f"I heard {told}"}]})


def away(told: str) -> Response:
    """A redirect to another host, with the secret in the address."""
    return RedirectResponse(f"https://made-up:{quote(told)}@169.254.169.254/?token={quote(told)}")


def half(told: str) -> Response:
    """A body that ends too early, after the secret."""
    return Response(f'{{"data": "{told}', media_type="application/json")


def torn(told: str) -> None:
    """The connection is gone."""


FAULTS: list[Answer] = [echo(401), echo(500), echo(404), says, half, away, torn, echo(200)]


class Parrot:
    """A neighbour that answers with each of `faults` once, then as it should."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.faults: list[Answer] = []
        self.heard: set[str] = set()
        self.echoes_forms = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        proof = Request(scope).headers.get("authorization", "") if scope["type"] == "http" else ""
        self.heard |= {proof, proof.partition(" ")[2]}
        if self.echoes_forms and scope["path"].endswith("/access_token"):
            told = (await Request(scope, receive).body()).decode()
            return await JSONResponse({"error": told, "access_token": told})(scope, receive, send)
        if not (proof and self.faults):
            return await self.app(scope, receive, send)
        if answer := self.faults.pop(0)(proof):
            return await answer(scope, receive, send)
        head = {"type": "http.response.start", "status": 200}
        await send({**head, "headers": [(b"content-length", b"9")]})
        return None


class Street:
    """Everybody in `folder`. The bridge's database is at `database_url`, GitHub lets an App in if
    `app`, and a token otherwise."""

    def __init__(self, folder: Path, database_url: str, *, app: bool) -> None:
        self.folder = folder
        self.shown: list[bytes] = []
        self._hosting, port = Hosting(), free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.postman = Postman(self.url)
        at_github, github_url = self._hosting.reserve()
        at_index, index_url = self._hosting.reserve()
        at_heroku, heroku_url = self._hosting.reserve()
        at_api, api_url = self._hosting.reserve()
        self.github = GitHub(
            folder,
            repository=NAME,
            token=CANARIES["github token"],
            webhook_secret=CANARIES["github"],
            post=self.postman.post,
            clock=system_clock,
            url=github_url,
        )
        self.github.app_public_key = PUBLIC.decode()
        self.github.oauth.client_secret = CANARIES["client secret"]
        self.github.oauth.callback = f"{self.url}/sign-in/github/back"
        self.github.oauth.organization.members.add("rosa")
        self.github.seed(TREE, "Start")
        self.github.on_push.append(self._check)
        self.index = Gemfury(
            folder / "index",
            account="acme",
            push_token="made-up-push-token",
            read_token=CANARIES["index token"],
            url=index_url,
        )
        self.runner = LightRunner(self._wheel, clock=system_clock, package=PACKAGE)
        self.heroku = Heroku(
            app_name=APP,
            token=CANARIES["heroku token"],
            webhook_secret=CANARIES["heroku"],
            post=self.postman.post,
            clock=system_clock,
            runner=self.runner,
            config_vars={},
            url=heroku_url,
        )
        self.parrots = {
            "GitHub": Parrot(self.github.app),
            "the index": Parrot(self.index.app),
            "Heroku": Parrot(self.heroku.app),
        }
        for parrot, at in zip(self.parrots.values(), (at_github, at_index, at_heroku), strict=True):
            self._hosting.serve(parrot, at)
        self._hosting.serve(self.heroku.router, at_api)
        (folder / "bridge.toml").write_text(
            CONFIGURATION.format(bridge=self.url, index=self.index.index_url, api=api_url)
        )
        (folder / "tmp").mkdir()
        own = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
        github = (
            {"BRIDGE_GITHUB__APP_ID": APP_ID, "BRIDGE_GITHUB__PRIVATE_KEY": PEM}
            if app
            else {"BRIDGE_GITHUB__TOKEN": CANARIES["github token"]}
        )
        self._environment = {
            **own,
            **github,
            "TMPDIR": str(folder / "tmp"),
            "BRIDGE_CONFIG": str(folder / "bridge.toml"),
            "BRIDGE_LOG_LEVEL": "debug",
            "BRIDGE_DATABASE_URL": database_url,
            "BRIDGE_WEBHOOK_SECRETS__PUBLISHER": CANARIES["publisher"],
            "BRIDGE_WEBHOOK_SECRETS__CIRCLECI": ",".join(
                (CANARIES["circleci"], CANARIES["circleci, the next"])
            ),
            "BRIDGE_WEBHOOK_SECRETS__GITHUB": CANARIES["github"],
            "BRIDGE_WEBHOOK_SECRETS__HEROKU": CANARIES["heroku"],
            "BRIDGE_GITHUB__URL": github_url,
            "BRIDGE_HEROKU__URL": heroku_url,
            "BRIDGE_HEROKU__TOKEN": CANARIES["heroku token"],
            "BRIDGE_INDEX__TOKEN": CANARIES["index token"],
            "BRIDGE_WEB__OPERATOR_TOKENS__ROSA": CANARIES["operator token"],
            "BRIDGE_WEB__VIEWER_TOKENS__CAROL": CANARIES["viewer token"],
            "BRIDGE_WEB__GITHUB__CLIENT_ID": self.github.oauth.client_id,
            "BRIDGE_WEB__GITHUB__CLIENT_SECRET": CANARIES["client secret"],
            "BRIDGE_WEB__GITHUB__ORGANIZATION": "acme",
        }
        with (folder / "bridge.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bridge", "serve", "--port", str(port)],
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def publish(self, version: str) -> Callable[[], Letter]:
        """CI uploads a version; what announces it, however often."""
        file, data = model_wheel(version)
        answer = httpx.post(
            self.index.push_url,
            files={"package": (file, data)},
            auth=("made-up-push-token", ""),
            headers={"accept": "application/json"},
            trust_env=False,
        )
        assert answer.status_code == 200, answer.text
        return lambda: self.announce(version, file, hashlib.sha256(data).hexdigest())

    def announce(self, version: str, file: str, digest: str) -> Letter:
        """A signed word about a wheel, each time another one."""
        identifier, body = announced(version, file, digest)
        at = system_clock()
        body = json.dumps({**json.loads(body), "timestamp": at.isoformat()}).encode()
        key = key_of(CANARIES["publisher"])
        return Letter(
            "publisher", sign(key, f"{identifier}-{at.timestamp() * 1e6:.0f}", at, body), body
        )

    def deliver(self, letter: Letter, **headers: str) -> httpx.Response:
        """Post one webhook."""
        return httpx.post(
            f"{self.url}/webhooks/{letter.source}",
            content=letter.body,
            headers={**letter.headers, **headers},
            trust_env=False,
        )

    def looking(self) -> httpx.Client:
        """Somebody who may look."""
        proof = {"authorization": f"Bearer {CANARIES['viewer token']}"}
        return httpx.Client(base_url=self.url, headers=proof, trust_env=False)

    def sign_in(self, echoes: bool) -> Iterator[httpx.Response]:
        """By token and at GitHub, which `echoes` what it was told in secret, and out again."""
        own_page = {"sec-fetch-site": "same-origin"}
        for token in (CANARIES["operator token"], CANARIES["operator token"].upper()):
            with httpx.Client(base_url=self.url, headers=own_page, trust_env=False) as client:
                yield client.post("/sign-in", data={"token": token})
                yield client.post("/everything/resume", data={"reason": "A test."})
                yield client.post("/sign-out")
                begun = client.get("/sign-in/github").headers["location"]
                self.parrots["GitHub"].echoes_forms = echoes
                told = {**httpx.URL(begun).params, "login": "rosa"}
                back = httpx.post(begun.partition("?")[0], data=told, trust_env=False)
                yield client.get(back.headers["location"])
                self.parrots["GitHub"].echoes_forms = False

    def follow(self, announce: Callable[[], Letter], version: str) -> str:
        """The stage in which a version ends, announced again and again, so that it never rests."""
        for _ in range(300):
            with self.looking() as client:
                try:
                    self.deliver(announce())
                    answer = client.get("/api/v1/releases")
                    self.shown.append(answer.content)
                    items = answer.json()["items"]
                except httpx.TransportError:
                    assert self.process.poll() is None, self.log()
                    items = []
            for item in items:
                if item["version"] == version and item["stage"] in ENDS:
                    return str(item["stage"])
            time.sleep(0.2)
        raise AssertionError(f"{version} did not end: {items}\n{self.log()[-4000:]}")

    def log(self) -> str:
        return (self.folder / "bridge.log").read_text(errors="replace")

    def children(self) -> Iterator[Mapping[str, bytes]]:
        """What the machine tells everybody of the process, and its owner of its children."""
        yield {"argv": Path(f"/proc/{self.process.pid}/cmdline").read_bytes()}
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        for child in {one for task in tasks for one in task.read_text().split()}:
            place = Path(f"/proc/{child}")
            yield {f"child {name}": (place / name).read_bytes() for name in ("cmdline", "environ")}

    def stop(self) -> None:
        """Everybody goes home."""
        self.process.terminate()
        self.process.wait(20)
        self.postman.stop()
        self._hosting.submit(self.heroku.close()).result(timeout=30)
        self._hosting.stop()

    def _wheel(self, name: str, version: str) -> bytes | None:
        path = self.index.folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
        return path.read_bytes() if path.exists() else None

    def _check(self, ref: str, sha: str) -> None:
        if ref.startswith("refs/heads/"):
            self.github.set_status(sha, "success", "ci/circleci: test_app", "circleci")


ENDS = {"verified", "failed", "rolled_back", "declined", "superseded"}
