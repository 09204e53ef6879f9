"""The bridge that a command asks: one that runs, over HTTP, or its database, in this process.

Both answer the same JSON of /api/v1, so no command knows which of them it asks.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from bridge.errors import Misconfigured, Reason, Refused, Unavailable
from bridge.kit.outbound import is_https_or_here
from bridge.sentences import say
from bridge.web.shapes import Problem
from bridge.web.wish import Done

S = TypeVar("S", bound=BaseModel)
TIMEOUT = httpx.Timeout(30, connect=5)
Word = str | int | bool | None


class Asked:
    """A bridge that can be asked, wherever it is; `tells` where it says by itself what changes."""

    def __init__(self, client: httpx.AsyncClient, where: str, *, tells: bool) -> None:
        self._client = client
        self._where = where
        self.tells = tells

    async def get(self, shape: type[S], path: str, **filters: Word) -> S:
        """What the twin at `path` says. Raises Unavailable, Refused or Misconfigured."""
        asked = {name: told for name, told in filters.items() if told is not None}
        return self._read(shape, await self._answer("GET", path, params=asked))

    async def act(self, path: str, words: dict[str, object]) -> Done:
        """Do it, or only ask what would be done (`dry_run`).

        Raises Unavailable, Refused or Misconfigured.
        """
        told = {name: word for name, word in words.items() if word is not None}
        return self._read(Done, await self._answer("POST", path, json=told))

    async def events(self, after: int | None) -> AsyncIterator[int | None]:
        """The number of each line of the record after that one, or from now on, as it is written;
        None for a sign of life.

        Raises Unavailable when the bridge tells of none, or stops.
        """
        asked = {} if after is None else {"after": str(after)}
        try:
            async with self._client.stream("GET", "/events", params=asked) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise Unavailable(f"{answer.status_code}")
                async for line in answer.aiter_lines():
                    name, _, value = line.partition(":")
                    if name == "id" and value.strip().isdigit():
                        yield int(value)
                    elif not name:
                        yield None
        except httpx.HTTPError as error:
            raise Unavailable(type(error).__name__) from None
        raise Unavailable("the stream ended")

    async def _answer(self, method: str, path: str, **words: object) -> httpx.Response:
        try:
            answer = await self._client.request(method, path, **words)  # type: ignore[arg-type]
        except httpx.HTTPError as error:
            why = type(error).__name__
            raise Unavailable(say("cli_nobody", url=self._where, why=why).sentence) from None
        if answer.is_success:
            return answer
        raise self._bad_news(answer)

    def _read(self, shape: type[S], answer: httpx.Response) -> S:
        try:
            return shape.model_validate_json(answer.content)
        except ValidationError as error:
            (first, *_) = error.errors(include_input=False, include_url=False)
            place = ".".join(str(part) for part in first["loc"])
            why = f"{place}: {first['msg']}"
            raise Unavailable(say("cli_stranger", url=self._where, why=why).sentence) from None

    def _bad_news(self, answer: httpx.Response) -> Exception:
        status = answer.status_code
        try:
            problem = Problem.model_validate_json(answer.content)
        except ValidationError:
            problem = None
        if status == httpx.codes.UNAUTHORIZED:
            known = "authorization" in self._client.headers
            code = "cli_wrong_token" if known else "cli_no_token"
            return Misconfigured(say(code, url=self._where).sentence)
        if problem is None:
            why = f"it answered {status}"
            return Unavailable(say("cli_stranger", url=self._where, why=why).sentence)
        wrong = "; ".join(f"{one.name}: {one.problem}" for one in problem.errors)
        why = f"{problem.detail or problem.title} {wrong}".rstrip()
        if status >= 500 or status == httpx.codes.TOO_MANY_REQUESTS:
            told = say("cli_later", url=self._where, status=status, why=why.rstrip("."))
            return Unavailable(told.sentence)
        if status == httpx.codes.UNPROCESSABLE_ENTITY:
            return Misconfigured(why)
        return Refused(Reason(problem.title, why))


@asynccontextmanager
async def bridge_at(url: str | None) -> AsyncIterator[Asked]:
    """The bridge at `url`, or the one whose database is here."""
    if url:
        async with _over_http(url) as client:
            yield Asked(client, url, tells=True)
        return
    from bridge.cli.beside import application  # takes a second to read

    with application() as app:
        transport = httpx.ASGITransport(app)
        base = "http://127.0.0.1/api/v1"
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            yield Asked(client, "the database", tells=False)


def _over_http(url: str) -> httpx.AsyncClient:
    """A client that says who asks, to nobody but this address."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise Misconfigured(say("cli_bad_url").sentence) from None
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo:
        raise Misconfigured(say("cli_bad_url").sentence)
    token = _token()
    if token and not is_https_or_here(url):
        raise Misconfigured(say("cli_open_token", host=parsed.host).sentence)
    headers = {"user-agent": "model-bridge"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    return httpx.AsyncClient(base_url=f"{url.rstrip('/')}/api/v1", headers=headers, timeout=TIMEOUT)


def _token() -> str:
    """BRIDGE_TOKEN, or what the file says that BRIDGE_TOKEN_FILE names; empty without either."""
    token = os.environ.get("BRIDGE_TOKEN", "")
    if path := os.environ.get("BRIDGE_TOKEN_FILE"):
        try:
            token = Path(path).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            told = type(error).__name__
            raise Misconfigured(f"BRIDGE_TOKEN_FILE cannot be read: {told}") from None
    if not (token.isascii() and (token.isprintable() or not token)):
        raise Misconfigured("BRIDGE_TOKEN: it is no token")
    return token
