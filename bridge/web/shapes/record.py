"""The record."""

from bridge.web.shapes.common import Moment, Page, Shape
from bridge.web.shapes.one import Line


class AuditLine(Line):
    """A line with the release that it is about."""

    release: int
    pipeline: str
    package: str
    version: str


class ChainVerdict(Shape):
    """Whether the chain is whole: of `last` lines `lines` were walked, hold and end with `head`.

    `whole_at` is when every line was last walked from the first on, `checked_at` when the newest
    were.
    """

    holds: bool
    lines: int
    last: int | None = None
    head: str
    bad_seq: int | None
    problem: str | None
    checked_at: Moment | None
    whole_at: Moment | None


class ServedAt(Shape):
    """What served in one pipeline at a time, and whether that was proven then."""

    pipeline: str
    version: str | None
    release_id: int | None
    proven: bool
    since: Moment | None
    until: Moment | None
    sentence: str


class AuditAt(Shape):
    """What was serving at `time`. `head` is the last line that was recorded until then."""

    time: Moment
    seq: int
    serving: list[ServedAt]


class AuditPage(Shape):
    """The record: some lines of it, whether the chain is whole, and what served at a time."""

    lines: Page[AuditLine]
    verdict: ChainVerdict
    at: AuditAt | None = None
