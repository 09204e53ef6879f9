"""What is counted of a line, by day and pipeline: enough for every number, however many lines there
are. Pure.

Durations are counted in buckets, each a tenth wider than the one before, so that a percentile of
any number of them is read from a few rows, and is right to within 5 %.
"""

import math
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Field, SQLModel

from bridge.columns import written
from bridge.pause import EVERYTHING
from bridge.release import ENDS, Stage
from bridge.served import ON_THE_APP, Served, Told, after

BEGAN, DEPLOYED, FAILED, REWORK, PUT_BACK = "began", "deployed", "failed", "rework", "put_back"
LEAD, RECOVERY = "lead", "recovery"
STOOD = "stood_"
"""Before the name of a stage: how long releases stood there."""
CAME = "came_"
"""Before the name of a source: how many of its deliveries were kept."""
WIDER = math.log(1.1)
BROKEN = (Stage.FAILED, Stage.ROLLING_BACK)


class Tally(SQLModel, table=True):
    """How often something happened on a day (UTC, 2026-11-23), in a pipeline or in EVERYTHING.

    `bucket` is of a duration, and 0 for what takes none.
    """

    __table_args__ = ({"sqlite_with_rowid": False},)

    pipeline: str = Field(primary_key=True)
    what: str = Field(primary_key=True)
    day: str = Field(primary_key=True)
    bucket: int = Field(primary_key=True)
    count: int


class Count(NamedTuple):
    """One more of this."""

    pipeline: str
    what: str
    day: str
    bucket: int


def day_of(moment: datetime) -> str:
    """The day of a moment, in UTC."""
    return written(moment)[:10]


def bucket(seconds: float) -> int:
    """The bucket of a duration; 0 is less than a millisecond."""
    milliseconds = seconds * 1000
    return 0 if milliseconds < 1 else 1 + int(math.log(milliseconds) / WIDER)


def seconds_of(number: int) -> float:
    """The middle of a bucket."""
    return math.exp((number - 0.5) * WIDER) / 1000 if number else 0.0


def counted(
    line: Told, since: datetime | None, began: datetime, before: Served | None
) -> list[Count]:
    """What a line adds. `since` is when the release came to where it stood, `began` when it was
    announced, `before` what served until now."""
    day = day_of(line.at)
    return [
        Count(whose, what, day, bucket((line.at - start).total_seconds()) if start else 0)
        for what, start in _happened(line, since, began, before)
        for whose in (line.pipeline, EVERYTHING)
    ]


def recount(lines: Iterable[Told]) -> Iterator[Count]:
    """Everything that the lines tell, from the first one on."""
    since: dict[int, datetime] = {}
    began: dict[int, datetime] = {}
    last: dict[str, Served] = {}
    for line in lines:
        before = last.get(line.pipeline)
        begin = began.setdefault(line.release_id, line.at)
        yield from counted(line, since.get(line.release_id), begin, before)
        if line.kind == "move":
            since[line.release_id] = line.at
        if found := after(before, line):
            last[line.pipeline] = found


def _happened(
    line: Told, since: datetime | None, began: datetime, before: Served | None
) -> Iterator[tuple[str, datetime | None]]:
    """What it is that happened, and since when that took, if it takes any time."""
    if line.kind == "repair":
        yield line.code, None
    if line.kind != "move":
        return
    broken = before.broken_since if before else None
    if line.was and line.was not in ENDS:
        yield STOOD + line.was, since
    if not line.was:
        yield BEGAN, None
    if line.to == Stage.DEPLOYED:
        yield DEPLOYED, None
        if broken:
            yield REWORK, None
    if line.to == Stage.VERIFIED:
        yield LEAD, line.tagged_at or began
    if line.to == Stage.ROLLED_BACK:
        yield PUT_BACK, None
    if line.was in ON_THE_APP and line.was != Stage.ROLLING_BACK and line.to in BROKEN:
        yield FAILED, None
    if broken and line.to in (Stage.VERIFIED, Stage.ROLLED_BACK):
        yield RECOVERY, broken
