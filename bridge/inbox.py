"""Deliveries that wait: claim one, parse it, begin or wake the releases that it concerns."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import timedelta

import structlog
from packaging.utils import canonicalize_name
from packaging.version import Version
from sqlalchemy import ColumnElement
from sqlmodel import Session, col

from bridge import ledger, sequence
from bridge.configuration import Pipeline
from bridge.delivery import Delivery, DeliveryState
from bridge.errors import LeaseLost, Malformed
from bridge.event import (
    AppChanged,
    Event,
    Nothing,
    Published,
    RepositoryChanged,
    WorkflowEnded,
)
from bridge.kit.clock import Clock
from bridge.notify.tell import Teller
from bridge.release import Release, Stage
from bridge.sentences import say
from bridge.sources import SOURCES
from bridge.store import Store, deliveries, releases

log = structlog.get_logger()
LEASE = timedelta(seconds=12)
TRIES = 5
AT_ONCE = 50
PUT_OFF = 0.001
LEAST, LONGEST = 0.05, 2.0
ON_GITHUB = col(Release.stage).in_((Stage.CONFIRMED, Stage.PROPOSED, Stage.ROLLED_BACK))
ON_HEROKU = col(Release.stage).in_(
    (Stage.MERGED, Stage.DEPLOYED, Stage.ROLLING_BACK, Stage.VERIFIED)
)


class Inbox:
    """What was acknowledged is handled here, once, however often it came.

    Receiving goes first: both want the same interpreter and the same writer. What comes within a
    moment is handled together, and each delivery that comes beyond what one drain takes puts the
    next one off by a millisecond; never by more than LONGEST, so that a flood starves no release.
    """

    def __init__(
        self,
        store: Store,
        pipelines: Iterable[Pipeline],
        clock: Clock,
        teller: Teller | None = None,
    ) -> None:
        self._store = store
        self._pipelines = list(pipelines)
        self._clock = clock
        self._teller = teller
        self._came = 0
        self._rests_until = 0.0

    def heard(self) -> None:
        """A delivery came in."""
        self._came += 1

    def rest(self) -> float:
        """Seconds for which handling still makes way for receiving."""
        return max(self._rests_until - asyncio.get_running_loop().time(), 0.0)

    async def drain(self) -> int:
        """Handle what is due, but for a rest; the number of deliveries taken."""
        if self.rest():
            return 0
        taken = await self._drain()
        rest = min(max(self._came - AT_ONCE, 0) * PUT_OFF, LONGEST)
        if 0 < taken < AT_ONCE:
            rest = max(rest, LEAST)
        self._came, self._rests_until = 0, asyncio.get_running_loop().time() + rest
        return taken

    async def _drain(self) -> int:
        """Those that come for the first time are handled in one write; if that fails, each alone,
        so that only the culprit is held up."""
        claimed = await self._store.write(
            lambda session: deliveries.claim(session, self._clock(), LEASE, AT_ONCE)
        )
        alone = claimed
        if all(delivery.attempts == 1 for delivery in claimed):
            try:
                await self._handle_together(claimed)
                alone = []
            except Exception as error:  # noqa: BLE001 - each is handled alone, and told why there
                log.warning("one by one", count=len(claimed), error=type(error).__name__)
        for delivery in alone:
            try:
                await self._handle(delivery)
            except LeaseLost:
                log.warning("lease lost", delivery=delivery.id)
        return len(claimed)

    async def _handle_together(self, fresh: Sequence[Delivery]) -> None:
        if fresh:
            parsed = [SOURCES[delivery.source].parse((), delivery.body) for delivery in fresh]
            await self._write(fresh, parsed)

    async def _write(self, taken: Sequence[Delivery], events: Sequence[Event]) -> None:
        def work(session: Session) -> None:
            woken: dict[Event, list[str]] = {}  # to wake the same again changes nothing
            ends = []
            for delivery, event in zip(taken, events, strict=True):
                wakes = isinstance(event, RepositoryChanged | AppChanged)
                known = woken.get(event) if wakes else None
                told = self._tell(session, delivery, event) if known is None else known
                if wakes:
                    woken[event] = told
                ends.append(_end(delivery, event, told))
            deliveries.finish(session, ends)

        await self._store.write(work)

    async def _handle(self, delivery: Delivery) -> None:
        """A delivery that cannot be handled is tried again, then parked; it stops no other.

        One that kills the process is parked too: its attempts were counted before they were made.
        """
        if delivery.attempts > TRIES:
            return await self._park(delivery, f"no end after {TRIES} tries")
        try:
            event = SOURCES[delivery.source].parse((), delivery.body)
            await self._write([delivery], [event])
        except LeaseLost:
            raise
        except Malformed as error:
            await self._park(delivery, str(error))
        except Exception as bug:
            log.exception("bug", delivery=delivery.id, source=delivery.source)
            if delivery.attempts >= TRIES:
                await self._park(delivery, f"{type(bug).__name__} after {TRIES} tries")
            else:
                at = self._clock() + timedelta(seconds=2**delivery.attempts)
                said = type(bug).__name__
                await self._store.write(
                    lambda session: deliveries.retry(session, delivery, at, said)
                )

    async def _park(self, delivery: Delivery, why: str) -> None:
        end = deliveries.End(delivery, DeliveryState.PARKED, why)

        def work(session: Session) -> None:
            deliveries.finish(session, [end])
            if self._teller:
                self._teller.parked(session, delivery, why, self._clock())

        await self._store.write(work)

    def _tell(self, session: Session, delivery: Delivery, event: Event) -> list[str]:
        """Everything that the event begins or wakes, in sentences."""
        now = self._clock()
        match event:
            case Published():
                concerned = [
                    (pipeline, event)
                    for pipeline in self._pipelines
                    if pipeline.package == canonicalize_name(event.package)
                ]
            case WorkflowEnded():
                concerned = [
                    (pipeline, published)
                    for pipeline in self._pipelines
                    if (published := published_by(pipeline, event))
                ]
            case RepositoryChanged():
                names = [p.name for p in self._pipelines if p.repository == event.repository]
                if not names:
                    return []
                return self._wake(session, ON_GITHUB, col(Release.pipeline).in_(names))
            case AppChanged():
                apps = [p.app for p in self._pipelines if p.app == event.app]
                return self._wake(session, ON_HEROKU, col(Release.app).in_(apps))
            case _:
                return []
        return [
            ledger.begin(
                session,
                pipeline,
                told,
                by=delivery.source,
                now=now,
                delivery=delivery.key,
                heard_at=delivery.received_at,
            )
            for pipeline, told in concerned
            if sequence.takes(session, pipeline, told.version)
        ]

    def _wake(self, session: Session, *where: ColumnElement[bool]) -> list[str]:
        count = releases.wake(session, self._clock(), *where)
        if not count:
            return []
        told = say("woke_one") if count == 1 else say("woke_some", count=count)
        return [told.sentence]


def _end(delivery: Delivery, event: Event, told: Sequence[str]) -> deliveries.End:
    state = DeliveryState.HANDLED if told else DeliveryState.IGNORED
    quiet = event.because if isinstance(event, Nothing) else say("woke_none").sentence
    return deliveries.End(delivery, state, " ".join(told) or quiet)


def published_by(pipeline: Pipeline, event: WorkflowEnded) -> Published | None:
    """What a workflow that ended well on a version tag has published for this pipeline, if it is
    the pipeline's own. Pure."""
    job = pipeline.circleci
    if job is None or job.workflow != event.workflow:
        return None
    if job.slug != event.project:
        return None
    if not event.succeeded or not event.tag:
        return None
    try:
        version = Version(event.tag.removeprefix("v"))
    except ValueError:
        return None
    return Published(
        occurred_at=event.occurred_at,
        package=pipeline.package,
        version=str(version),
        commit=event.commit,
        tag=event.tag,
        tagged_at=event.tagged_at,
        ci=event.ci,
    )
