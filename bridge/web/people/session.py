"""A session: who signed in, in a signed cookie, until when; and its end, which is on record."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import BaseModel, ValidationError
from sqlmodel import Session as Transaction
from sqlmodel import select

from bridge.columns import written
from bridge.delivery import Delivery, DeliveryState
from bridge.operator import OPERATOR
from bridge.person import By, Person, Role, as_json
from bridge.sentences import say

LASTS = timedelta(hours=8)
NAME = "person"
"""Under which it stands in the cookie."""


class Session(BaseModel):
    """Somebody who signed in. `key` tells one session from another."""

    key: str
    until: datetime
    id: str
    name: str
    role: Role
    by: By

    @property
    def person(self) -> Person:
        """Who it is."""
        return Person(self.id, self.name, self.role, self.by)


def begin(cookie: dict[str, object], person: Person, now: datetime) -> None:
    """A new session, and nothing of an old one."""
    cookie.clear()
    begun = Session(
        key=secrets.token_urlsafe(18),
        until=now + LASTS,
        id=person.id,
        name=person.name,
        role=person.role,
        by=person.by,
    )
    cookie[NAME] = begun.model_dump(mode="json")


def opened(cookie: Mapping[str, object], now: datetime) -> Session | None:
    """The session in a cookie whose signature held, unless it is too old."""
    try:
        found = Session.model_validate(cookie.get(NAME))
    except ValidationError:
        return None
    return found if now < found.until else None


def is_over(transaction: Transaction, session: Session) -> bool:
    """Whether they signed out: a cookie that somebody kept is worth nothing then."""
    same = select(Delivery.id).where(
        Delivery.source == OPERATOR, Delivery.delivery_id == session.key
    )
    return transaction.exec(same).first() is not None


def end(transaction: Transaction, session: Session, now: datetime) -> None:
    """They sign out: an act like every other, kept as a delivery under the session's key."""
    if is_over(transaction, session):
        return
    told = {"act": "sign-out", **as_json(session.person), "at": written(now)}
    body = json.dumps({**told, "session": session.key}, sort_keys=True).encode()
    transaction.add(
        Delivery(
            source=OPERATOR,
            delivery_id=session.key,
            sha256=hashlib.sha256(body).hexdigest(),
            event="sign-out",
            body=body,
            received_at=now,
            state=DeliveryState.HANDLED,
            sentence=say("signed_out", who=session.person).sentence,
        )
    )
