"""The bell of the record: whoever watches it is woken by one look for all of them.

A look is one read by primary key, twice a second, and only while somebody watches. Lines that other
processes wrote are seen as well.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bridge.errors import Unavailable
from bridge.store import Store, news
from bridge.store.news import News

log = structlog.get_logger()
EVERY = 0.5
KEPT = 256
PAGE = 200


class Bell:
    """Rings for every new line of the record. Used in one event loop; `close` may come from a
    signal."""

    def __init__(self, store: Store, every: float = EVERY, seats: int = 200) -> None:
        self._store = store
        self._every = every
        self._seats = seats
        self._watchers = 0
        self._seq = 0
        self._lines: deque[News] = deque(maxlen=KEPT)
        self._rung = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.is_closed = False

    async def watch(
        self, after: int | None, patience: float
    ) -> AsyncGenerator[Sequence[News], None]:
        """The lines after `after`, or from now on, as they come; an empty list whenever none came
        for `patience` seconds. Ends when the bell is closed, or at once where there is no room."""
        if not self.has_room:
            return
        async with self._seat():
            newest = await self._store.read(news.newest)
            self._begin(newest)
            seq = newest if after is None else min(after, newest)
            while not self.is_closed:
                rung = self._rung
                lines = await self._since(seq)
                if lines:
                    seq = lines[-1].seq
                    yield lines
                    continue
                try:
                    async with asyncio.timeout(patience):
                        await rung.wait()
                except TimeoutError:
                    yield []

    @property
    def has_room(self) -> bool:
        """Whether one more may watch."""
        return not self.is_closed and self._watchers < self._seats

    def close(self) -> None:
        """Let everybody go: the process ends."""
        self.is_closed = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ring)

    @contextlib.asynccontextmanager
    async def _seat(self) -> AsyncIterator[None]:
        self._watchers += 1
        self._loop = asyncio.get_running_loop()
        try:
            yield
        finally:
            self._watchers -= 1
            if not self._watchers and self._looking is not None:
                self._looking.cancel()
                self._looking = None
                self._lines.clear()

    def _begin(self, newest: int) -> None:
        """Look on from here, unless somebody does already."""
        if self._looking is None:
            self._seq = newest
            self._looking = asyncio.create_task(self._look_for_ever())

    async def _look_for_ever(self) -> None:
        while True:
            try:
                await self._look()
            except (Unavailable, SQLAlchemyError) as error:  # a file tells of its troubles so
                log.warning("the record was not looked at", error=str(error))
            await asyncio.sleep(self._every)

    async def _look(self) -> None:
        """Read what is new, once for all who watch."""
        since = self._seq
        lines = await self._store.read(lambda session: news.after(session, since, KEPT))
        if lines:
            self._lines.extend(lines)
            self._seq = lines[-1].seq
            self._ring()

    def _ring(self) -> None:
        self._rung.set()
        self._rung = asyncio.Event()

    async def _since(self, seq: int) -> Sequence[News]:
        """The lines after `seq`: out of memory for whoever is nearly up to date."""
        if seq >= self._seq:
            return []
        if self._lines and self._lines[0].seq <= seq + 1:
            return [line for line in self._lines if line.seq > seq]
        return await self._store.read(lambda session: news.after(session, seq, PAGE))
