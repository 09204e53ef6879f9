"""The public keys of CircleCI's OIDC issuer, found as its discovery document tells.

Source: https://openid.net/specs/openid-connect-discovery-1_0.html
"""

import asyncio
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from pydantic import BaseModel, JsonValue, ValidationError

from bridge.errors import Unavailable
from bridge.kit.clock import Clock
from bridge.kit.http import Door

Answer = TypeVar("Answer", bound=BaseModel)
FRESH_FOR = timedelta(hours=1)
ASK_AGAIN_AFTER = timedelta(minutes=1)
ANSWER_WITHIN = 10.0
MOST_KEYS = 32
LEAST_BITS = 2048


class _Discovery(BaseModel):
    issuer: str
    jwks_uri: str


class _KeySet(BaseModel):
    keys: list[dict[str, JsonValue]]


class Issuer:
    """Its keys, kept for an hour. Only its own document says where they are: no token does."""

    def __init__(self, door: Door, url: str, clock: Clock) -> None:
        self._door = door
        self._url = url
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._asked_at: datetime | None = None
        self._one_at_a_time = asyncio.Lock()

    async def keys(self, wanted: str) -> dict[str, jwt.PyJWK]:
        """Every key by its id. One that is not there may be new, and is looked for once a minute
        at most. Raises Unavailable, also when it is too soon to look again."""
        async with self._one_at_a_time:
            now = self._clock()
            age = now - self._asked_at if self._asked_at else FRESH_FOR
            if age < FRESH_FOR and wanted in self._keys:
                return self._keys
            if age < ASK_AGAIN_AFTER:
                later = (ASK_AGAIN_AFTER - age).total_seconds()
                raise Unavailable(f"{self._door.who} had no such key a moment ago", later)
            self._keys, self._asked_at = await self._ask(), now
            return self._keys

    async def close(self) -> None:
        """Give back the connections."""
        await self._door.close()

    async def _ask(self) -> dict[str, jwt.PyJWK]:
        said = await self._read(_Discovery, f"{self._url}/.well-known/openid-configuration")
        if said.issuer != self._url or _origin(said.jwks_uri) != _origin(self._url):
            raise Unavailable(f"{self._door.who} names another issuer, or keys of another host")
        told = (await self._read(_KeySet, said.jwks_uri)).keys
        return {str(one["kid"]): key for one in told[:MOST_KEYS] if (key := _key(one))}

    async def _read(self, model: type[Answer], url: str) -> Answer:
        answer = await self._door.ask("GET", url, within=ANSWER_WITHIN)
        if answer.status_code != 200:
            raise Unavailable(f"{self._door.who} answered {answer.status_code}")
        try:
            return model.model_validate_json(answer.content)
        except ValidationError:
            raise Unavailable(f"{self._door.who} sent what cannot be read") from None


def _key(told: dict[str, JsonValue]) -> jwt.PyJWK | None:
    """A key that may sign with RS256, or None."""
    if "kid" not in told or told.get("use", "sig") != "sig" or told.get("alg", "RS256") != "RS256":
        return None
    try:
        key = jwt.PyJWK.from_dict(told, algorithm="RS256")
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    public = isinstance(key.key, RSAPublicKey) and key.key.key_size >= LEAST_BITS
    return key if public else None


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
