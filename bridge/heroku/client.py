"""Heroku's Platform API: source slots, builds, releases, rollback.

Source: https://devcenter.heroku.com/articles/platform-api-reference
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from httpx import Response
from pydantic import BaseModel, TypeAdapter, ValidationError

from bridge.errors import Refused, Unavailable
from bridge.heroku.output import kept
from bridge.kit.http import Door
from bridge.kit.redact import without_userinfo
from bridge.sentences import say

HEADERS = {"accept": "application/vnd.heroku+json; version=3"}
NEWEST_BUILDS = {"range": "created_at ..; order=desc,max=30"}
NEWEST_RELEASES = {"range": "version ..; order=desc,max=30"}
OUTPUT_WITHIN = 5.0
Answer = TypeVar("Answer")


class _Id(BaseModel):
    id: str


class _SourceBlob(BaseModel):
    version: str | None = None


class Build(BaseModel):
    """A build; `sha` is the commit that it was told to be of."""

    id: str
    status: str
    created_at: datetime
    source_blob: _SourceBlob
    release: _Id | None = None
    output_stream_url: str | None = None

    @property
    def sha(self) -> str | None:
        """The commit, if whoever started the build said it."""
        return self.source_blob.version


class _User(BaseModel):
    email: str = "somebody"


class HerokuRelease(BaseModel):
    """Theirs: `v42` is version 42. `current` is the one that runs, `description` is Heroku's:
    `Deploy 1a2b3c4d`, `Set FOO config vars`, `Rollback to v41`."""

    id: str
    version: int
    status: str
    current: bool = False
    eligible_for_rollback: bool = True
    description: str = ""
    slug: _Id | None = None
    user: _User | None = None
    output_stream_url: str | None = None

    @property
    def slug_id(self) -> str | None:
        """What runs; the same in another Heroku release that changes config vars only."""
        return self.slug.id if self.slug else None

    @property
    def who(self) -> str:
        """Who made it."""
        return self.user.email if self.user else "somebody"


def as_seen(newest: Sequence[Build | HerokuRelease]) -> str:
    """The same as long as nothing has changed that a webhook would tell."""
    return " ".join(f"{one.id}:{one.status}" for one in newest[:3])


class Slot(BaseModel):
    """Where a source tarball is put, and where Heroku then fetches it."""

    get_url: str
    put_url: str


class _Source(BaseModel):
    source_blob: Slot


class _Formation(BaseModel):
    quantity: int


class _Slug(BaseModel):
    commit: str | None = None


class Heroku:
    """One app on Heroku."""

    def __init__(self, door: Door, app: str) -> None:
        self._door = door
        self.app = app

    async def builds(self) -> list[Build]:
        """The newest builds, newest first. Raises Unavailable."""
        builds = await self._ask("GET", f"/apps/{self.app}/builds", list[Build], NEWEST_BUILDS)
        return sorted(builds, key=lambda build: build.created_at, reverse=True)

    async def releases(self) -> list[HerokuRelease]:
        """The newest Heroku releases, newest first. Raises Unavailable."""
        path = f"/apps/{self.app}/releases"
        releases = await self._ask("GET", path, list[HerokuRelease], NEWEST_RELEASES)
        return sorted(releases, key=lambda release: release.version, reverse=True)

    async def upload(self, tarball: bytes) -> Slot:
        """Put a source tarball into a fresh slot. Raises Unavailable."""
        slot = (await self._ask("POST", "/sources", _Source)).source_blob
        put = await self._door.ask("PUT", slot.put_url, content=tarball, anonymous=True)
        if not put.is_success:
            raise Unavailable(f"Heroku answered {put.status_code} to the source")
        return slot

    async def build(self, slot: Slot, checksum: str, sha: str) -> Build:
        """Start a build of the uploaded source; `checksum` is 64 hex digits."""
        blob = {"url": slot.get_url, "checksum": f"SHA256:{checksum}", "version": sha}
        path = f"/apps/{self.app}/builds"
        return await self._ask("POST", path, Build, json={"source_blob": blob})

    async def printed(self, one: Build | HerokuRelease) -> str:
        """What a build or a release phase printed, without credentials, or nothing: it explains,
        and nothing waits for it."""
        if not one.output_stream_url:
            return ""
        try:
            answer = await self._door.ask(
                "GET", one.output_stream_url, anonymous=True, within=OUTPUT_WITHIN
            )
        except Unavailable:
            return ""
        return kept(self._door.quote(answer.text)) if answer.is_success else ""

    async def cancel(self, build: Build) -> None:
        """Have Heroku end a build that is under way. Raises Unavailable, also where it has ended by
        itself meanwhile: look again."""
        path = f"/apps/{self.app}/builds/{build.id}"
        answer = await self._door.ask("DELETE", path, headers=HEADERS)
        if not answer.is_success:
            raise Unavailable(f"Heroku answered {answer.status_code} to the cancelled build")

    async def commit_of(self, release: HerokuRelease) -> str | None:
        """The commit that a Heroku release runs, if it has a slug that knows."""
        if release.slug is None:
            return None
        return (await self._ask("GET", f"/apps/{self.app}/slugs/{release.slug.id}", _Slug)).commit

    async def dynos(self) -> int | None:
        """How many web dynos the app should have; None where the token may not know."""
        path = f"/apps/{self.app}/formation/web"
        got = await self._door.ask("GET", path, headers=HEADERS)
        return None if got.status_code in (403, 404) else self._read(got, _Formation).quantity

    async def rollback(self, release: HerokuRelease) -> HerokuRelease:
        """Put an older Heroku release back; this makes a new one."""
        path = f"/apps/{self.app}/releases"
        return await self._ask("POST", path, HerokuRelease, json={"release": release.id})

    async def close(self) -> None:
        """Give back the connections."""
        await self._door.close()

    async def _ask(
        self,
        method: str,
        path: str,
        answer: type[Answer],
        headers: dict[str, str] | None = None,
        json: object | None = None,
    ) -> Answer:
        got = await self._door.ask(method, path, json=json, headers={**HEADERS, **(headers or {})})
        return self._read(got, answer)

    def _read(self, got: Response, answer: type[Answer]) -> Answer:
        if got.status_code in (400, 422):
            raise Refused(say("heroku_refused", message=without_userinfo(got.text)[:200]))
        if not got.is_success:
            raise Unavailable(
                f"Heroku answered {got.status_code}; is there an app {self.app}, and may the token "
                "see it?"
            )
        try:
            return TypeAdapter(answer).validate_json(got.content)
        except ValidationError as error:
            raise Unavailable("Heroku sent an answer that cannot be read") from error
