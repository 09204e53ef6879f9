"""What every pipeline shows of itself now, in a few statements for all of them."""

from collections.abc import Sequence

from sqlalchemy import TextClause, text, tuple_
from sqlmodel import Session, col, func, select

from bridge.delivery import Delivery, DeliveryState
from bridge.release import ENDS, Release, Stage, Transition
from bridge.served import Served

OPEN = tuple(stage for stage in Stage if stage not in ENDS)
NOT_ARRIVED = (Stage.FAILED, Stage.ROLLED_BACK)
SHOWN = 5
"""So many releases of a pipeline and a stage are shown on their way, the latest first."""
COUNTED = 1_000
COLUMNS = {"asked": "name", "standing": "stage"}
SERVED = """
SELECT name, (SELECT max(seq) FROM served WHERE pipeline = name) AS seq FROM asked
"""
LATEST = {
    "sqlite": """
SELECT id FROM asked CROSS JOIN standing JOIN release ON id IN (
  SELECT one.id FROM release AS one WHERE one.pipeline = name AND one.stage = standing.stage
  ORDER BY one.since DESC LIMIT :count)
""",
    "postgresql": """
SELECT found.id FROM asked CROSS JOIN standing CROSS JOIN LATERAL (
  SELECT one.id FROM release AS one WHERE one.pipeline = name AND one.stage = standing.stage
  ORDER BY one.since DESC LIMIT :count) AS found
""",
}


def served(session: Session, pipelines: Sequence[str]) -> dict[str, Served]:
    """The last change of what serves, of each."""
    found = [tuple(row) for row in session.execute(*_of(SERVED, asked=pipelines))]
    key = tuple_(col(Served.pipeline), col(Served.seq))
    return {one.pipeline: one for one in session.exec(select(Served).where(key.in_(found)))}


def under_way(session: Session, pipelines: Sequence[str]) -> Sequence[Release]:
    """Open releases of each, the furthest first, then the latest; no more than SHOWN a stage."""
    rows = _latest(session, pipelines, OPEN, SHOWN)
    return sorted(rows, key=lambda row: (-OPEN.index(row.stage), -row.key))


def failed_last(session: Session, pipelines: Sequence[str]) -> dict[str, Release]:
    """The release of each pipeline that failed, or was rolled back, last."""
    rows = _latest(session, pipelines, NOT_ARRIVED, 1)
    return {row.pipeline: row for row in sorted(rows, key=lambda row: row.since)}


def moves(session: Session, releases: Sequence[int]) -> Sequence[Transition]:
    """When these releases came to their stages, in order."""
    query = select(Transition).where(
        col(Transition.release_id).in_(releases), Transition.kind == "move"
    )
    return session.exec(query.order_by(col(Transition.seq))).all()


def parked(session: Session) -> int:
    """How many deliveries wait for a person; COUNTED is so many or more."""
    some = select(Delivery.id).where(Delivery.state == DeliveryState.PARKED).limit(COUNTED)
    return session.exec(select(func.count()).select_from(some.subquery())).one()


def _latest(
    session: Session, pipelines: Sequence[str], stages: Sequence[Stage], count: int
) -> Sequence[Release]:
    """The ones that came to each of these stages last; each is found by `release_stage`."""
    latest = LATEST[session.get_bind().dialect.name]
    query, words = _of(latest, asked=pipelines, standing=[stage.value for stage in stages])
    found = session.scalars(query, {**words, "count": count}).all()
    return session.exec(select(Release).where(col(Release.id).in_(found))).all()


def _of(query: str, **lists: Sequence[str]) -> tuple[TextClause, dict[str, object]]:
    """The query with a table for each of these lists; SQLAlchemy's own do not work on SQLite."""
    words = {f"{name}{number}": one for name in lists for number, one in enumerate(lists[name])}
    tables = []
    for name, values in lists.items():
        rows = ", ".join(f"(:{name}{number})" for number in range(len(values)))
        tables.append(f"{name}({COLUMNS[name]}) AS (VALUES {rows})")
    return text(f"WITH {', '.join(tables)} {query}"), dict(words)
