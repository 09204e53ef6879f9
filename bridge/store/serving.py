"""The queries of what serves and what served before."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from bridge.release import Release, Stage
from bridge.store import releases

AS_MANY = 30
"""Heroku shows no more of its releases at once."""
UNDER_WAY = (Stage.MERGED, Stage.DEPLOYED, Stage.ROLLING_BACK)


def verified(session: Session, release: Release) -> Sequence[Release]:
    """The pipeline's other verified releases, the latest first."""
    return session.exec(
        select(Release)
        .where(
            Release.pipeline == release.pipeline,
            Release.stage == Stage.VERIFIED,
            col(Release.id) != release.id,
        )
        .order_by(col(Release.since).desc())
        .limit(AS_MANY)
    ).all()


def failed(session: Session, release: Release) -> Sequence[Release]:
    """The app's releases that failed after this one was verified, the latest first."""
    return session.exec(
        select(Release)
        .where(
            Release.app == release.app,
            Release.stage == Stage.FAILED,
            col(Release.since) >= release.since,
        )
        .order_by(col(Release.since).desc())
        .limit(AS_MANY)
    ).all()


def under_way(session: Session, release: Release) -> bool:
    """Whether another version is being put on the same app, or taken off it."""
    others = select(Release).where(
        Release.app == release.app,
        col(Release.stage).in_(UNDER_WAY),
        col(Release.id) != release.id,
    )
    return any(other.is_deploying for other in session.exec(others))


def wake_guards(session: Session, release: Release, now: datetime) -> None:
    """Let the app's verified and failed releases that are looked after see what became of this one;
    where it does not serve, the pipeline's last one is looked after again."""
    verified_last = releases.latest(session, release.pipeline, Stage.VERIFIED)
    if verified_last and verified_last.id != release.id and verified_last.due_at is None:
        verified_last.due_at = now
        session.add(verified_last)
        session.flush()
    where = col(Release.app) == release.app, col(Release.id) != release.id
    releases.wake(session, now, col(Release.stage).in_((Stage.VERIFIED, Stage.FAILED)), *where)


def runs_again(session: Session, row: Release) -> None:
    """Write down by which Heroku release the version runs now that was put back for this one."""
    rolled = row.facts.rollback
    back = releases.of_version(session, row.pipeline, rolled.to) if rolled and rolled.to else None
    if rolled is None or back is None or back.facts.heroku is None:
        return
    told = {"build": rolled.build, "release": rolled.release, "slug": rolled.slug}
    known = {name: value for name, value in told.items() if value is not None}
    heroku = back.facts.heroku.model_copy(update=known)
    back.facts = back.facts.model_copy(update={"heroku": heroku})
    session.add(back)


def take(row: Release) -> None:
    """Take the row from whoever works on it: what that one writes then is not written."""
    row.fence += 1
    row.claimed_by = row.claimed_until = None
