"""A person's acts. Each is itself a delivery of source `operator`: on the record."""

import hashlib
import json
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum

from pydantic import JsonValue
from sqlmodel import Session, col

from bridge import ledger
from bridge.columns import written
from bridge.delivery import Delivery, DeliveryState
from bridge.errors import Reason, Refused
from bridge.facts import Allowance, Facts
from bridge.notice import Notice
from bridge.person import Who, actor, as_json
from bridge.quarantine import quarantined
from bridge.release import RETRYABLE, UNMERGED, Release, Stage
from bridge.sentences import say
from bridge.store import record, releases, serving
from bridge.store.postgresql import ring

OPERATOR = "operator"
REPLAYABLE = (DeliveryState.PARKED, DeliveryState.IGNORED, DeliveryState.DISCARDED)
DISCARDABLE = (DeliveryState.PARKED, DeliveryState.NEW)
OF_THIS_TRY = {
    *("merge_sha", "merged_by", "heroku", "readings", "watched_since", "refused_because"),
    *("shown", "build_output", "rollback", "later_readings"),
}
"""Facts that a release learns anew when it is tried again."""


class Act(StrEnum):
    """What a person can do with a delivery."""

    REPLAY = "replay"
    DISCARD = "discard"


def may(
    session: Session,
    act: Act,
    identifier: int,
    *,
    who: Who,
    why: str,
    of: type[Delivery] | type[Notice] = Delivery,
) -> Reason:
    """What the act would do to a delivery, or a notice, in a sentence; raises Refused."""
    row = _found(session, identifier, of)
    name = f"{identifier}" if of is Delivery else f"{identifier} (out)"
    if act is Act.REPLAY:
        if row.state not in REPLAYABLE:
            raise Refused(say("no_replay", id=name, state=row.state.value))
        return say("replayed", who=who, id=name, why=why)
    if row.state not in DISCARDABLE:
        raise Refused(say("no_discard", id=name, state=row.state.value))
    return say("discarded", who=who, id=name, why=why)


def do(
    session: Session,
    act: Act,
    identifier: int,
    *,
    who: Who,
    why: str,
    now: datetime,
    of: type[Delivery] | type[Notice] = Delivery,
) -> Reason:
    """Do it, and keep it as a delivery of its own; raises Refused."""
    reason = may(session, act, identifier, who=who, why=why, of=of)
    row = _found(session, identifier, of)
    if act is Act.REPLAY:
        row.state, row.attempts, row.due_at = DeliveryState.NEW, 0, now
        ring(session.connection())
    else:
        row.state, row.due_at = DeliveryState.DISCARDED, None
    row.sentence = reason.sentence
    session.add(row)
    about: dict[str, JsonValue] = {"delivery" if of is Delivery else "notice": identifier}
    keep(session, act.value, about, reason, who=who, why=why, now=now)
    return reason


def _found(
    session: Session, identifier: int, of: type[Delivery] | type[Notice]
) -> Delivery | Notice:
    if of is Notice:
        notice = session.get(Notice, identifier)
        if notice is None:
            raise Refused(say("no_notice", id=identifier))
        return notice
    delivery = session.get(Delivery, identifier)
    if delivery is None or delivery.source == OPERATOR:
        raise Refused(say("no_delivery", id=identifier))
    return delivery


def may_retry(
    session: Session,
    package: str,
    version: str,
    allow: Collection[Allowance],
    *,
    who: Who,
    why: str,
    now: datetime,
) -> Reason:
    """What trying again would do, in a sentence; raises Refused."""
    rows = _tryable(session, package, version, allow)
    if held := next(filter(None, (quarantined(row.facts, now) for row in rows)), None):
        raise Refused(held)
    if row := next((row for row in rows if _is_put_back(row)), None):
        raise Refused(say("pin_not_settled", package=row.package, version=row.version))
    allowing = f", allowing {' and '.join(sorted(allow))}" if allow else ""
    names = {"package": rows[0].package, "version": rows[0].version}
    if not any(row.stage.is_end for row in rows):
        return say("allowed", who=who, why=why, what=Allowance.FREEZE.value, **names)
    return say("retried", who=who, why=why, allowing=allowing, **names)


