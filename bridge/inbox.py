"""Deliveries that wait: claim one, parse it, begin or wake the releases that it concerns."""

from collections.abc import Iterable
from datetime import timedelta

import structlog
from packaging.utils import canonicalize_name
from packaging.version import Version
from sqlalchemy import ColumnElement
from sqlmodel import Session, col

from bridge import ledger
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
from bridge.policy import Pipeline
from bridge.release import Release, Stage
from bridge.sources import SOURCES
from bridge.store import Store, deliveries, releases

log = structlog.get_logger()
LEASE = timedelta(seconds=12)
TRIES = 5
AT_ONCE = 50
ON_GITHUB = col(Release.stage).in_((Stage.CONFIRMED, Stage.PROPOSED))
ON_HEROKU = col(Release.stage).in_((Stage.MERGED, Stage.DEPLOYED, Stage.ROLLING_BACK))


class Inbox:
    """What was acknowledged is handled here, once, however often it came."""

    def __init__(self, store: Store, pipelines: Iterable[Pipeline], clock: Clock) -> None:
        self._store = store
        self._pipelines = list(pipelines)
        self._clock = clock

    async def drain(self) -> int:
        """Handle what is due; the number of deliveries taken."""
        claimed = await self._store.write(
            lambda session: deliveries.claim(session, self._clock(), LEASE, AT_ONCE)
        )
        for delivery in claimed:
            try:
                await self._handle(delivery)
            except LeaseLost:
                log.warning("lease lost", delivery=delivery.id)
        return len(claimed)

    async def _handle(self, delivery: Delivery) -> None:
        """A delivery that cannot be handled is tried again, then parked; it stops no other.

        One that kills the process is parked too: its attempts were counted before they were made.
        """
        if delivery.attempts > TRIES:
            return await self._park(delivery, f"no end after {TRIES} tries")
        try:
            event = SOURCES[delivery.source].parse((), delivery.body)
            await self._store.write(lambda session: self._apply(session, delivery, event))
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
        await self._store.write(
            lambda session: deliveries.finish(session, delivery, DeliveryState.PARKED, why)
        )

    def _apply(self, session: Session, delivery: Delivery, event: Event) -> None:
        told = self._tell(session, delivery, event)
        state = DeliveryState.HANDLED if told else DeliveryState.IGNORED
        quiet = event.because if isinstance(event, Nothing) else "no pipeline waits for this"
        deliveries.finish(session, delivery, state, "; ".join(told) or quiet)

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
                return self._wake(session, ON_GITHUB, col(Release.pipeline).in_(names))
            case AppChanged():
                apps = [p.app for p in self._pipelines if p.app == event.app]
                return self._wake(session, ON_HEROKU, col(Release.app).in_(apps))
            case _:
                return []
        return [
            ledger.begin(
                session, pipeline, told, by=delivery.source, now=now, delivery=delivery.key
            )
            for pipeline, told in concerned
        ]

    def _wake(self, session: Session, *where: ColumnElement[bool]) -> list[str]:
        count = releases.wake(session, self._clock(), *where)
        return [f"{count} woken"] if count else []


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
        ci=event.ci,
    )
