"""A person's acts on deliveries. Each is itself a delivery of source `operator`: on the record."""

import hashlib
import json
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from bridge.columns import written
from bridge.delivery import Delivery, DeliveryState
from bridge.errors import Reason, Refused
from bridge.sentences import say
from bridge.store.postgresql import ring

OPERATOR = "operator"
REPLAYABLE = (DeliveryState.PARKED, DeliveryState.IGNORED, DeliveryState.DISCARDED)
DISCARDABLE = (DeliveryState.PARKED, DeliveryState.NEW)


class Act(StrEnum):
    """What a person can do with a delivery."""

    REPLAY = "replay"
    DISCARD = "discard"


def may(session: Session, act: Act, identifier: int, *, who: str, why: str) -> Reason:
    """What the act would do, in a sentence; raises Refused."""
    row = session.get(Delivery, identifier)
    if row is None or row.source == OPERATOR:
        raise Refused(say("no_delivery", id=identifier))
    if act is Act.REPLAY:
        if row.state not in REPLAYABLE:
            raise Refused(say("no_replay", id=identifier, state=row.state.value))
        return say("replayed", who=who, id=identifier, why=why)
    if row.state not in DISCARDABLE:
        raise Refused(say("no_discard", id=identifier, state=row.state.value))
    return say("discarded", who=who, id=identifier, why=why)


def do(session: Session, act: Act, identifier: int, *, who: str, why: str, now: datetime) -> Reason:
    """Do it, and keep it as a delivery of its own; raises Refused."""
    reason = may(session, act, identifier, who=who, why=why)
    row = session.get_one(Delivery, identifier)
    if act is Act.REPLAY:
        row.state, row.attempts, row.due_at = DeliveryState.NEW, 0, now
        ring(session.connection())
    else:
        row.state, row.due_at = DeliveryState.DISCARDED, None
    row.sentence = reason.sentence
    told = {"act": act.value, "delivery": identifier, "who": who, "why": why, "at": written(now)}
    body = json.dumps(told, sort_keys=True).encode()
    digest = hashlib.sha256(body).hexdigest()
    session.add(row)
    session.add(
        Delivery(
            source=OPERATOR,
            delivery_id=digest,
            sha256=digest,
            event=act.value,
            body=body,
            received_at=now,
            state=DeliveryState.HANDLED,
            sentence=reason.sentence,
        )
    )
    return reason
