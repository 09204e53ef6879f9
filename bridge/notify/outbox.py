"""The loop that sends: read the record on, claim what is due, tell, say what became of it.

What is sent may arrive twice, never not at all: between the sending and the mark the process may
die, and nobody can know which side of it the target saw. The message's id tells them apart.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta

import structlog
from sqlmodel import Session

from bridge.delivery import DeliveryState
from bridge.errors import LeaseLost, Refused, Unavailable
from bridge.kit.clock import Clock
from bridge.notice import Notice
from bridge.notify.target import Target
from bridge.notify.tell import Teller
from bridge.sentences import say
from bridge.store import Store, outbox

log = structlog.get_logger()
LEASE = timedelta(seconds=30)
SEND_WITHIN = 25.0
SHARE, LOOK_AT = 2, 100
TRIES = 10
FIRST, LONGEST = timedelta(seconds=10), timedelta(hours=6)
NAP, NAP_AMONG_OTHERS = 30.0, 5.0
PAUSE = 1.0


class Outbox:
    """Tells the targets, by their names, what the teller has for them."""

    def __init__(
        self,
        store: Store,
        teller: Teller,
        targets: Mapping[str, Target],
        clock: Clock,
        chance: Callable[[], float],
    ) -> None:
        self.teller = teller
        self._store = store
        self._targets = targets
        self._clock = clock
        self._chance = chance
        self._bell = asyncio.Event()
        self._running: dict[asyncio.Task[None], str] = {}

    def ring(self) -> None:
        """Something may have been written that somebody wants to hear."""
        self._bell.set()

    async def begin(self) -> None:
        """Before anything is written: from here on, every line is read."""
        tells = self.teller.tells
        await self._store.write(lambda session: outbox.open_book(session, is_read=tells))

    async def run(self) -> None:
        """Tell until cancelled. Where nobody is to be told, that is nothing."""
        try:
            while self.teller.tells:
                self._bell.clear()
                try:
                    nap = 0.0 if await self.turn() else await self._nap()
                except Unavailable as error:
                    log.warning("nobody is told", error=str(error))
                    nap = PAUSE
                except Exception:
                    log.exception("nobody is told")
                    nap = PAUSE
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._bell.wait(), nap)
        finally:
            late = [*self._running]
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def turn(self) -> int:
        """Begin to send what is due; how many notices that are."""
        if not await self._store.read(lambda s: outbox.has_news(s, self._clock())):
            return 0
        taken = await self._store.write(self._take)
        for notice in taken:
            task = asyncio.create_task(self._send(notice))
            self._running[task] = notice.target
            task.add_done_callback(self._sent)
        return len(taken)

    async def settle(self) -> None:
        """Wait for what is being sent."""
        while self._running:
            await asyncio.wait(set(self._running))

    def _take(self, session: Session) -> list[Notice]:
        """At most a few for one target, so that one which does not answer holds up no other."""
        now, busy = self._clock(), Counter(self._running.values())
        self.teller.read_on(session, now)
        full, chosen = [name for name, count in busy.items() if count >= SHARE], []
        for notice in outbox.due(session, now, LOOK_AT, full):
            if busy[notice.target] < SHARE:
                busy[notice.target] += 1
                chosen.append(notice)
        true = self.teller.settle(session, chosen, now)
        outbox.claim(session, true, now + LEASE)
        session.flush()
        return list(true)

    def _sent(self, task: "asyncio.Task[None]") -> None:
        self._running.pop(task)
        self.ring()
        if not task.cancelled() and (error := task.exception()):
            log.error("what became of a notice could not be written", error=str(error))

    async def _send(self, notice: Notice) -> None:
        try:
            await self._say(notice)
        except LeaseLost:
            log.warning("lease lost", notice=notice.id)

    async def _say(self, notice: Notice) -> None:
        target = self._targets.get(notice.target)
        if target is None:
            gone = say("no_target", name=notice.target).sentence
            return await self._end(notice, DeliveryState.PARKED, gone)
        if notice.attempts > TRIES:
            died = f"no end after {TRIES} tries"
            return await self._end(notice, DeliveryState.PARKED, died)
        try:
            async with asyncio.timeout(SEND_WITHIN):
                await target.send(notice.message_id, notice.body)
        except Refused as refusal:
            await self._end(notice, DeliveryState.PARKED, refusal.reason.sentence)
        except TimeoutError:
            await self._later(notice, f"{notice.target} took longer than {SEND_WITHIN:.0f} s", 0)
        except Unavailable as error:
            await self._later(notice, str(error), error.retry_after or 0)
        except Exception as bug:
            log.exception("bug", notice=notice.id, target=notice.target)
            await self._later(notice, type(bug).__name__, 0)
        else:
            await self._end(notice, DeliveryState.HANDLED, say("told", name=notice.target).sentence)

    async def _later(self, notice: Notice, why: str, least: float) -> None:
        """Try again, later each time and with full jitter, up to a number of times."""
        log.warning("not told", notice=notice.id, target=notice.target, why=why)
        if notice.attempts >= TRIES:
            told = say("not_told", name=notice.target, attempts=notice.attempts, why=why).sentence
            log.error("parked", notice=notice.id, target=notice.target)
            await self._end(notice, DeliveryState.PARKED, told)
            return
        at = self._clock() + max(wait(notice.attempts, self._chance()), timedelta(seconds=least))
        await self._store.write(lambda session: outbox.retry(session, notice, at, why))

    async def _end(self, notice: Notice, state: DeliveryState, sentence: str) -> None:
        await self._store.write(lambda session: outbox.finish(session, notice, state, sentence))

    async def _nap(self) -> float:
        """Seconds until something is due, at most half a minute."""
        unread, due = await self._store.read(lambda s: (outbox.is_unread(s), outbox.next_due(s)))
        if unread:
            return 0.0
        nap = NAP_AMONG_OTHERS if self._store.is_shared else NAP
        until = (due - self._clock()).total_seconds() if due else nap
        return min(max(until, PAUSE if self._running else 0.0), nap)


def wait(attempts: int, chance: float) -> timedelta:
    """How long to wait after so many tries: anything up to 10 s, 40 s, 160 s, … 6 h. Pure.

    Ten tries take eleven hours on average, and twenty-two at most.
    """
    longest: timedelta = min(FIRST * 4.0 ** (attempts - 1), LONGEST)
    return chance * longest
