"""Everything that is kept: one writer, many readers, and the named queries beside this file."""

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

import bridge
from alembic import command
from bridge import audit
from bridge.errors import Misconfigured, Unavailable
from bridge.kit.clock import system_clock
from bridge.sentences import say
from bridge.store import move, postgresql
from bridge.store.checkpoints import Checkpoints
from bridge.store.engine import engine_for
from bridge.store.revision import Revision
from bridge.store.writer import Writer, unavailable

Item = TypeVar("Item")
R = TypeVar("R")
T = TypeVar("T")
A_WRITE = "UPDATE alembic_version SET version_num = version_num"
"""Changes nothing, and fails where nothing can be written."""


class Store:
    """A database at `url`. `migrate` first; `close` last."""

    def __init__(self, url: str) -> None:
        self._writing = engine_for(url, "write")
        self._reading = engine_for(url, "read")
        self._revision = Revision(self._reading)
        self._url = url
        self._writer: Writer | None = None
        self._checkpoints: Checkpoints | None = None
        self._ahead = timedelta()
        self.is_shared = self._writing.dialect.name == "postgresql"

    def migrate(self) -> None:
        """Bring the schema up to date, in one transaction. Raises Unavailable for a database that
        cannot be opened, read or written."""
        try:
            with self._writing.begin() as connection:
                postgresql.take_your_time(connection)
                upgrade(connection)
                connection.execute(text(A_WRITE))
            self._set_the_clock()
        except DBAPIError as error:
            raise Unavailable(f"the database cannot be used: {error.orig}") from error

    def move_to(self, other: "Store") -> audit.Verdict:
        """Copy everything to `other`, which is empty; the chain as it was verified there.

        Raises Misconfigured, with nothing kept, and Unavailable.
        """
        try:
            with self._writing.begin() as source, other._writing.begin() as target:
                upgrade(source)
                move.must_be_empty(target)
                upgrade(target)
                return move.copy(source, target)
        except DBAPIError as error:
            raise unavailable(error) or error from error

    def clock(self) -> datetime:
        """The time that claims are compared with: one clock for all who share the database."""
        return system_clock() + self._ahead

    async def listen(self, rung: Callable[[], None]) -> None:
        """Call `rung` whenever a process that shares the database makes something due."""
        if self.is_shared:
            await postgresql.listen(self._writing.url, rung, self._set_the_clock)

    async def write(self, work: Callable[[Session], T]) -> T:
        """Run `work` in a transaction of its own; returned means on disk.

        Raises what `work` raises, with nothing written, or Unavailable.
        """

        def in_session(connection: Connection, _: list[None]) -> list[T]:
            # The transaction is the writer's own: to end the session ends nothing.
            with Session(connection, join_transaction_mode="rollback_only") as session:
                result = work(session)
                session.flush()
                session.expunge_all()
                return [result]

        return await self.write_together(in_session, None)

    async def write_together(
        self, work: Callable[[Connection, list[Item]], list[R]], item: Item
    ) -> R:
        """The same for what comes in crowds: who waits with the same `work` shares one call."""
        if self._writer is None:
            if not self.is_shared:
                self._checkpoints = Checkpoints(engine_for(self._url, "write"))
            self._writer = Writer(self._writing, self._written)
        return await self._writer.submit(work, item)

    async def read(self, work: Callable[[Session], T]) -> T:
        """Run `work` on a reading connection, beside the writer."""
        return await asyncio.to_thread(self.read_now, work)

    def read_now(self, work: Callable[[Session], T]) -> T:
        """The same for a program without an event loop."""
        try:
            with Session(self._reading, expire_on_commit=False) as session:
                return work(session)
        except DBAPIError as error:
            raise self._in_our_words(error) from error

    async def look(
        self, seen: Collection[str], work: Callable[[Session], T]
    ) -> tuple[str, T | None]:
        """Which revision there is, and what `work` reads of it, unless that was `seen`."""

        def in_session(session: Session) -> tuple[str, T | None]:
            revision = self._revision.of(session)
            return revision, None if revision in seen else work(session)

        return await self.read(in_session)

    def close(self) -> None:
        """Write what waits and let go of the database."""
        if self._writer is not None:
            self._writer.stop()
            self._writer = None
        if self._checkpoints is not None:
            self._checkpoints.stop()
            self._checkpoints = None
        self._revision.close()
        self._writing.dispose()
        self._reading.dispose()

    def _written(self) -> None:
        if self._checkpoints is not None:
            self._checkpoints.written()

    def _in_our_words(self, error: DBAPIError) -> Exception:
        """A server may be away for a while; a file that cannot be opened is not."""
        return (unavailable(error, "answer") if self.is_shared else None) or error

    def _set_the_clock(self) -> None:
        if self.is_shared:
            self._ahead = postgresql.ahead(self._reading)


def upgrade(connection: Connection) -> None:
    """Bring the schema up to date, in the transaction that is open. Raises Misconfigured for one
    that a newer bridge has made."""
    config = Config()
    config.set_main_option("script_location", str(migrations()))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise Misconfigured(say("unknown_schema", why=error).sentence) from None


def migrations() -> Path:
    """The migrations: inside an installed package, or beside it in a checkout."""
    package = Path(bridge.__file__).parent
    inside = package / "alembic"
    return inside if inside.is_dir() else package.parent / "alembic"
