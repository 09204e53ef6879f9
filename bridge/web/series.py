"""Readings that say the same, one after the other, as one row. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from bridge.facts import Reading


@dataclass(frozen=True)
class Series:
    """How often the same was read, from the `first` reading to the `last`, and of whom."""

    first: Reading
    last: Reading
    count: int
    instances: list[str]


def series(readings: Iterable[Reading]) -> list[Series]:
    """In their order; the running API is asked every few seconds, and mostly says what it said."""
    found = []
    for _, same in groupby(readings, key=lambda one: (one.verdict, one.version, one.note)):
        row = list(same)
        instances = sorted({one.instance for one in row if one.instance})
        found.append(Series(row[0], row[-1], len(row), instances))
    return found
