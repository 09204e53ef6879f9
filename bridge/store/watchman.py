"""Whether the record is whole, known at any moment and never more than a day old.

Every line is walked once a day, slowly, beside everything else; what came since is walked when
somebody asks, and so are the newest lines once more. See `audit.verify`.
"""

import asyncio
import contextlib
import time
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from bridge import audit
from bridge.errors import Unavailable
from bridge.kit.clock import Clock
from bridge.release import Transition
from bridge.store import Store, record

log = structlog.get_logger()
TOGETHER = 200
SHARE = 0.1
"""Of one core, while all lines are walked."""
EVERY = timedelta(days=1)
PAUSE = 60.0
NEWEST = 100
REWRITTEN = "it is not the line that was there before"
EMPTY = audit.Verdict(0, audit.GENESIS)


class Watchman:
    """Walks the record. `verdict` is of the lines that were walked, from the first one on;
    `whole_at` is when it came to the end last."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._walk = EMPTY
        self._is_new = True
        self.verdict = EMPTY
        self.checked_at: datetime | None = None
        self.whole_at: datetime | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        while not stop.is_set():
            try:
                rest = await self.walk_on()
            except (Unavailable, DBAPIError) as error:
                log.warning("the record is not watched", error=str(error))
                rest = PAUSE
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), rest)

    async def walk_on(self) -> float:
        """Walk some lines; the seconds to rest then."""
        now, began = self._clock(), time.monotonic()
        if self.whole_at and not self._is_new and now - self.whole_at >= EVERY:
            self._walk, self._is_new = EMPTY, True
        walked = await self._store.read(lambda session: step(session, self._walk))
        is_done = not walked.holds or walked.lines == self._walk.lines
        self._walk = walked
        if not walked.holds or walked.lines >= self.verdict.lines:
            self.verdict, self.checked_at = walked, now
        if not is_done:
            return (time.monotonic() - began) * (1 / SHARE - 1)
        if self._is_new:
            self.whole_at, self._is_new = now, False
        return PAUSE

    def look(self, session: Session) -> audit.Verdict:
        """The verdict with the lines that came since, and the newest ones walked again."""
        known, last = self.verdict, record.last_seq(session)
        there = session.get(Transition, known.lines) if known.lines else None
        if known.holds and known.lines and (there is None or there.hash != known.head):
            return audit.Verdict(known.lines - 1, known.head, known.lines, REWRITTEN)
        if not known.holds or last - known.lines > NEWEST:
            return known
        since = max(0, last - NEWEST)
        before = session.get(Transition, since)
        newest = audit.verify(
            record.chain(session, since), since, before.hash if before else audit.GENESIS
        )
        self.checked_at = self._clock()
        if newest.holds and not since:
            self.whole_at = self.checked_at
        return newest


def step(session: Session, known: audit.Verdict) -> audit.Verdict:
    """The verdict of some more lines."""
    if not known.holds:
        return known
    return audit.verify(record.chain(session, known.lines, TOGETHER), known.lines, known.head)
