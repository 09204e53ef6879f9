"""Releases, lines, deliveries and notices as somebody turns them over, by any filters."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from packaging.utils import canonicalize_version
from sqlalchemy import Table
from sqlalchemy.orm import defer
from sqlmodel import Session, SQLModel, col, select

from bridge.delivery import Delivery, DeliveryState
from bridge.notice import Notice
from bridge.release import Release, Stage, Transition
from bridge.store.looks import ENDLESS, Part, Range, Turn, first_since, look

T = TypeVar("T")
TABLES = SQLModel.metadata.tables
OF_ONE_VERSION = 1_000
"""So many releases one version may have: one a pipeline."""


@dataclass(frozen=True)
class Asked:
    """What a list is asked for; None, or no text, is no filter. `since` and `until` are of when
    it was announced, or recorded."""

    pipeline: str | None = None
    stage: Stage | None = None
    actor: str | None = None
    version: str | None = None
    code: str | None = None
    kind: str | None = None
    release: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Rows(Generic[T]):
    """Rows, newest first, and where to go on from."""

    items: Sequence[T]
    part: Part


def releases(session: Session, asked: Asked, turn: Turn) -> Rows[Release]:
    """Of a pipeline, a stage, an actor (who moved it last), a version."""
    filters = _filters(
        pipeline=asked.pipeline,
        stage=asked.stage,
        actor=asked.actor,
        canonical=canonicalize_version(asked.version) if asked.version else None,
    )
    within = _between(session, TABLES["release"], "created_at", asked)
    part = look(session, TABLES["release"], filters, turn, within)
    query = select(Release).where(col(Release.id).in_(part.keys)).order_by(col(Release.id).desc())
    return Rows(session.exec(query).all(), part)


def lines(session: Session, asked: Asked, turn: Turn) -> Rows[tuple[Transition, str, str, str]]:
    """Of an actor, a code, a kind, a release, a version; each with pipeline, package, version."""
    filters = _filters(actor=asked.actor, code=asked.code, kind=asked.kind)
    if asked.version:
        canonical = canonicalize_version(asked.version)
        same = select(Release.id).where(Release.canonical == canonical).limit(OF_ONE_VERSION)
        filters["release_id"] = session.exec(same).all()
    if asked.release is not None:
        filters["release_id"] = [asked.release]
    within = _between(session, TABLES["transition"], "recorded_at", asked)
    part = look(session, TABLES["transition"], filters, turn, within)
    told = select(Transition, Release.pipeline, Release.package, Release.version)
    query = told.where(Transition.release_id == Release.id, col(Transition.seq).in_(part.keys))
    return Rows(session.exec(query.order_by(col(Transition.seq).desc())).all(), part)


def deliveries(session: Session, state: DeliveryState | None, turn: Turn) -> Rows[Delivery]:
    """What came in, without the bodies."""
    part = look(session, TABLES["delivery"], _filters(state=state), turn, Range())
    query = select(Delivery).where(col(Delivery.id).in_(part.keys))
    light = query.options(defer(Delivery.body))  # type: ignore[arg-type]  # a column, on the class
    return Rows(session.exec(light.order_by(col(Delivery.id).desc())).all(), part)


def notices(session: Session, state: DeliveryState | None, turn: Turn) -> Rows[Notice]:
    """What goes out."""
    part = look(session, TABLES["outbox"], _filters(state=state), turn, Range())
    query = select(Notice).where(col(Notice.id).in_(part.keys)).order_by(col(Notice.id).desc())
    return Rows(session.exec(query).all(), part)


def line_at(session: Session, moment: datetime) -> int:
    """The number of the last line that was recorded until then; 0 where there was none yet."""
    later = moment + timedelta(milliseconds=1)
    return first_since(session, TABLES["transition"], "recorded_at", later) - 1


def _filters(**told: object) -> dict[str, Sequence[object]]:
    return {name: [value] for name, value in told.items() if value not in (None, "")}


def _between(session: Session, table: Table, when: str, asked: Asked) -> Range:
    low = first_since(session, table, when, asked.since) if asked.since else 0
    high = first_since(session, table, when, asked.until) if asked.until else ENDLESS
    return Range(low, high)
