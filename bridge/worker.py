"""The loop that keeps everything moving: inbox first, then whatever is due, then sleep.

A bell wakes it, and the clock does when no bell rings. Waiting costs a row, not a task.
"""

import asyncio
import contextlib
import os
import secrets
import socket
from datetime import datetime, timedelta
from functools import partial

import structlog

from bridge.errors import Unavailable
from bridge.inbox import Inbox
from bridge.kit.clock import Clock
from bridge.notify.outbox import Outbox
from bridge.reconcile import Reconciler
from bridge.release import Release
from bridge.store import Store, deliveries, releases
from bridge.sweep import ON_ITS_WAY, Sweeper

log = structlog.get_logger()
LEASE = timedelta(seconds=10)
RENEW_EVERY = timedelta(seconds=3)
AT_ONCE = 8
NAP = 30.0
NAP_AMONG_OTHERS = 2.0
"""So soon a lapsed lease is seen: nobody rings for a process that was killed."""
PAUSE = 1.0
MOMENT = 0.05
BREATH = 0.005
"""While steps run, others end soon: one look for all of them costs what one for each costs."""
GRACE = 6.0


class Worker:
    """Claims due releases, a few at once, and advances each by one step."""

    def __init__(
        self,
        store: Store,
        inbox: Inbox,
        reconciler: Reconciler,
        sweeper: Sweeper,
        clock: Clock,
        sweep_every: timedelta,
        outbox: Outbox,
    ) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._store = store
        self._inbox = inbox
        self._reconciler = reconciler
        self._sweeper = sweeper
        self._clock = clock
        self._sweep_every = sweep_every
        self._outbox = outbox
        self.beat: datetime | None = None
        self._repositories = {p.name: p.repository for p in reconciler.pipelines.values()}
        self._looked = clock()
        self._bell = asyncio.Event()
        self._soon: asyncio.TimerHandle | None = None
        self._running: dict[asyncio.Task[None], Release] = {}

    def ring(self) -> None:
        """Something came in: look now."""
        self._bell.set()
        self._outbox.ring()

    def ring_soon(self) -> None:
        """Something came in and more may follow: look at all of it in a moment."""
        if self._soon is None:
            wait = max(MOMENT, self._inbox.rest())
            self._soon = asyncio.get_running_loop().call_later(wait, self._ring_now)

    def heard(self) -> None:
        """A delivery came in."""
        self._inbox.heard()
        self.ring_soon()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish what ends within the grace."""
        helpers = [
            asyncio.create_task(self._sweep_for_ever()),
            asyncio.create_task(self._renew_for_ever()),
            asyncio.create_task(self._outbox.run()),
        ]
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: self.ring())
        while not stop.is_set():
            self._bell.clear()
            try:
                await self.turn()
                nap = 0.0 if self._bell.is_set() else await self._nap()
                self.beat = self._clock()
            except Exception as error:
                log.exception("turn failed", error=type(error).__name__)
                nap = PAUSE
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._bell.wait(), nap)
            if self._running:
                await asyncio.sleep(BREATH)
        await self._go_home()
        for helper in helpers:
            helper.cancel()
        await asyncio.gather(*helpers, return_exceptions=True)

    async def turn(self) -> int:
        """Handle the inbox and start what is due; the count of both."""
        taken = await self._inbox.drain()
        now, free = self._clock(), AT_ONCE - len(self._running)
        # First and at the same moment, so that what runs here is never claimed again, even after
        # a long standstill.
        await self._renew(now, RENEW_EVERY)
        self._looked = now
        claimed = await self._store.write(
            lambda session: releases.claim(session, now, self.name, LEASE, free, self._repositories)
        )
        for release in claimed:
            task = asyncio.create_task(self._advance(release))
            self._running[task] = release
            task.add_done_callback(self._finished)
        if taken:
            self._outbox.ring()
        return taken + len(claimed)

    async def sweep(self) -> int | None:
        """Look once for what no webhook told; see `Sweeper.sweep`."""
        unheard = await self._sweeper.sweep(self.name, self._sweep_every)
        self.ring()
        return unheard

    async def settle(self) -> None:
        """Wait for the steps that are under way."""
        while self._running:
            await asyncio.wait(set(self._running))

    async def _go_home(self) -> None:
        """Finish what ends soon; give back the rest, for whoever comes next to take at once."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=GRACE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._store.write(
            lambda session: releases.take_back(session, self._clock(), self.name)
        )

    def _ring_now(self) -> None:
        self._soon = None
        self.ring()

    async def _advance(self, release: Release) -> None:
        await self._reconciler.advance(release)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task)
        self.ring()
        if not task.cancelled() and (error := task.exception()):
            log.error("a step could not be written", error=str(error))

    async def _sweep_for_ever(self) -> None:
        while True:
            pause = self._sweep_every
            try:
                if await self.sweep():
                    pause = min(pause, ON_ITS_WAY)
            except Unavailable as error:
                log.warning("no sweep", error=str(error))
            except Exception:
                log.exception("no sweep")
            await asyncio.sleep(pause.total_seconds())

    async def _renew_for_ever(self) -> None:
        """A lease is short, so that others soon take over from the dead; the living renew it."""
        while True:
            await asyncio.sleep(RENEW_EVERY.total_seconds())
            try:
                await self._renew(self._clock())
            except Unavailable as error:
                log.warning("leases not renewed", error=str(error))
            except Exception:
                log.exception("leases not renewed")

    async def _renew(self, now: datetime, older: timedelta = timedelta()) -> None:
        """Lengthen the leases that are so old."""
        until = now + LEASE
        held = [
            release
            for release in self._running.values()
            if release.claimed_until and release.claimed_until <= until - older
        ]
        if held:
            await self._store.write(partial(releases.renew, claimed=held, until=until))
            for release in held:
                release.claimed_until = until

    async def _nap(self) -> float:
        """Seconds until something is due, at most half a minute."""
        delivery, release = await self._store.read(
            lambda session: (deliveries.next_due(session), releases.next_due(session))
        )
        now = self._clock()
        naps = [NAP_AMONG_OTHERS if self._store.is_shared else NAP]
        if delivery is not None:
            naps.append(max((delivery - now).total_seconds(), self._inbox.rest()))
        if release is not None and len(self._running) < AT_ONCE:
            # Due at the last look and left alone: its repository has its share. An end rings.
            naps.append(PAUSE if release <= self._looked else (release - now).total_seconds())
        return max(min(naps), 0.0)
