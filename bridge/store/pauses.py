"""What a person has paused."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, func, select

from bridge.pause import EVERYTHING, Pause
from bridge.release import ENDS, Release


def of(session: Session, pipeline: str) -> Pause | None:
    """What stops this pipeline: a pause of everything, or its own."""
    return session.get(Pause, EVERYTHING) or session.get(Pause, pipeline)


def all_of_them(session: Session) -> Sequence[Pause]:
    """Every pause that holds, the oldest first."""
    return session.exec(select(Pause).order_by(col(Pause.since), col(Pause.pipeline))).all()


def begin(session: Session, pipeline: str, *, who: str, why: str, now: datetime) -> None:
    """From now on."""
    session.add(Pause(pipeline=pipeline, who=who, why=why, since=now))


def end(session: Session, pipeline: str) -> None:
    """No longer."""
    if pause := session.get(Pause, pipeline):
        session.delete(pause)


def concerned(session: Session, pipelines: Sequence[str]) -> Sequence[Release]:
    """Every open release of these pipelines, and the newest of each that has none."""
    mine = col(Release.pipeline).in_(pipelines)
    opened = session.exec(select(Release).where(mine, col(Release.stage).not_in(ENDS))).all()
    others = set(pipelines) - {row.pipeline for row in opened}
    newest = select(func.max(Release.id)).where(col(Release.pipeline).in_(others))
    last = select(Release).where(col(Release.id).in_(newest.group_by(Release.pipeline)))
    return [*opened, *session.exec(last).all()]
