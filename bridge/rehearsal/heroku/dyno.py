"""What the simulated Heroku asks of whoever builds and runs its app: really, or in process."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import httpx

Log = Callable[[str], None]


@dataclass(frozen=True)
class Built:
    """The end of a build: a slug, named by the runner's own handle, or none because it failed."""

    slug: str | None
    process_types: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.slug is not None


class DynoCrashed(Exception):
    """The web process ended, or did not listen in time; the message has the end of its output."""


class Dyno(Protocol):
    """One running web process; `client` reaches it."""

    @property
    def client(self) -> httpx.AsyncClient: ...

    async def stop(self) -> None: ...


class Runner(Protocol):
    """Builds slugs and starts dynos. A failed build is an answer, not an exception."""

    async def build(self, source: bytes, env: Mapping[str, str], log: Log) -> Built: ...

    async def start(self, slug: str, env: Mapping[str, str]) -> Dyno:
        """A dyno that answers; raises DynoCrashed where there will be none."""
        ...

    def close(self) -> None:
        """Remove every slug."""
        ...
