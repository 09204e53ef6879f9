"""The inbox's queries."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TypedDict

from sqlalchemy import Connection, bindparam
from sqlmodel import Session, SQLModel, col, func, or_, select, update

from bridge.columns import written
from bridge.delivery import Delivery, DeliveryState
from bridge.errors import LeaseLost
from bridge.store import books
from bridge.store.postgresql import ring

TABLE = SQLModel.metadata.tables["delivery"]
NAMES = "id, source, delivery_id"
FINISH = (
    update(TABLE)
    .where(TABLE.c.id == bindparam("row"))
    .values(state=bindparam("to"), sentence=bindparam("why"), due_at=None)
)


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
    words: list[str | bytes] = []
    for one in told:
        at = written(one["received_at"])
        words += one["source"], one["delivery_id"], one["sha256"], one["event"], one["body"], at, at
    made = _made(connection, told, tuple(words))
    books.came(connection, Counter(source for source, _ in made), told[0]["received_at"])
    return [
        Kept(key, is_new=True)
        if (key := made.pop((one["source"], one["delivery_id"]), None))
        else _again(connection, one)
        for one in told
    ]


def _made(
    connection: Connection, told: Sequence[Told], words: tuple[str | bytes, ...]
) -> dict[tuple[str, str], int]:
    """Write what is new; the ids by source and delivery id.

    SQLite's module lets go of the interpreter for every row that it reads, and fights the receiver
    for it each time; so no row is read where all are new. One transaction writes at a time, and so
    the ids are those before the last one.
    """
    if connection.dialect.name == "postgresql":
        rows = connection.exec_driver_sql(_insert("%s", len(told), f"RETURNING {NAMES}"), words)
        return {(source, identifier): key for key, source, identifier in rows}
    done = connection.exec_driver_sql(_insert("?", len(told)), words)
    before = done.lastrowid - done.rowcount
    if done.rowcount == len(told):
        return {(one["source"], one["delivery_id"]): before + n for n, one in enumerate(told, 1)}
    if not done.rowcount:
        return {}
    rows = connection.exec_driver_sql(f"SELECT {NAMES} FROM delivery WHERE id > ?", (before,))  # noqa: S608
    return {(source, identifier): key for key, source, identifier in rows}


@lru_cache
def _insert(mark: str, count: int, then: str = "") -> str:
    """The statement that keeps so many deliveries; written out, for it is said for each crowd."""
    row = f"({', '.join([mark] * 7)}, 'new', '', 0)"
    return (
        "INSERT INTO delivery (source, delivery_id, sha256, event, body, received_at, due_at, "  # noqa: S608
        f"state, sentence, attempts) VALUES {', '.join([row] * count)} "
        f"ON CONFLICT DO NOTHING {then}"
    )


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
