"""The only hand that moves a release.

`advance` reads what it needs in a short transaction, runs the step with none open, and writes the
outcome in a second one, guarded by the fence. It does not know who calls it.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlmodel import Session

from bridge import ledger, sequence
from bridge.configuration import Pipeline
from bridge.errors import Declined, LeaseLost, Reason, Refused, Superseded, Unavailable
from bridge.kit.clock import Clock
from bridge.memory import recollect
from bridge.pause import stops
from bridge.pipeline import AFTERCARE, PIPELINE, Leg
from bridge.policy import ASK_LATE, LOOK_ANYWAY
from bridge.release import Release, Stage
from bridge.sentences import say
from bridge.steps.world import NOTHING, Done, Intend, Memory, Wait, World
from bridge.store import Store, releases, serving

log = structlog.get_logger()
Chance = Callable[[], float]
"""A random number from 0 up to 1."""
LEGS = {**PIPELINE, **AFTERCARE}
BUGS_UNTIL_PARKED = 5
CRASHES_UNTIL_PARKED = 20
FAILURES_UNTIL_TOLD = 5
STEP_WITHIN = 100.0
ASK_PARKED = timedelta(hours=1)


class Neighbourhood(Protocol):
    """Whoever can show a pipeline its world."""

    def world(
        self,
        pipeline: Pipeline,
        *,
        now: datetime,
        intend: Intend,
        memory: Memory = NOTHING,
    ) -> World:
        """The neighbours of `pipeline`, ready to be asked."""
        ...


class Reconciler:
    """Does the next thing for a release, and writes down what came of it."""

    def __init__(
        self,
        store: Store,
        pipelines: Iterable[Pipeline],
        around: Neighbourhood,
        clock: Clock,
        chance: Chance,
    ) -> None:
        self.pipelines = {pipeline.name: pipeline for pipeline in pipelines}
        self._store = store
        self._around = around
        self._clock = clock
        self._chance = chance

    async def advance(self, release: Release) -> None:
        """Run the step of a claimed release once, and write what came of it, bad news too."""
        try:
            await self._advance(release)
        except LeaseLost:
            log.warning("lease lost", release=release.id, version=release.version)

    async def _advance(self, release: Release) -> None:
        leg, pipeline = LEGS[release.stage], self.pipelines.get(release.pipeline)
        if pipeline is None:
            return await self._later(release, say("no_pipeline", name=release.pipeline), ASK_PARKED)

        deaths = release.attempts - 1
        more = deaths - CRASHES_UNTIL_PARKED
        if more >= 0 and more % 2 == 0:  # every other time it rests, and else it is tried once more
            reason = say("parked", attempts=deaths, what="the process died")
            return await self._later(release, reason, ASK_PARKED, attempts=release.attempts)

        async def intend(reason: Reason) -> None:
            def work(session: Session) -> None:
                row = releases.held(session, release)
                ledger.note(session, row, "intent", reason, self._clock())

            await self._store.write(work)

        now = self._clock()
        memory = await self._store.read(lambda session: recollect(session, release, now))
        if memory.pause and stops(release, builds=pipeline.deploy == "build"):
            return await self._later(release, memory.pause.reason, LOOK_ANYWAY)
        world = self._around.world(pipeline, now=self._clock(), intend=intend, memory=memory)
        try:
            async with asyncio.timeout(STEP_WITHIN):
                outcome = await leg.step(release, world)
        except LeaseLost:
            raise
        except Refused as refusal:
            learned = {**refusal.learned, "refused_because": refusal.reason.sentence}
            await self._move(release, _end_of(refusal, leg), refusal.reason, learned)
        except TimeoutError:
            slow = f"this step took longer than {STEP_WITHIN:.0f} s"
            await self._unavailable(release, Unavailable(slow))
        except Unavailable as error:
            await self._unavailable(release, error)
        except Exception as bug:
            log.exception("bug", release=release.id, stage=release.stage.value)
            await self._park_or_retry(release, bug)
        else:
            if isinstance(outcome, Done):
                await self._move(
                    release, leg.earns, outcome.because, outcome.learned, outcome.alarm
                )
            else:
                await self._wait(release, outcome)

    async def _move(
        self,
        release: Release,
        to: Stage,
        reason: Reason,
        learned: Mapping[str, object],
        alarm: Reason | None = None,
    ) -> None:
        def work(session: Session) -> None:
            now, row = self._clock(), releases.held(session, release)
            row.facts = row.facts.model_copy(update=dict(learned))
            releases.give_back(row, row.due_at)
            ledger.transit(session, row, to, reason, now)
            if alarm:
                ledger.note(session, row, "alarm", alarm, now)
            if to is Stage.ROLLED_BACK:
                serving.runs_again(session, row)
            if to.is_end:
                serving.wake_guards(session, row, now)
            if to is Stage.VERIFIED:
                sequence.hand_on(session, row, self.pipelines.values(), now)
            if Stage.ROLLING_BACK in (release.stage, to):
                sequence.hold(session, row, self.pipelines.values(), now)
            if to is Stage.PROPOSED:
                ledger.wake_older(session, row, now)
            elif release.stage in (Stage.CONFIRMED, Stage.PROPOSED):
                ledger.wake_confirmed(session, row, now)
            if to is Stage.MERGED:
                ledger.wake_merged(session, row, now)

        await self._store.write(work)

    async def _wait(
        self,
        release: Release,
        wait: Wait,
        *,
        attempts: int = 0,
        failures: int = 0,
        alarm: Reason | None = None,
    ) -> None:
        def work(session: Session) -> None:
            row, reason = releases.held(session, release), wait.because
            row.facts = row.facts.model_copy(update=dict(wait.learned))
            is_news = row.code != reason.code
            row.code, row.sentence = reason.code, reason.sentence
            if is_news:
                kind = "alarm" if wait.alarm else "note"
                ledger.note(session, row, kind, reason, self._clock())
            if alarm:
                ledger.note(session, row, "alarm", alarm, self._clock())
            row.attempts, row.failures, row.seen = attempts, failures, wait.seen
            releases.give_back(row, wait.until)
            session.add(row)

        await self._store.write(work)

    async def _later(
        self,
        release: Release,
        reason: Reason,
        wait: timedelta,
        *,
        attempts: int = 0,
        failures: int = 0,
    ) -> None:
        alarm = None
        if release.stage.is_end:  # what it ended with stays said
            if failures == FAILURES_UNTIL_TOLD or attempts == CRASHES_UNTIL_PARKED + 1:
                code = "revert_fails" if release.stage is Stage.ROLLED_BACK else "guard_fails"
                names = {"version": release.version, "attempts": failures or attempts - 1}
                alarm = say(code, why=reason.sentence, **names)
            reason = release.reason
        later = Wait(self._clock() + wait, reason)
        await self._wait(release, later, attempts=attempts, failures=failures, alarm=alarm)

    async def _unavailable(self, release: Release, error: Unavailable) -> None:
        """No answer: ask again, later each time, and not before the neighbour wants it.

        With full jitter: all who wait for one neighbour must not come back at once.
        Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        """
        failures = _in_a_row(release, "unavailable")
        backoff = self._chance() * min(2.0 ** min(failures, 10), ASK_LATE.total_seconds())
        wait = timedelta(seconds=max(backoff, error.retry_after or 0))
        wait = max(wait, _rest(release, failures))
        at = (self._clock() + wait).strftime("%H:%M:%S UTC")
        reason = say("unavailable", who=error, at=at)
        await self._later(release, reason, wait, failures=failures)

    async def _park_or_retry(self, release: Release, bug: Exception) -> None:
        what, failures = type(bug).__name__, _in_a_row(release, "hiccup", "parked")
        if failures >= BUGS_UNTIL_PARKED:
            reason = say("parked", attempts=failures, what=what)
            return await self._later(release, reason, ASK_PARKED, failures=failures)
        wait = max(timedelta(seconds=2**failures), _rest(release, failures))
        at = (self._clock() + wait).strftime("%H:%M:%S UTC")
        return await self._later(release, say("hiccup", what=what, at=at), wait, failures=failures)


def _in_a_row(release: Release, *codes: str) -> int:
    """How often the step has ended so, this time included. Deaths of the process do not count.

    An end goes on saying what it ended with, so there every failure counts.
    """
    return release.failures + 1 if release.stage.is_end or release.code in codes else 1


def _rest(release: Release, failures: int) -> timedelta:
    """How long at least what is left to do after an end rests: nothing else waits for it."""
    return ASK_LATE * 2 ** min(failures - 1, 3) if release.stage.is_end else timedelta()


def _end_of(refusal: Refused, leg: Leg) -> Stage:
    if isinstance(refusal, Declined):
        return Stage.DECLINED
    return Stage.SUPERSEDED if isinstance(refusal, Superseded) else leg.refused
