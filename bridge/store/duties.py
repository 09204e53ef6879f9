"""Who does what only one of all processes needs to do."""

from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field, Session, SQLModel

from bridge.columns import Moment


class Duty(SQLModel, table=True):
    """Something that one process does for all who share the database, until somebody else may."""

    name: str = Field(primary_key=True)
    holder: str
    until: datetime = Field(sa_column=Column(Moment, nullable=False))


def take(session: Session, name: str, holder: str, now: datetime, until: datetime) -> bool:
    """Whether `holder` has the duty until then: it had it, or nobody has it any more."""
    duty = session.get(Duty, name) or Duty(name=name, holder=holder, until=now)
    if duty.holder != holder and duty.until > now:
        return False
    duty.holder, duty.until = holder, until
    session.add(duty)
    return True