def retry(
    session: Session,
    package: str,
    version: str,
    allow: Collection[Allowance],
    *,
    who: Who,
    why: str,
    now: datetime,
) -> Reason:
    """Put every release of the version that did not arrive back on its way; raises Refused.

    One that waits for a freeze to end stays where it stands, and looks again. What it allows
    counts for this version only, and the file that was confirmed stays the one.
    """
    reason = may_retry(session, package, version, allow, who=who, why=why, now=now)
    told: dict[str, JsonValue] = {"package": package, "version": version, "allow": [*sorted(allow)]}
    kept = keep(session, "retry", told, reason, who=who, why=why, now=now)
    for row in _tryable(session, package, version, allow):
        if not row.stage.is_end:
            row.facts = row.facts.model_copy(
                update={"allowed": sorted({*row.facts.allowed, Allowance.FREEZE})}
            )
            record.act(session, row, reason, now, actor=actor(who), delivery=kept.key)
            releases.wake(session, now, col(Release.id) == row.key)
            continue
        allowed = sorted({*row.facts.allowed, *allow})
        known = {**row.facts.model_dump(exclude=OF_THIS_TRY), **_not_again(row.facts)}
        row.facts = row.facts.model_validate({**known, "allowed": allowed})
        serving.take(row)
        ledger.transit(
            session, row, Stage.ANNOUNCED, reason, now, actor=actor(who), delivery=kept.key
        )
    return reason


def _not_again(facts: Facts) -> dict[str, object]:
    """What this try deployed: the next one is built anew, or waits for whoever deploys."""
    tried = facts.heroku
    if tried is None:
        return {}
    return {
        "failed_builds": sorted({*facts.failed_builds, *filter(None, [tried.build])}),
        "failed_releases": sorted({*facts.failed_releases, *filter(None, [tried.release])}),
    }


def of_version(session: Session, package: str, version: str) -> Sequence[Release]:
    """The version's releases, one a pipeline; raises Refused where there is none."""
    try:
        found = releases.find(session, package, version)
    except ValueError:
        found = []
    if not found:
        raise Refused(say("no_release", package=package, version=version))
    return found


def _is_put_back(row: Release) -> bool:
    """Whether the pin is still being put back."""
    rolled = row.facts.rollback
    return row.stage is Stage.ROLLED_BACK and rolled is not None and not rolled.settled


def _tryable(
    session: Session, package: str, version: str, allow: Collection[Allowance]
) -> Sequence[Release]:
    """Those that ended without arriving, and those before the merge that a freeze stops."""
    found = of_version(session, package, version)
    stages = {*RETRYABLE, *(UNMERGED if Allowance.FREEZE in allow else ())}
    rows = [row for row in found if row.stage in stages]
    if not rows:
        names = {"package": found[0].package, "version": found[0].version}
        raise Refused(say("no_retry", stage=found[0].stage.value, **names))
    return rows


def keep(
    session: Session,
    act: str,
    about: dict[str, JsonValue],
    reason: Reason,
    *,
    who: Who,
    why: str,
    now: datetime,
) -> Delivery:
    """The act as a delivery of its own, also if one and the same is done twice in a moment."""
    told = {"act": act, **about, **as_json(who), "why": why, "at": written(now)}
    told["key"] = secrets.token_hex(8)
    body = json.dumps(told, sort_keys=True).encode()
    digest = hashlib.sha256(body).hexdigest()
    kept = Delivery(
        source=OPERATOR,
        delivery_id=digest,
        sha256=digest,
        event=act,
        body=body,
        received_at=now,
        state=DeliveryState.HANDLED,
        sentence=reason.sentence,
    )
    session.add(kept)
    session.flush()
    return kept
