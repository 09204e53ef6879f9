"""The inbox's queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, or_, select, update

from bridge.delivery import Delivery, DeliveryState
from bridge.errors import LeaseLost
from bridge.store.postgresql import ring


@dataclass(frozen=True)
class Kept:
    """The row of a delivery, and whether it is new."""

    id: int
    is_new: bool


def keep(session: Session, delivery: Delivery) -> Kept:
    """Keep a delivery once. A redelivery of something unfinished makes it due again.

    Nobody can keep it between the look and the write: one transaction writes at a time.
    """
    known = session.exec(
        select(Delivery).where(
            Delivery.source == delivery.source,
            or_(
                Delivery.delivery_id == delivery.delivery_id,
                Delivery.sha256 == delivery.sha256,
            ),
        )
    ).first()
    if known is None:
        session.add(delivery)
        session.flush()
        ring(session)
        return Kept(delivery.key, is_new=True)
    if known.state is DeliveryState.NEW:
        ring(session)
        known.due_at = delivery.received_at
        session.add(known)
    return Kept(known.key, is_new=False)


def claim(session: Session, now: datetime, lease: timedelta, limit: int) -> Sequence[Delivery]:
    """Due deliveries, oldest first; the attempt is counted before it is made."""
    due = (
        select(Delivery.id)
        .where(col(Delivery.due_at) <= now)
        .order_by(col(Delivery.due_at), col(Delivery.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    session.execute(
        update(Delivery)
        .where(col(Delivery.id).in_(ids := list(session.exec(due))))
        .values(attempts=Delivery.attempts + 1, due_at=now + lease)
        .execution_options(synchronize_session=False)
    )
    claimed = select(Delivery).where(col(Delivery.id).in_(ids)).order_by(col(Delivery.id))
    return session.exec(claimed).all()


def held(session: Session, delivery: Delivery) -> Delivery:
    """The row as it is now, unless somebody claimed it since; raises LeaseLost.

    The number of attempts is its fence.
    """
    row = session.get_one(Delivery, delivery.id)
    if row.attempts != delivery.attempts or row.state is not DeliveryState.NEW:
        raise LeaseLost(f"delivery {delivery.id}")
    return row


def finish(session: Session, delivery: Delivery, state: DeliveryState, sentence: str) -> None:
    """The inbox is done with it, or a person has to be."""
    row = held(session, delivery)
    row.state, row.sentence, row.due_at = state, sentence, None
    session.add(row)


def retry(session: Session, delivery: Delivery, at: datetime, sentence: str) -> None:
    """Try again later."""
    row = held(session, delivery)
    row.sentence, row.due_at = sentence, at
    session.add(row)


def next_due(session: Session) -> datetime | None:
    """When the next delivery wants attention."""
    return session.exec(select(func.min(Delivery.due_at))).one()


def newest(session: Session, limit: int) -> Sequence[Delivery]:
    """The last deliveries, newest first."""
    return session.exec(select(Delivery).order_by(col(Delivery.id).desc()).limit(limit)).all()
