"""A person's word about a version that shall not serve: quarantine it, lift that, roll it back.

Like every act of a person each is a delivery of source `operator`, and a line of the record.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import JsonValue
from sqlmodel import Session, col

from bridge import ledger
from bridge.columns import written
from bridge.errors import Reason, Refused
from bridge.facts import Quarantine, Rollback
from bridge.operator import keep, of_version
from bridge.person import Who, actor
from bridge.quarantine import quarantined
from bridge.release import UNMERGED, Release, Stage
from bridge.sentences import say
from bridge.store import record, releases, serving

WAIT_FOR_OTHERS = (*UNMERGED, Stage.ROLLED_BACK)
"""Where a release looks at another one's quarantine: that of a newer one, or of what runs again."""


def may_quarantine(
    session: Session, package: str, version: str, until: datetime | None, *, who: Who, why: str
) -> Reason:
    """What it would do, in a sentence; raises Refused where the version was never heard of."""
    row = of_version(session, package, version)[0]
    end = f" until {written(until)}" if until else ""
    return say("quarantine", who=who, package=row.package, version=row.version, until=end, why=why)


def quarantine(
    session: Session,
    package: str,
    version: str,
    until: datetime | None,
    *,
    who: Who,
    why: str,
    now: datetime,
) -> Reason:
    """Put the version into quarantine in every pipeline; raises Refused.

    What serves goes on serving: to take it out of production is a rollback.
    """
    reason = may_quarantine(session, package, version, until, who=who, why=why)
    held = Quarantine(by=str(who), why=why, since=now, until=until)
    rows = of_version(session, package, version)
    _set(session, "quarantine", rows, held, reason, who=who, why=why, now=now)
    return reason


def may_lift(
    session: Session, package: str, version: str, *, who: Who, why: str, now: datetime
) -> Reason:
    """What it would do, in a sentence; raises Refused where there is no quarantine."""
    row = _held(session, package, version, now)[0]
    return say("quarantine_lifted", who=who, package=row.package, version=row.version, why=why)


def lift(
    session: Session, package: str, version: str, *, who: Who, why: str, now: datetime
) -> Reason:
    """End the quarantine: the version may go on, or be tried again; raises Refused."""
    reason = may_lift(session, package, version, who=who, why=why, now=now)
    rows = _held(session, package, version, now)
    _set(session, "release-quarantine", rows, None, reason, who=who, why=why, now=now)
    return reason


def may_roll_back(
    session: Session, package: str, version: str, *, who: Who, why: str, now: datetime
) -> Reason:
    """What it would do, in a sentence; raises Refused where no pipeline can."""
    rows, left = _serving(session, package, version, now)
    return _asked(rows[0], left, who=who, why=why)


def roll_back(
    session: Session, package: str, version: str, *, who: Who, why: str, now: datetime
) -> Reason:
    """Put the version verified before back, in every pipeline where this one serves, whatever the
    policy says of rolling back, and can go back; raises Refused where none can."""
    rows, left = _serving(session, package, version, now)
    told: dict[str, JsonValue] = {"package": rows[0].package, "version": rows[0].version}
    answer = _asked(rows[0], left, who=who, why=why)
    kept = keep(session, "rollback", told, answer, who=who, why=why, now=now)
    for row in rows:
        reason = _asked(row, {}, who=who, why=why)
        asked = {"rollback": Rollback(asked_by=str(who)), "refused_because": reason.sentence}
        row.facts = row.facts.model_copy(update=asked)
        serving.take(row)
        ledger.transit(
            session, row, Stage.ROLLING_BACK, reason, now, actor=actor(who), delivery=kept.key
        )
    return answer


def _asked(row: Release, left: Mapping[str, Reason], *, who: Who, why: str) -> Reason:
    """What a person asked for, and why it does not happen in the pipelines `left`."""
    names = {"package": row.package, "version": row.version}
    told = "".join(f". Not in {name}: {reason.sentence}" for name, reason in left.items())
    return say("rollback_asked", who=who, why=why, left=told, **names)


def _serving(
    session: Session, package: str, version: str, now: datetime
) -> tuple[Sequence[Release], Mapping[str, Reason]]:
    """Those that serve (verified last, or deployed, or failed only after that) and can go back, and
    why others cannot, by pipeline; raises Refused where none can."""
    found = of_version(session, package, version)
    rows = [row for row in found if _serves(session, row)]
    names = {"package": found[0].package, "version": found[0].version}
    if not rows:
        raise Refused(say("not_serving", **names))
    left = dict[str, Reason]()
    for row in rows:
        if all(quarantined(one.facts, now) for one in serving.verified(session, row)):
            left[row.pipeline] = say("nothing_before", **names)
        elif serving.under_way(session, row):
            left[row.pipeline] = say("app_in_use", app=row.app, **names)
    able = [row for row in rows if row.pipeline not in left]
    if not able:
        raise Refused(left[rows[0].pipeline])
    return able, left


def _serves(session: Session, row: Release) -> bool:
    if row.stage is Stage.VERIFIED:
        last = releases.latest(session, row.pipeline, Stage.VERIFIED)
        return last is not None and last.id == row.id
    deployed = row.facts.heroku is not None and row.facts.heroku.release is not None
    return deployed and row.stage in (Stage.DEPLOYED, Stage.FAILED)


def _held(session: Session, package: str, version: str, now: datetime) -> Sequence[Release]:
    found = of_version(session, package, version)
    rows = [row for row in found if quarantined(row.facts, now)]
    if not rows:
        names = {"package": found[0].package, "version": found[0].version}
        raise Refused(say("not_quarantined", **names))
    return rows


def _set(
    session: Session,
    act: str,
    rows: Sequence[Release],
    held: Quarantine | None,
    reason: Reason,
    *,
    who: Who,
    why: str,
    now: datetime,
) -> None:
    """Write it down for each, and let those that it concerns look again."""
    told: dict[str, JsonValue] = {"package": rows[0].package, "version": rows[0].version}
    if held and held.until:
        told["until"] = written(held.until)
    kept = keep(session, act, told, reason, who=who, why=why, now=now)
    for row in rows:
        row.facts = row.facts.model_copy(update={"quarantine": held})
        session.add(row)
        session.flush()
        record.append(
            session,
            row,
            "note",
            row.stage,
            reason,
            actor=actor(who),
            occurred_at=now,
            now=now,
            delivery=kept.key,
        )
        releases.wake(session, now, col(Release.id) == row.key)
        where = col(Release.pipeline) == row.pipeline, col(Release.stage).in_(WAIT_FOR_OTHERS)
        releases.wake(session, now, *where)
