"""What is new on the record, with the release that each line is about."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from bridge.release import Release, Transition
from bridge.store import record


@dataclass(frozen=True)
class News:
    """One line of the record and whose it is."""

    seq: int
    line: Transition
    pipeline: str
    package: str
    version: str


def after(session: Session, seq: int, limit: int) -> Sequence[News]:
    """The lines that follow `seq`, oldest first."""
    rows = session.exec(
        select(Transition, Release.pipeline, Release.package, Release.version)
        .join(Release, col(Release.id) == col(Transition.release_id))
        .where(col(Transition.seq) > seq)
        .order_by(col(Transition.seq))
        .limit(limit)
    )
    return [News(line.seq or 0, line, *whose) for line, *whose in rows]


def newest(session: Session) -> int:
    """The number of the last line; 0 for an empty record."""
    seq, _ = session.exec(record.END).first() or (0, "")
    return seq or 0
