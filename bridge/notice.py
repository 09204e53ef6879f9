"""A notice: one message for one target, kept until it is sent, and what became of it.

The record is what notices are made from, so a transition that is written is told of, whatever
happens next. See docs/decisions/0016.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from bridge.columns import Moment
from bridge.delivery import STATE, DeliveryState


class About(StrEnum):
    """What a notice may be about. `waiting` is a release that waits for a person too long,
    `parked` a delivery or a step that failed too often."""

    VERIFIED = "verified"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    WAITING = "waiting"
    DRIFT = "drift"
    ALARM = "alarm"
    PARKED = "parked"


class Notice(SQLModel, table=True):
    """One message on its way out. Nothing is ever said twice to one target: a message's id is made
    of the line that it tells of. `handled` is one that was sent, `ignored` one that was not true
    any more when it was due."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("target", "message_id"),
        Index(
            "outbox_due",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        Index("outbox_by_state", "state", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    target: str
    message_id: str
    about: str
    release_id: int | None = None
    body: str
    created_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    state: DeliveryState = Field(
        default=DeliveryState.NEW, sa_column=Column(STATE, nullable=False, default="new")
    )
    sentence: str = ""
    attempts: int = 0
    due_at: datetime | None = Field(default=None, sa_column=Column(Moment))

    @property
    def key(self) -> int:
        """The id of a notice that is in the database."""
        if self.id is None:
            raise ValueError("this notice was never written")
        return self.id


class Bookmark(SQLModel, table=True):
    """Up to which line the record was read by whoever makes notices of it."""

    name: str = Field(primary_key=True)
    seq: int
