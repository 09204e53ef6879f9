"""Heroku's lists: `Range: version ..; order=desc,max=10`, answered by 206 and `Next-Range`. Pure.

See https://devcenter.heroku.com/articles/platform-api-reference#ranges.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LARGEST = 1000
RANGE = re.compile(r"(?P<field>\w+) *(?P<after>\]?)(?P<first>[^;]*?)\.\.(?: *; *(?P<options>.*))?")

Item = Mapping[str, object]


class BadRange(ValueError):
    """The Range header is not one that Heroku takes; the message says why."""


@dataclass(frozen=True)
class Page:
    items: list[Item]
    next_range: str | None


def page(items: Sequence[Item], header: str | None, fields: Sequence[str]) -> Page:
    """What the header asks of `items`, which come oldest first; without one, the first 200."""
    asked = RANGE.fullmatch((header or f"{fields[0]} ..").strip())
    if asked is None or asked["field"] not in fields:
        raise BadRange(f"Invalid `Range` header. Please use one of {', '.join(fields)}.")
    field, options = asked["field"], _options(asked["options"] or "")
    largest, descending = _max(options.get("max", "200")), options.get("order") == "desc"
    # Things of one second keep their order, also when it is turned around.
    rest = sorted(items, key=lambda item: _rank(item[field]))
    if descending:
        rest.reverse()
    if asked["first"]:
        start = next(
            (place for place, item in enumerate(rest) if str(item[field]) == asked["first"]),
            len(rest),
        )
        rest = rest[start + bool(asked["after"]) :]
    shown = rest[:largest]
    if len(rest) == len(shown):
        return Page(shown, None)
    order = ",order=desc" if descending else ""
    return Page(shown, f"{field} ]{shown[-1][field]}..; max={largest}{order}")


def _options(text: str) -> dict[str, str]:
    return dict(part.strip().split("=", 1) for part in text.split(",") if "=" in part)


def _max(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= LARGEST:
        raise BadRange(f"Invalid `max`: from 1 to {LARGEST}.")
    return int(text)


def _rank(value: object) -> tuple[int, str]:
    return (value, "") if isinstance(value, int) else (0, str(value))
