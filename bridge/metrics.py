"""The numbers, from what was counted by day: DORA's five, and where the time goes. Pure.

The definitions are those of https://dora.dev/guides/dora-metrics/, said of model versions.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from math import ceil
from typing import Literal

from bridge.release import ENDS, Stage
from bridge.tally import DEPLOYED, FAILED, LEAD, PUT_BACK, RECOVERY, REWORK, STOOD, seconds_of

Name = Literal[
    "change_lead_time",
    "deployment_frequency",
    "failed_deployment_recovery_time",
    "change_fail_rate",
    "deployment_rework_rate",
]
Unit = Literal["seconds", "per_day", "share"]
STAGES = tuple(stage for stage in Stage if stage not in ENDS)
COUNTED = (LEAD, RECOVERY, DEPLOYED, FAILED, REWORK, PUT_BACK)
TIMED = tuple(f"{STOOD}{stage.value}" for stage in STAGES)


class Counts:
    """What was counted, by day; `rows` are (what, day, bucket, count)."""

    def __init__(self, rows: Iterable[tuple[str, str, int, int]]) -> None:
        self._by: defaultdict[tuple[str, str], dict[int, int]] = defaultdict(dict)
        self._times: Counter[tuple[str, str]] = Counter()
        for what, day, number, count in rows:
            self._by[what, day][number] = count
            self._times[what, day] += count

    def buckets(self, what: str, days: Sequence[date]) -> Counter[int]:
        """How many durations of each bucket."""
        found: Counter[int] = Counter()
        for day in days:
            found.update(self._by.get((what, day.isoformat()), {}))
        return found

    def times(self, days: Sequence[date], *what: str) -> int:
        """How often any of these happened."""
        return sum(self._times[one, day.isoformat()] for one in what for day in days)


def lead_time(counts: Counts, days: Sequence[date]) -> float | None:
    """From a version's tag, or else its announcement, to the proof that it serves; the median."""
    return percentile(counts.buckets(LEAD, days), 0.5)


def frequency(counts: Counts, days: Sequence[date]) -> float | None:
    """Versions that came to run, a day."""
    return round(counts.times(days, DEPLOYED) / len(days), 3)


def recovery_time(counts: Counts, days: Sequence[date]) -> float | None:
    """From the failure of a version that ran to the next proof; the median."""
    return percentile(counts.buckets(RECOVERY, days), 0.5)


def fail_rate(counts: Counts, days: Sequence[date]) -> float | None:
    """Versions that failed when they ran, of those that came to run."""
    return _share(counts.times(days, FAILED), counts.times(days, DEPLOYED))


def rework_rate(counts: Counts, days: Sequence[date]) -> float | None:
    """Deployments that a failure made necessary, of all deployments."""
    return _share(counts.times(days, REWORK, PUT_BACK), counts.times(days, DEPLOYED, PUT_BACK))


Measure = Callable[[Counts, Sequence[date]], float | None]
FIVE: tuple[tuple[Name, Unit, Measure, tuple[str, ...]], ...] = (
    ("change_lead_time", "seconds", lead_time, (LEAD,)),
    ("deployment_frequency", "per_day", frequency, (DEPLOYED,)),
    ("failed_deployment_recovery_time", "seconds", recovery_time, (RECOVERY,)),
    ("change_fail_rate", "share", fail_rate, (DEPLOYED,)),
    ("deployment_rework_rate", "share", rework_rate, (DEPLOYED, PUT_BACK)),
)


@dataclass(frozen=True)
class Measured:
    """One of the five: of all days, of how many it is told, and of each day."""

    name: Name
    unit: Unit
    value: float | None
    count: int
    trend: list[tuple[date, float | None]]


@dataclass(frozen=True)
class Stood:
    """How long releases stood at a stage, in seconds."""

    stage: Stage
    p50: float | None
    p90: float | None
    count: int


def percentile(buckets: Mapping[int, int], share: float) -> float | None:
    """So many of the durations, as a share, took no longer than this, to within 5 %."""
    numbers = sorted(buckets)
    up_to = list(accumulate(buckets[number] for number in numbers))
    if not up_to or not up_to[-1]:
        return None
    wanted = max(1, ceil(up_to[-1] * share))
    return round(seconds_of(numbers[bisect_left(up_to, wanted)]), 3)


def days_until(last: date, count: int) -> list[date]:
    """So many days, the last one included."""
    return [last - timedelta(days=ago) for ago in reversed(range(count))]


def five(counts: Counts, days: Sequence[date]) -> list[Measured]:
    """DORA's five, of all these days and of each."""
    return [
        Measured(
            name,
            unit,
            measure(counts, days),
            counts.times(days, *of),
            [(day, measure(counts, [day])) for day in days],
        )
        for name, unit, measure, of in FIVE
    ]


def stood(rows: Iterable[tuple[str, int, int]]) -> list[Stood]:
    """Where the time goes; `rows` are (what, bucket, count)."""
    by: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for what, number, count in rows:
        by[what][number] += count
    return [
        Stood(stage, percentile(found, 0.5), percentile(found, 0.9), found.total())
        for stage, found in ((stage, by[f"{STOOD}{stage.value}"]) for stage in STAGES)
    ]


def _share(some: int, of: int) -> float | None:
    return round(min(some / of, 1.0), 4) if of else None
