"""Parts of long lists, newest first, by any filters: never more than a bounded look at an index.

Every list is in the order of a number that only grows, so a part is found at any depth as fast as
the first one. With one filter, its index leads from hit to hit. With several, the one that leaves
least is walked, at most LOOK entries of it; what was not found by then may lie further back, and
`after` leads there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, func, select
from sqlmodel import Session

LOOK = 20_000
ENDLESS = 2**31 - 1
"""The largest number that a key can be, on PostgreSQL."""
Filters = Mapping[str, Sequence[object]]
"""By the column's name, the values that it may have."""


@dataclass(frozen=True)
class Range:
    """From `low` up to, and without, `high`."""

    low: int = 0
    high: int = ENDLESS


@dataclass(frozen=True)
class Turn:
    """Which part: what is older than `after`, or newer than `before`, or the newest."""

    limit: int = 50
    after: int | None = None
    before: int | None = None


@dataclass(frozen=True)
class Part:
    """The numbers that were found, newest first, and where to go on from."""

    keys: list[int]
    after: int | None
    before: int | None


def look(session: Session, table: Table, filters: Filters, turn: Turn, within: Range) -> Part:
    """The part that `turn` asks for, of a table whose key is one number."""
    if turn.before is not None:
        low = max(within.low, min(turn.before, ENDLESS - 1) + 1)
        walk = _Walk(session, table, filters, Range(low, within.high), up=True)
        found, on = walk.find(turn.limit)
        found.reverse()
        return Part(found, found[-1] if found else turn.before + 1, on)
    high = within.high if turn.after is None else min(within.high, turn.after)
    walk = _Walk(session, table, filters, Range(within.low, high), up=False)
    found, on = walk.find(turn.limit)
    if turn.after is None:
        return Part(found, on, None)
    return Part(found, on, found[0] if found else turn.after - 1)


def first_since(session: Session, table: Table, when: str, moment: datetime) -> int:
    """The number of the first row of that time or later; one more than the last if there is none.

    Found by halving, for numbers and times grow together, but for a clock that was set back.
    """
    key, time = _key(table), table.c[when]
    low, high = 1, (session.scalar(select(func.max(key))) or 0) + 1
    while low < high:
        middle = (low + high) // 2
        query = select(key, time).where(key >= middle).order_by(key).limit(1)
        row = session.execute(query).one_or_none()
        if row is None or row[1] >= moment:
            high = middle
        else:
            low = row[0] + 1
    return low


class _Walk:
    """Along the rows from one end of a range."""

    def __init__(
        self, session: Session, table: Table, filters: Filters, within: Range, *, up: bool
    ) -> None:
        self._session = session
        self._table = table
        self._filters = filters
        self._key = _key(table)
        self._inside = (self._key >= within.low, self._key < within.high)
        self._up = up

    def find(self, limit: int) -> tuple[list[int], int | None]:
        """Up to `limit` numbers, and from where the walk goes on, if there may be more."""
        if len(self._filters) < 2:
            every: Select[Any] = select(self._key).where(
                *map(self._holds, self._filters), *self._inside
            )
            found = self._nearest(every, self._key, limit)
            return found[:limit], found[limit - 1] if len(found) > limit else None
        sizes = {name: self._size(name) for name in self._filters}
        narrowest = min(sizes, key=lambda name: sizes[name])
        others = [name for name in self._filters if name != narrowest]
        walked = self._along(narrowest, *others).subquery()
        hits = select(walked.c[self._key.name]).where(
            *(walked.c[name].in_(self._filters[name]) for name in others)
        )
        found = self._nearest(hits, walked.c[self._key.name], limit)
        if len(found) > limit:
            return found[:limit], found[limit - 1]
        if sizes[narrowest] < LOOK:
            return found, None
        last = func.max if self._up else func.min
        return found, self._session.scalar(select(last(walked.c[self._key.name])))

    def _nearest(self, query: Select[Any], key: ColumnElement[int], limit: int) -> list[int]:
        order = key.asc() if self._up else key.desc()
        return list(self._session.scalars(query.order_by(order).limit(limit + 1)))

    def _along(self, name: str, *others: str) -> Select[tuple[int]]:
        order = self._key.asc() if self._up else self._key.desc()
        more = (self._table.c[one] for one in others)
        query = select(self._key, *more).where(self._holds(name), *self._inside)
        return query.order_by(order).limit(LOOK)

    def _holds(self, name: str) -> ColumnElement[bool]:
        values = self._filters[name]
        column = self._table.c[name]
        return column == values[0] if len(values) == 1 else column.in_(values)

    def _size(self, name: str) -> int:
        walk = self._along(name).subquery()
        return self._session.scalar(select(func.count()).select_from(walk)) or 0


def _key(table: Table) -> ColumnElement[int]:
    (key,) = table.primary_key
    return key
