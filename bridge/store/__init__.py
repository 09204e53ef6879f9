"""Everything that is kept: one writer, many readers, and the named queries beside this file."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session

import bridge
from alembic import command
from bridge.errors import Unavailable
from bridge.store.engine import engine_for
from bridge.store.writer import Writer

T = TypeVar("T")
A_WRITE = "UPDATE alembic_version SET version_num = version_num"
"""Changes nothing, and fails where nothing can be written."""


class Store:
    """A database at `url`. `migrate` first; `close` last."""

    def __init__(self, url: str) -> None:
        self._writing = engine_for(url, "write")
        self._reading = engine_for(url, "read")
        self._writer: Writer | None = None

    def migrate(self) -> None:
        """Bring the schema up to date, in one transaction. Raises Unavailable for a database that
        cannot be opened, read or written."""
        config = Config()
        config.set_main_option("script_location", str(migrations()))
        try:
            with self._writing.begin() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
                connection.execute(text(A_WRITE))
        except DatabaseError as error:
            raise Unavailable(f"the database cannot be used: {error.orig}") from error

    async def write(self, work: Callable[[Session], T]) -> T:
        """Run `work` in a transaction of its own; returned means on disk.

        Raises what `work` raises, with nothing written, or Unavailable.
        """
        if self._writer is None:
            self._writer = Writer(self._writing)
        return await asyncio.wrap_future(self._writer.submit(work))

    async def read(self, work: Callable[[Session], T]) -> T:
        """Run `work` on a reading connection, beside the writer."""
        return await asyncio.to_thread(self.read_now, work)

    def read_now(self, work: Callable[[Session], T]) -> T:
        """The same for a program without an event loop."""
        with Session(self._reading, expire_on_commit=False) as session:
            return work(session)

    def close(self) -> None:
        """Write what waits and let go of the database."""
        if self._writer is not None:
            self._writer.stop()
            self._writer = None
        self._writing.dispose()
        self._reading.dispose()


def migrations() -> Path:
    """The migrations: inside an installed package, or beside it in a checkout."""
    package = Path(bridge.__file__).parent
    inside = package / "alembic"
    return inside if inside.is_dir() else package.parent / "alembic"
