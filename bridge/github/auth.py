"""How the bridge proves itself to GitHub: a token, or an App that mints one for an hour.

An App's token is an opaque word of some 520 characters with dots in it, 40 on older hosts.

Source: https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
"""

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from typing import TypeVar

import httpx
import jwt
from pydantic import BaseModel, SecretStr, ValidationError

from bridge.errors import Misconfigured, Unavailable
from bridge.kit.clock import Clock
from bridge.kit.http import is_limited, read
from bridge.sentences import say

Answer = TypeVar("Answer", bound=BaseModel)
RENEW_BEFORE = timedelta(minutes=5)
JWT_LIFE = timedelta(minutes=9)
CLOCK_DRIFT = timedelta(seconds=60)
LARGEST_ANSWER = 1 << 20
PERMISSIONS = {
    "metadata": "read",
    "contents": "write",
    "pull_requests": "write",
    "statuses": "write",
    "checks": "read",
}
WELCOME = {"deployments": "write"}
"""Asked for where the App has it: GitHub refuses the whole token for one permission too many."""


class TokenAuth(httpx.Auth):
    """A fine-grained personal token: the simple way in."""

    def __init__(self, token: SecretStr) -> None:
        self._token = token

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Add the token."""
        request.headers["authorization"] = f"Bearer {self._token.get_secret_value()}"
        yield request


class _Installation(BaseModel):
    id: int
    html_url: str = "the App's page on GitHub"
    permissions: dict[str, str] = {}


class _App(BaseModel):
    html_url: str


class _Token(BaseModel):
    token: SecretStr
    expires_at: datetime


class AppAuth(httpx.Auth):
    """A GitHub App: one-hour tokens for one repository, with the least permissions.

    `app_id` is the App's number or its client id.
    """

    def __init__(
        self, app_id: str, private_key: SecretStr, repository: str, url: str, clock: Clock
    ) -> None:
        self._app_id = app_id
        self._private_key = private_key
        self._repository = repository
        self._url = url.rstrip("/")
        self._clock = clock
        self._token: _Token | None = None
        self._one_at_a_time = asyncio.Lock()

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Add the cached token, minting one when it is missing or old.

        One that is refused is dropped, and the request tried once more with a new one: what was
        answered with 401 has had no effect.
        """
        for _ in range(2):
            async with self._one_at_a_time:
                if self._token is None or self._token.expires_at - self._clock() < RENEW_BEFORE:
                    found = yield self._as_app("GET", f"/repos/{self._repository}/installation")
                    if found.status_code == 404:
                        app = yield self._as_app("GET", "/app")
                        raise await self._not_installed(app)
                    installation = await self._read(_Installation, found)
                    mint = yield self._as_app(*self._mint(installation))
                    self._token = await self._read(_Token, mint, installation.html_url)
                token = self._token
            request.headers["authorization"] = f"Bearer {token.token.get_secret_value()}"
            response = yield request
            if response.status_code != 401:
                return
            await read(response, LARGEST_ANSWER, "GitHub")
            if self._token is token:
                self._token = None

    def _mint(self, installation: _Installation) -> tuple[str, str, object]:
        _, _, name = self._repository.partition("/")
        more = {
            one: level
            for one, level in WELCOME.items()
            if level == installation.permissions.get(one)
        }
        wish = {"repositories": [name], "permissions": {**PERMISSIONS, **more}}
        return "POST", f"/app/installations/{installation.id}/access_tokens", wish

    def _as_app(self, method: str, path: str, body: object | None = None) -> httpx.Request:
        now = self._clock()
        claims = {"iat": now - CLOCK_DRIFT, "exp": now + JWT_LIFE, "iss": self._app_id}
        try:
            proof = jwt.encode(claims, self._private_key.get_secret_value(), algorithm="RS256")
        except (ValueError, jwt.InvalidKeyError):
            raise Misconfigured("github.private_key is not an RSA key in PEM form") from None
        headers = {
            "authorization": f"Bearer {proof}",
            "accept": "application/vnd.github+json",
            "accept-encoding": "gzip",
            "user-agent": "model-bridge",
            "x-github-api-version": "2022-11-28",
        }
        return httpx.Request(method, f"{self._url}{path}", json=body, headers=headers)

    async def _not_installed(self, answer: httpx.Response) -> Unavailable:
        app = await self._read(_App, answer)
        where = f"{app.html_url}/installations/new"
        return _unavailable("app_not_installed", repository=self._repository, where=where)

    async def _read(self, model: type[Answer], response: httpx.Response, where: str = "") -> Answer:
        """What GitHub answers the App; raises Unavailable with what to do about it.

        The answer to a mint holds a token, so no error that quotes an answer is its cause.
        """
        content = await read(response, LARGEST_ANSWER, "GitHub")
        if response.status_code == 401:
            raise _unavailable("app_not_known")
        if response.status_code in (403, 422) and where and not is_limited(response):
            permissions = ", ".join(f"{name}: {level}" for name, level in PERMISSIONS.items())
            raise _unavailable(
                "app_may_not", repository=self._repository, permissions=permissions, where=where
            )
        if response.status_code not in (200, 201):
            raise Unavailable(f"GitHub answered {response.status_code} to the App")
        try:
            return model.model_validate_json(content)
        except ValidationError:
            raise Unavailable("GitHub sent the App an answer that cannot be read") from None


def _unavailable(code: str, **words: object) -> Unavailable:
    return Unavailable(say(code, **words).sentence.rstrip("."))
