"""The releases' queries: find, claim, wake."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache

from packaging.utils import canonicalize_name, canonicalize_version
from sqlalchemy import ColumnElement, bindparam, case, literal
from sqlalchemy.orm import aliased
from sqlmodel import Session, and_, col, func, or_, select, update
from sqlmodel.sql.expression import SelectOfScalar

from bridge.columns import Moment
from bridge.errors import LeaseLost
from bridge.release import Release, Stage, Transition
from bridge.store.postgresql import ring

other = aliased(Release)
LANE_IS_FREE = ~(
    select(col(other.id))
    .where(
        other.app == Release.app,
        other.id != Release.id,
        or_(
            col(other.stage).in_([Stage.DEPLOYED, Stage.ROLLING_BACK]),
            and_(
                col(other.stage) == Stage.MERGED,
                or_(
                    col(other.since) < col(Release.since),
                    and_(col(other.since) == col(Release.since), col(other.id) < col(Release.id)),
                ),
            ),
        ),
    )
    .exists()
)
"""One deployment per app at a time: a merged release waits while another one of its app is under
way, or was merged before it."""

LAST_LINE = (
    select(Transition.kind)
    .where(Transition.release_id == Release.id)
    .order_by(col(Transition.seq).desc())
    .limit(1)
    .correlate(Release)
    .scalar_subquery()
)
CLAIMABLE = or_(col(Release.stage) != Stage.MERGED, LANE_IS_FREE)
SHARE = 6
"""So many releases of one repository are under way in one process, of `worker.AT_ONCE`."""
LATEST = (  # statements that are asked for at every step are built once
    select(Release)
    .where(Release.pipeline == bindparam("pipeline"), Release.stage == bindparam("stage"))
    .order_by(col(Release.since).desc())
    .limit(1)
)
UNCLAIMED = col(Release.claimed_until).is_(None)
DUE, LAPSE = col(Release.due_at), col(Release.claimed_until)
FIRST_DUE = select(DUE).where(DUE.is_not(None), UNCLAIMED, CLAIMABLE).order_by(DUE).limit(1)
FIRST_LAPSE = select(LAPSE).where(LAPSE.is_not(None)).order_by(LAPSE).limit(1)


def claim(
    session: Session,
    now: datetime,
    worker: str,
    lease: timedelta,
    limit: int,
    repositories: Mapping[str, str] | None = None,
) -> Sequence[Release]:
    """Due releases whose lane is free, longest due first. Each gets a lease and a higher fence.

    A release that is woken while a worker holds it stays with that worker; one whose lease has
    lapsed is simply due again. `repositories` are those of the pipelines, by name: each one's
    first comes before any other's second, and none has more than its SHARE under way.
    """
    asked = {"now": now, "worker": worker, "limit": limit}
    first = _first(tuple((repositories or {}).items()))
    ids = session.exec(first, params=asked).all()
    if not ids:
        return []
    taken = session.scalars(
        update(Release)
        .where(col(Release.id).in_(ids))
        .values(
            claimed_by=worker,
            claimed_until=now + lease,
            due_at=now + lease,
            fence=Release.fence + 1,
            attempts=Release.attempts + 1,
        )
        .returning(Release)
        .execution_options(synchronize_session=False)
    )
    return taken.all()


@cache
def _first(repositories: tuple[tuple[str, str], ...]) -> SelectOfScalar[int | None]:
    """The query of a claim, built once: that takes longer than to run it."""
    name = col(Release.pipeline)
    whose = case(dict(repositories), value=name, else_=name) if repositories else name
    lapsed = or_(UNCLAIMED, col(Release.claimed_until) <= bindparam("now"))
    order = col(Release.due_at), col(Release.id)
    turn = func.row_number().over(partition_by=whose, order_by=(lapsed, *order)).label("turn")
    mine = and_(col(Release.claimed_by) == bindparam("worker"), ~lapsed)
    due = and_(col(Release.due_at) <= bindparam("now"), lapsed, CLAIMABLE)
    line = select(Release.id, turn, lapsed.label("free")).where(or_(mine, due)).subquery()
    chosen = (
        select(Release.id)
        .join(line, line.c.id == Release.id)
        .where(line.c.free, line.c.turn <= SHARE)
        .order_by(line.c.turn, *order)
        .limit(bindparam("limit"))
    )
    ids = select(col(Release.id)).where(col(Release.id).in_(chosen))
    return ids.with_for_update(skip_locked=True)


def renew(session: Session, claimed: Iterable[Release], until: datetime) -> None:
    """Lengthen the leases that are still held. A wake that came meanwhile stays one."""
    for release in claimed:
        session.execute(
            update(Release)
            .where(
                col(Release.id) == release.id,
                col(Release.fence) == release.fence,
                col(Release.claimed_by) == release.claimed_by,
            )
            .values(
                claimed_until=until,
                due_at=case(
                    (col(Release.due_at) == col(Release.claimed_until), literal(until, Moment)),
                    else_=col(Release.due_at),
                ),
            )
            .execution_options(synchronize_session=False)
        )


def held(session: Session, release: Release) -> Release:
    """The row as it is now, still held by whoever claimed `release`; raises LeaseLost."""
    row = session.get_one(Release, release.id)
    if row.fence != release.fence or row.claimed_by != release.claimed_by:
        raise LeaseLost(f"release {release.id}")
    return row


def give_back(row: Release, due_at: datetime | None) -> None:
    """End the lease. A wake that came meanwhile is not slept over."""
    woken = row.due_at if row.due_at != row.claimed_until else None
    due_at = min((moment for moment in (due_at, woken) if moment), default=None)
    row.due_at, row.claimed_by, row.claimed_until = due_at, None, None


def wake(session: Session, now: datetime, *where: ColumnElement[bool]) -> int:
    """Make releases that are looked at again due now; the count of them."""
    ring(session.connection())
    result = session.execute(
        update(Release)
        .where(DUE.is_not(None), *where)
        .values(due_at=now)
        .execution_options(synchronize_session=False)
    )
    return int(getattr(result, "rowcount", 0))


def next_due(session: Session) -> datetime | None:
    """When the next release that can be claimed wants attention, or the next lease lapses.

    Each is the first of an index: a minimum would look at every release that waits.
    """
    moments = (session.exec(first).first() for first in (FIRST_DUE, FIRST_LAPSE))
    return min((moment for moment in moments if moment is not None), default=None)


def waiting(
    session: Session, pipelines: Sequence[str], stage: Stage, now: datetime, limit: int
) -> Sequence[Release]:
    """Releases that wait to be told of a change, the latest first."""
    return session.exec(
        select(Release)
        .where(
            Release.stage == stage,
            col(Release.pipeline).in_(pipelines),
            col(Release.seen).is_not(None),
            UNCLAIMED,
            col(Release.due_at) > now,
        )
        .order_by(col(Release.since).desc())
        .limit(limit)
    ).all()


def still_waiting(session: Session, identifier: int, fence: int, now: datetime) -> Release | None:
    """A release that nobody has claimed or woken since it had this fence."""
    row = session.get_one(Release, identifier)
    sleeps = row.claimed_until is None and row.due_at is not None and row.due_at > now
    return row if sleeps and row.fence == fence else None


def take_back(session: Session, now: datetime, worker: str | None = None) -> None:
    """What `worker` has claimed is free and due now; without a worker, everything that is open.

    The latter is for the start of a lone process: nobody else works, and webhooks were missed.
    Whoever was stopped after an intent may have a request under way that the neighbour does not
    list yet, and looking now would do it twice: that release stays claimed until its lease lapses.
    """
    whose = [col(Release.claimed_by) == worker] if worker else []
    whose.append(or_(UNCLAIMED, LAST_LINE != "intent"))
    session.execute(
        update(Release)
        .where(DUE.is_not(None), *whose)
        .values(due_at=now, claimed_by=None, claimed_until=None)
        .execution_options(synchronize_session=False)
    )


def of_version(session: Session, pipeline: str, version: str) -> Release | None:
    """The release of one version, however it is spelled, if there ever was one."""
    canonical = canonicalize_version(version)
    return session.exec(
        select(Release).where(Release.pipeline == pipeline, Release.canonical == canonical)
    ).first()


def latest(session: Session, pipeline: str, stage: Stage) -> Release | None:
    """The release of a pipeline that came to stand at `stage` last."""
    return session.exec(LATEST, params={"pipeline": pipeline, "stage": stage}).first()


def versions(session: Session, pipeline: str, *stages: Stage) -> Sequence[str]:
    """Every version that ever had a release, or those that stand at one of `stages`."""
    at = [col(Release.stage).in_(stages)] if stages else []
    return session.exec(select(Release.version).where(Release.pipeline == pipeline, *at)).all()


def newest(session: Session, limit: int, before: int | None = None) -> Sequence[Release]:
    """Releases, newest first; `before` is the id of the last one seen."""
    query = select(Release).order_by(col(Release.id).desc()).limit(limit)
    if before is not None:
        query = query.where(col(Release.id) < before)
    return session.exec(query).all()


def find(session: Session, package: str, version: str) -> Sequence[Release]:
    """One version's releases, one a pipeline, however package and version are spelled."""
    name, canonical = canonicalize_name(package), canonicalize_version(version)
    return session.exec(
        select(Release)
        .where(Release.package == name, Release.canonical == canonical)
        .order_by(Release.pipeline)
    ).all()
