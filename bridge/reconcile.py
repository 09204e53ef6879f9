"""The only hand that moves a release.

`advance` reads what it needs in a short transaction, runs the step with none open, and writes the
outcome in a second one, guarded by the fence. It does not know who calls it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from packaging.version import Version
from sqlmodel import Session

from bridge import ledger
from bridge.errors import Declined, LeaseLost, Reason, Refused, Unavailable
from bridge.event import Published
from bridge.kit.clock import Clock
from bridge.pipeline import PIPELINE
from bridge.policy import ASK_LATE, Pipeline
from bridge.release import Release, Stage
from bridge.sentences import say
from bridge.steps.world import Done, Intend, Learned, Wait, World
from bridge.store import Store, record, releases

log = structlog.get_logger()
BUGS_UNTIL_PARKED = 5
ASK_PARKED = timedelta(hours=1)


class Neighbourhood(Protocol):
    """Whoever can show a pipeline its world."""

    def world(
        self,
        pipeline: Pipeline,
        *,
        now: datetime,
        intend: Intend,
        last_verified: Release | None = None,
        chain_head: str = "",
    ) -> World:
        """The neighbours of `pipeline`, ready to be asked."""
        ...


class Reconciler:
    """Does the next thing for a release, and writes down what came of it."""

    def __init__(
        self, store: Store, pipelines: Iterable[Pipeline], around: Neighbourhood, clock: Clock
    ) -> None:
        self.pipelines = {pipeline.name: pipeline for pipeline in pipelines}
        self._store = store
        self._around = around
        self._clock = clock

    async def advance(self, release: Release) -> None:
        """Run the step of a claimed release once. Bad news of any kind is written, not raised."""
        try:
            await self._advance(release)
        except LeaseLost:
            log.warning("lease lost", release=release.id, version=release.version)

    async def sweep(self, pipeline: Pipeline) -> int:
        """Begin a release for the newest version on the index, if nobody told us of it; 0 or 1."""
        now = self._clock()
        world = self._around.world(pipeline, now=now, intend=_no_effects)
        listed = await world.index.files(pipeline.package)
        found = {version for file in listed if (version := file.version(pipeline.package))}
        known = await self._store.read(lambda session: releases.versions(session, pipeline.name))
        newest = max((version for version in found if not version.is_prerelease), default=None)
        if newest is None or any(Version(seen) >= newest for seen in known):
            return 0
        told = Published(package=pipeline.package, version=str(newest))
        await self._store.write(
            lambda session: ledger.begin(session, pipeline, told, by="the sweep", now=now)
        )
        return 1

    async def _advance(self, release: Release) -> None:
        leg, pipeline = PIPELINE[release.stage], self.pipelines.get(release.pipeline)
        if pipeline is None:
            return await self._later(release, say("no_pipeline", name=release.pipeline), ASK_PARKED)

        async def intend(reason: Reason) -> None:
            def work(session: Session) -> None:
                row = releases.held(session, release)
                ledger.note(session, row, "intent", reason, self._clock())

            await self._store.write(work)

        before, head = await self._store.read(lambda session: _memory(session, release))
        world = self._around.world(
            pipeline, now=self._clock(), intend=intend, last_verified=before, chain_head=head
        )
        try:
            outcome = await leg.step(release, world)
        except LeaseLost:
            raise
        except Declined as refusal:
            await self._move(release, Stage.DECLINED, refusal.reason, {})
        except Refused as refusal:
            await self._move(release, leg.refused, refusal.reason, {})
        except Unavailable as error:
            await self._unavailable(release, error)
        except Exception as bug:
            log.exception("bug", release=release.id, stage=release.stage.value)
            await self._park_or_retry(release, bug)
        else:
            if isinstance(outcome, Done):
                await self._move(release, leg.earns, outcome.because, outcome.learned)
            else:
                await self._wait(release, outcome, attempts=0)

    async def _move(self, release: Release, to: Stage, reason: Reason, learned: Learned) -> None:
        def work(session: Session) -> None:
            now, row = self._clock(), releases.held(session, release)
            row.facts = row.facts.model_copy(update=dict(learned))
            releases.give_back(row, row.due_at)
            ledger.transit(session, row, to, reason, now)
            if to is Stage.PROPOSED:
                ledger.supersede(session, row, now)

        await self._store.write(work)

    async def _wait(self, release: Release, wait: Wait, attempts: int) -> None:
        def work(session: Session) -> None:
            row, reason = releases.held(session, release), wait.because
            row.facts = row.facts.model_copy(update=dict(wait.learned))
            if row.code != reason.code:
                ledger.note(session, row, "note", reason, self._clock())
            row.code, row.sentence, row.attempts = reason.code, reason.sentence, attempts
            releases.give_back(row, wait.until)
            session.add(row)

        await self._store.write(work)

    async def _later(self, release: Release, reason: Reason, wait: timedelta) -> None:
        await self._wait(release, Wait(self._clock() + wait, reason), release.attempts)

    async def _unavailable(self, release: Release, error: Unavailable) -> None:
        """No answer: ask again, later each time, and not before the neighbour wants it."""
        backoff = min(2.0 ** (release.attempts - 1), ASK_LATE.total_seconds())
        wait = timedelta(seconds=max(backoff, error.retry_after or 0))
        at = (self._clock() + wait).strftime("%H:%M:%S UTC")
        await self._later(release, say("unavailable", who=error, at=at), wait)

    async def _park_or_retry(self, release: Release, bug: Exception) -> None:
        parked = release.attempts >= BUGS_UNTIL_PARKED
        wait = ASK_PARKED if parked else timedelta(seconds=2**release.attempts)
        reason = say("parked", attempts=release.attempts, what=type(bug).__name__)
        await self._later(release, reason, wait)


def _memory(session: Session, release: Release) -> tuple[Release | None, str]:
    """The version that a rollback would put back, and the head of the chain."""
    verified = releases.of_pipeline(session, release.pipeline, Stage.VERIFIED)
    return next(iter(verified), None), record.head(session)


async def _no_effects(reason: Reason) -> None:
    raise LeaseLost("a sweep has no effects")
