"""What every pipeline shows of itself now, in a few statements for all of them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import TextClause, text, tuple_
from sqlmodel import Session, col, func, select

from bridge.delivery import Delivery, DeliveryState
from bridge.release import ENDS, Release, Stage, Transition
from bridge.served import Served
from bridge.store.looks import ENDLESS

OPEN = tuple(stage for stage in Stage if stage not in ENDS)
NOT_ARRIVED = (Stage.FAILED, Stage.ROLLED_BACK)
SHOWN = 5
"""So many releases of a pipeline and a stage are shown on their way, the latest first."""
COUNTED = 1_000
Moves = list[tuple[str, datetime]]
"""Stages, each with when it was earned."""
COLUMNS = {"asked": "name", "standing": "stage"}
SERVED = (
    "SELECT name, (SELECT max(seq) FROM served WHERE pipeline = name AND seq <= :seq) FROM asked"
)
FOLLOWING = (
    "SELECT name, (SELECT min(seq) FROM served WHERE pipeline = name AND seq > :seq) FROM asked"
)
LATEST = {
    "sqlite": """
SELECT id, pipeline, since FROM asked CROSS JOIN standing JOIN release ON id IN (
  SELECT one.id FROM release AS one WHERE one.pipeline = name AND one.stage = standing.stage
  ORDER BY one.since DESC LIMIT :count)
""",
    "postgresql": """
SELECT found.id, name, found.since FROM asked CROSS JOIN standing CROSS JOIN LATERAL (
  SELECT one.id, one.since FROM release AS one
  WHERE one.pipeline = name AND one.stage = standing.stage
  ORDER BY one.since DESC LIMIT :count) AS found
""",
}


def served(session: Session, pipelines: Sequence[str], seq: int = ENDLESS) -> dict[str, Served]:
    """What served in each when line `seq` was the last."""
    return _changes(session, SERVED, pipelines, seq)


def following(session: Session, pipelines: Sequence[str], seq: int) -> dict[str, Served]:
    """What served next in each, after line `seq`."""
    return _changes(session, FOLLOWING, pipelines, seq)


def lines(session: Session, changes: Iterable[Served]) -> dict[int, Transition]:
    """The lines that they come from."""
    seqs = [one.seq for one in changes]
    rows = session.exec(select(Transition).where(col(Transition.seq).in_(seqs)))
    return {row.seq or 0: row for row in rows}


def under_way(session: Session, pipelines: Sequence[str]) -> Sequence[Release]:
    """Open releases of each, the furthest first, then the latest; no more than SHOWN a stage."""
    rows = _load(session, [key for key, _, _ in _latest(session, pipelines, OPEN, SHOWN)])
    return sorted(rows, key=lambda row: (-OPEN.index(row.stage), -row.key))


def failed_last(session: Session, pipelines: Sequence[str]) -> dict[str, Release]:
    """The release of each pipeline that failed, or was rolled back, last."""
    found = sorted(_latest(session, pipelines, NOT_ARRIVED, 1), key=lambda one: one[2])
    last = {pipeline: key for key, pipeline, _ in found}
    return {row.pipeline: row for row in _load(session, list(last.values()))}


def moves(session: Session, releases: Sequence[int]) -> dict[int, Moves]:
    """When each of these releases came to its stages, in order."""
    columns = select(
        Transition.release_id, Transition.kind, Transition.to_stage, Transition.recorded_at
    )
    # All their lines, not the moves among them: SQLite would look for those among all moves.
    every = columns.where(col(Transition.release_id).in_(releases)).order_by(col(Transition.seq))
    found: defaultdict[int, Moves] = defaultdict(list)
    for release, kind, to, at in session.exec(every):
        if kind == "move":
            found[release].append((to, at))
    return found


def parked(session: Session) -> int:
    """How many deliveries wait for a person; COUNTED is so many or more."""
    some = select(Delivery.id).where(Delivery.state == DeliveryState.PARKED).limit(COUNTED)
    return session.exec(select(func.count()).select_from(some.subquery())).one()


def _changes(session: Session, query: str, pipelines: Sequence[str], seq: int) -> dict[str, Served]:
    statement, words = _of(query, asked=pipelines)
    found = [tuple(row) for row in session.execute(statement, {**words, "seq": seq})]
    key = tuple_(col(Served.pipeline), col(Served.seq))
    return {one.pipeline: one for one in session.exec(select(Served).where(key.in_(found)))}


def _latest(
    session: Session, pipelines: Sequence[str], stages: Sequence[Stage], count: int
) -> list[tuple[int, str, str]]:
    """The ones that came to each of these stages last: id, pipeline and since when. Each is found
    by `release_stage`."""
    latest = LATEST[session.get_bind().dialect.name]
    query, words = _of(latest, asked=pipelines, standing=[stage.value for stage in stages])
    rows = session.execute(query, {**words, "count": count})
    return [(key, pipeline, since) for key, pipeline, since in rows]


def _load(session: Session, keys: Sequence[int]) -> Sequence[Release]:
    return session.exec(select(Release).where(col(Release.id).in_(keys))).all()


def _of(query: str, **lists: Sequence[str]) -> tuple[TextClause, dict[str, object]]:
    """The query with a table for each of these lists; SQLAlchemy's own do not work on SQLite."""
    words = {f"{name}{number}": one for name in lists for number, one in enumerate(lists[name])}
    tables = []
    for name, values in lists.items():
        rows = ", ".join(f"(:{name}{number})" for number in range(len(values)))
        tables.append(f"{name}({COLUMNS[name]}) AS (VALUES {rows})")
    return text(f"WITH {', '.join(tables)} {query}"), dict(words)
