"""Time as a parameter."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


def in_utc(said: datetime) -> datetime:
    """The same moment in UTC, where one without a zone is; raises ValueError for one that the
    calendar does not hold there."""
    try:
        return said.replace(tzinfo=said.tzinfo or UTC).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("out of the calendar") from error


ToldMoment = Annotated[datetime, AfterValidator(in_utc)]
"""A moment as a sender wrote it."""
