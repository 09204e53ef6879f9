"""How the bridge proves itself to GitHub: a token, or an App that mints one for an hour.

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

Answer = TypeVar("Answer", bound=BaseModel)
RENEW_BEFORE = timedelta(minutes=5)
JWT_LIFE = timedelta(minutes=9)
CLOCK_DRIFT = timedelta(seconds=60)
PERMISSIONS = {"contents": "write", "pull_requests": "write", "statuses": "read", "checks": "read"}


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


class _Token(BaseModel):
    token: SecretStr
    expires_at: datetime


class AppAuth(httpx.Auth):
    """A GitHub App: one-hour tokens for one repository, with the least permissions."""

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
        """Add the cached token, minting one when it is missing, old or refused."""
        async with self._one_at_a_time:
            if self._token is None or self._token.expires_at - self._clock() < RENEW_BEFORE:
                found = yield self._as_app("GET", f"/repos/{self._repository}/installation")
                installation = await self._read(_Installation, found)
                minted = yield self._as_app(
                    "POST",
                    f"/app/installations/{installation.id}/access_tokens",
                    {
                        "repositories": [self._repository.partition("/")[2]],
                        "permissions": PERMISSIONS,
                    },
                )
                self._token = await self._read(_Token, minted)
            token = self._token
        request.headers["authorization"] = f"Bearer {token.token.get_secret_value()}"
        response = yield request
        if response.status_code == 401:
            self._token = None

    def _as_app(self, method: str, path: str, body: object | None = None) -> httpx.Request:
        now = self._clock()
        claims = {"iat": now - CLOCK_DRIFT, "exp": now + JWT_LIFE, "iss": self._app_id}
        try:
            proof = jwt.encode(claims, self._private_key.get_secret_value(), algorithm="RS256")
        except (ValueError, jwt.InvalidKeyError) as error:
            raise Misconfigured("github.private_key is not an RSA key in PEM form") from error
        headers = {
            "authorization": f"Bearer {proof}",
            "accept": "application/vnd.github+json",
            "x-github-api-version": "2022-11-28",
        }
        return httpx.Request(method, f"{self._url}{path}", json=body, headers=headers)

    async def _read(self, model: type[Answer], response: httpx.Response) -> Answer:
        await response.aread()
        if response.status_code not in (200, 201):
            raise Unavailable(
                f"GitHub answered {response.status_code} to the App; is it installed on "
                f"{self._repository}, and is its key current?"
            )
        try:
            return model.model_validate_json(response.content)
        except ValidationError as error:
            raise Unavailable("GitHub sent the App an answer that cannot be read") from error
