"""A delivery: one signed message, raw, kept once, and what became of it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, Enum, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from bridge.columns import Moment


class DeliveryState(StrEnum):
    """`new` waits in the inbox, `parked` waits for a person, the others are done with;
    `discarded` by a person."""

    NEW = "new"
    HANDLED = "handled"
    IGNORED = "ignored"
    PARKED = "parked"
    DISCARDED = "discarded"


STATE = Enum(DeliveryState, native_enum=False, length=16, values_callable=lambda enum: [*enum])


class Delivery(SQLModel, table=True):
    """One message as its sender signed it. Neither its id nor its body is ever stored twice."""

    __table_args__ = (
        UniqueConstraint("source", "delivery_id"),
        UniqueConstraint("source", "sha256"),
        Index(
            "delivery_due",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        Index("delivery_by_state", "state", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    source: str
    delivery_id: str
    sha256: str
    event: str = ""
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    received_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    state: DeliveryState = Field(
        default=DeliveryState.NEW, sa_column=Column(STATE, nullable=False, default="new")
    )
    sentence: str = ""
    attempts: int = 0
    due_at: datetime | None = Field(default=None, sa_column=Column(Moment))

    @property
    def key(self) -> int:
        """The id of a delivery that is in the database."""
        if self.id is None:
            raise ValueError("this delivery was never written")
        return self.id
