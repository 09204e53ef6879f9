"""The inbox's queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from sqlalchemy import Connection, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col, func, or_, select, update

from bridge.delivery import Delivery, DeliveryState
from bridge.errors import LeaseLost
from bridge.store.postgresql import ring

TABLE = SQLModel.metadata.tables["delivery"]
INSERT = {
    dialect: insert(TABLE)
    .on_conflict_do_nothing()
    .returning(TABLE.c.id, TABLE.c.source, TABLE.c.delivery_id)
    for dialect, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}
FINISH = (
    update(TABLE)
    .where(TABLE.c.id == bindparam("row"))
    .values(state=bindparam("to"), sentence=bindparam("why"), due_at=None)
)
FRESH = {"state": DeliveryState.NEW, "sentence": "", "attempts": 0}


class Told(TypedDict):
    """What the sender told, raw, and when."""

    source: str
    delivery_id: str
    sha256: str
    event: str
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """The row of a delivery, and whether it is new."""

    id: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class End:
    """What became of a delivery."""

    delivery: Delivery
    state: DeliveryState
    sentence: str


def keep(connection: Connection, told: Sequence[Told]) -> list[Kept]:
    """Keep each delivery once, all by one statement. A redelivery of something unfinished makes
    it due again.

    Nobody can keep one between the look and the write: one transaction writes at a time.
    """
    ring(connection)
    rows = [{**one, **FRESH, "due_at": one["received_at"]} for one in told]
    made = {
        (source, identifier): key
        for key, source, identifier in connection.execute(INSERT[connection.dialect.name], rows)
    }
    return [
        Kept(key, is_new=True)
        if (key := made.pop((one["source"], one["delivery_id"]), None))
        else _again(connection, one)
        for one in told
    ]


def _again(connection: Connection, told: Told) -> Kept:
    same = or_(TABLE.c.delivery_id == told["delivery_id"], TABLE.c.sha256 == told["sha256"])
    known = connection.execute(
        select(TABLE.c.id, TABLE.c.state).where(TABLE.c.source == told["source"], same).limit(1)
    ).one()
    if known.state is DeliveryState.NEW:
        due = update(TABLE).where(TABLE.c.id == known.id).values(due_at=told["received_at"])
        connection.execute(due)
    return Kept(known.id, is_new=False)


def claim(session: Session, now: datetime, lease: timedelta, limit: int) -> Sequence[Delivery]:
    """Due deliveries, oldest first; the attempt is counted before it is made.

    One that was tried before comes alone: should it end the process, no other is blamed for it.
    """
    due = session.exec(
        select(Delivery.id, Delivery.attempts)
        .where(col(Delivery.due_at) <= now)
        .order_by(col(Delivery.due_at), col(Delivery.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if not due:
        return []
    tried = due[0][1] > 0
    ids = [due[0][0]] if tried else [key for key, attempts in due if attempts == 0]
    session.execute(
        update(Delivery)
        .where(col(Delivery.id).in_(ids))
        .values(attempts=Delivery.attempts + 1, due_at=now + lease)
        .execution_options(synchronize_session=False)
    )
    claimed = select(Delivery).where(col(Delivery.id).in_(ids)).order_by(col(Delivery.id))
    return session.exec(claimed).all()


def must_be_held(session: Session, taken: Sequence[Delivery]) -> None:
    """Raises LeaseLost if somebody else claimed or ended one of these since.

    The number of attempts is a delivery's fence.
    """
    ids = [delivery.key for delivery in taken]
    unfinished = select(Delivery.id, Delivery.attempts).where(
        col(Delivery.id).in_(ids), Delivery.state == DeliveryState.NEW
    )
    now = {(key, attempts) for key, attempts in session.exec(unfinished)}
    if lost := {(delivery.key, delivery.attempts) for delivery in taken} - now:
        raise LeaseLost(f"deliveries {sorted(key for key, _ in lost)}")


def finish(session: Session, ends: Sequence[End]) -> None:
    """The inbox is done with these, or a person has to be. Raises LeaseLost."""
    must_be_held(session, [end.delivery for end in ends])
    rows = [{"row": end.delivery.key, "to": end.state, "why": end.sentence} for end in ends]
    session.connection().execute(FINISH, rows)


def retry(session: Session, delivery: Delivery, at: datetime, sentence: str) -> None:
    """Try again later. Raises LeaseLost."""
    must_be_held(session, [delivery])
    row = session.get_one(Delivery, delivery.id)
    row.sentence, row.due_at = sentence, at
    session.add(row)


def next_due(session: Session) -> datetime | None:
    """When the next delivery wants attention."""
    return session.exec(select(func.min(Delivery.due_at))).one()


def newest(
    session: Session, limit: int, after: int | None = None, state: DeliveryState | None = None
) -> Sequence[Delivery]:
    """Deliveries, newest first; `after` is the id of the last one seen."""
    query = select(Delivery).order_by(col(Delivery.id).desc()).limit(limit)
    if after is not None:
        query = query.where(col(Delivery.id) < after)
    if state is not None:
        query = query.where(Delivery.state == state)
    return session.exec(query).all()
