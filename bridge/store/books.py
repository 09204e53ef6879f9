"""What is kept beside the record so that nobody has to read all of it: what serves, and counts.

It is written in the transaction of the line that it comes from.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, bindparam, text
from sqlmodel import Session, col, func, select

from bridge.columns import as_read_back
from bridge.pause import EVERYTHING
from bridge.release import Release, Stage, Transition
from bridge.served import Served, Told, after
from bridge.tally import CAME, Count, Tally, counted, day_of

ADD = text(
    "INSERT INTO tally (pipeline, what, day, bucket, count) "
    "VALUES (:pipeline, :what, :day, :bucket, :count) "
    "ON CONFLICT (pipeline, what, day, bucket) DO UPDATE SET count = tally.count + excluded.count"
)
LAST = (  # statements that every line asks are built once
    select(Served)
    .where(Served.pipeline == bindparam("pipeline"))
    .order_by(col(Served.seq).desc())
    .limit(1)
)
LINES_OF = (
    select(Transition.kind, Transition.recorded_at)
    .where(Transition.release_id == bindparam("release"))
    .order_by(col(Transition.seq).desc())
)
"""The last ones first. Which of them are moves is not asked: SQLite would look for the release
among all moves."""


def keep(session: Session, release: Release, line: Transition) -> None:
    """Keep what the line changes; it is not in the record yet."""
    tells, before = told(release, line), last(session, release.pipeline)
    since = None
    if line.kind == "move" and line.from_stage:
        lines = session.exec(LINES_OF, params={"release": line.release_id})
        since = next((at for kind, at in lines if kind == "move"), None)
    began = as_read_back(release.created_at)
    _add(session.connection(), counted(tells, since, began, before))
    if found := after(before, tells):
        session.add(found)


def last(session: Session, pipeline: str) -> Served | None:
    """What serves in a pipeline now."""
    return session.exec(LAST, params={"pipeline": pipeline}).first()


def by_day(
    session: Session, pipeline: str | None, what: Sequence[str], first: date, last: date
) -> Sequence[tuple[str, str, int, int]]:
    """What was counted of a pipeline, or of all: what, day, bucket, count."""
    columns = select(Tally.what, Tally.day, Tally.bucket, Tally.count)
    return session.exec(columns.where(*_of(pipeline, what, first, last))).all()


def together(
    session: Session, pipeline: str | None, what: Sequence[str], first: date, last: date
) -> Sequence[tuple[str, int, int]]:
    """The same of all days: what, bucket, count."""
    columns = select(Tally.what, Tally.bucket, func.sum(Tally.count))
    counted = columns.where(*_of(pipeline, what, first, last))
    counted = counted.group_by(Tally.what, col(Tally.bucket))
    return [(name, number, int(count)) for name, number, count in session.exec(counted)]


def _of(
    pipeline: str | None, what: Sequence[str], first: date, last: date
) -> tuple[ColumnElement[bool], ...]:
    days = col(Tally.day).between(first.isoformat(), last.isoformat())
    whose = col(Tally.pipeline) == (pipeline or EVERYTHING)
    return whose, col(Tally.what).in_(what), days


def came(connection: Connection, kept: Mapping[str, int], at: datetime) -> None:
    """So many deliveries of each source were kept, all at about this time."""
    day = day_of(at)
    _add(connection, {Count(EVERYTHING, CAME + one, day, 0): kept[one] for one in kept})


def total(session: Session, *what: str) -> dict[str, int]:
    """How often each of these ever happened, in all pipelines."""
    rows = session.exec(
        select(Tally.what, func.sum(Tally.count))
        .where(Tally.pipeline == EVERYTHING, col(Tally.what).in_(what), Tally.bucket == 0)
        .group_by(Tally.what)
    )
    return {name: int(count) for name, count in rows}


def _add(connection: Connection, counts: Iterable[Count]) -> None:
    """So many more of each."""
    rows = [{**one._asdict(), "count": count} for one, count in Counter(counts).items()]
    if rows:
        connection.execute(ADD, rows)


def told(release: Release, line: Transition) -> Told:
    """A line with whose it is, as the pure part reads it."""
    rolled = line.evidence.root.get("rollback")
    put_back = rolled.get("to") if isinstance(rolled, dict) else None
    tagged_at = line.evidence.root.get("tagged_at") if line.to_stage == Stage.VERIFIED else None
    return Told(
        line.seq or 0,
        line.release_id,
        release.pipeline,
        release.version,
        line.kind,
        line.from_stage,
        line.to_stage,
        line.code,
        as_read_back(line.recorded_at),
        str(put_back) if put_back else None,
        datetime.fromisoformat(str(tagged_at)) if tagged_at else None,
    )
