"""Freeze windows: `Fri 16:00` to `Mon 08:00` in a place's own time. Pure."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MOMENT = re.compile(rf"({'|'.join(DAYS)}) ([01]\d|2[0-3]):([0-5]\d)")
WEEK = timedelta(days=7)


def _moment(said: str) -> str:
    if not MOMENT.fullmatch(said):
        raise ValueError("a moment of the week is written like Fri 16:00")
    return said


def _zone(said: str) -> str:
    try:
        ZoneInfo(said)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("no such time zone; write it like Europe/Berlin") from error
    return said


Moment = Annotated[str, AfterValidator(_moment)]


class Freeze(BaseModel):
    """From one moment of the week to the next such other one, by the clocks of `tz`.

    Where clocks are put forward or back, a moment may not exist or come twice: a freeze begins at
    the earlier reading and ends at the later one, so it is never shorter than it reads.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True)

    begin: Moment = Field(alias="from")
    end: Moment = Field(alias="to")
    tz: Annotated[str, AfterValidator(_zone)]

    @model_validator(mode="after")
    def some_time(self) -> "Freeze":
        """A freeze that ends when it begins would hold always or never."""
        if self.begin == self.end:
            raise ValueError("a freeze begins and ends at different moments")
        return self

    def windows(self, now: datetime) -> list[tuple[datetime, datetime]]:
        """Last week's window, this week's and the next two, oldest first, in UTC."""
        zone = ZoneInfo(self.tz)
        today = now.astimezone(zone).date()
        monday = today - timedelta(days=today.weekday())
        (begins, at), (ends, until) = _read(self.begin), _read(self.end)
        days = (ends - begins) % 7 or (0 if at < until else 7)
        first = [monday + timedelta(days=begins + 7 * week) for week in (-1, 0, 1, 2)]
        return [
            (
                min(_readings(day, at, zone)),
                max(_readings(day + timedelta(days=days), until, zone)),
            )
            for day in first
        ]


def frozen_until(freezes: Sequence[Freeze], now: datetime) -> tuple[datetime, str] | None:
    """The end of the freeze that holds at `now`, and its zone; None when none does.

    A freeze that begins before another has ended goes on with it, for a week at most.
    """
    end: tuple[datetime, str] | None = None
    at = now
    while at < now + WEEK:
        holding = [
            (until, freeze.tz)
            for freeze in freezes
            for begin, until in freeze.windows(at)
            if begin <= at < until
        ]
        if not holding:
            return end
        end = max(holding)
        at = end[0]
    return end


def next_freeze(freezes: Sequence[Freeze], now: datetime) -> datetime | None:
    """When the next freeze begins after `now`; None when there is none at all."""
    begins = (begin for freeze in freezes for begin, _ in freeze.windows(now))
    return min((begin for begin in begins if begin > now), default=None)


def _read(said: str) -> tuple[int, time]:
    day, clock = said.split(" ")
    return DAYS.index(day), time.fromisoformat(clock)


def _readings(day: date, at: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """What a clock may mean: two moments only where it is put forward or back (PEP 495)."""
    wall = datetime.combine(day, at, zone)
    return wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC)
