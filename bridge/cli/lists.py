"""What is listed, as headings and rows, the sentence in the last column. Pure, but for the time."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.text import Text

from bridge.cli.layout import Cell
from bridge.sentences import span

if TYPE_CHECKING:
    from bridge.web.shapes import AuditLine, DeliveryRow, Line, NoticeRow, ReleaseRow, ServedAt

COLOURS = {"verified": "green", "failed": "red", "rolling_back": "red", "rolled_back": "red"}
Table = tuple[list[str], list[tuple[Cell, ...]]]


def ago(moment: datetime) -> str:
    """How long ago, as people say it."""
    return f"{span(max((datetime.now(UTC) - moment).total_seconds(), 0))} ago"


def since(moment: datetime) -> str:
    """The moment, and how long ago."""
    return f"{moment:%Y-%m-%d %H:%M} UTC ({ago(moment)})"


def releases(found: "Sequence[ReleaseRow]") -> Table:
    """Releases in a list."""
    return ["version", "stage", "moved", "pipeline", "why"], [
        (
            f"{row.package} {row.version}",
            staged(row),
            ago(row.since),
            row.pipeline,
            row.reason.sentence,
        )
        for row in found
    ]


def words(name: str) -> str:
    """A stage, or another name of ours, in words."""
    return name.replace("_", " ")


def staged(row: "ReleaseRow") -> Text:
    """A stage with its sign: colour alone says nothing."""
    return Text(f"{row.mark} {words(row.stage.value)}", COLOURS.get(row.stage.value, ""))


def deliveries(found: "Sequence[DeliveryRow]") -> Table:
    """What came."""
    return ["id", "source", "event", "when", "verdict", "why"], [
        (
            str(one.id),
            one.source,
            one.event or "–",
            ago(one.received_at),
            one.verdict,
            one.sentence,
        )
        for one in found
    ]


def notices(found: "Sequence[NoticeRow]") -> Table:
    """What goes out."""
    return ["id", "target", "about", "when", "state", "why"], [
        (
            str(one.id),
            one.target,
            words(one.about),
            ago(one.created_at),
            one.state.value,
            one.sentence,
        )
        for one in found
    ]


def lines(found: "Sequence[Line]") -> Table:
    """Lines of the record."""
    return ["line", "when (UTC)", "what", "who", "why"], [_line(line) for line in found]


def record(found: "Sequence[AuditLine]") -> Table:
    """The same, each with the version that it is about."""
    return ["version", "line", "when (UTC)", "what", "who", "why"], [
        (f"{line.package} {line.version}", *_line(line)) for line in found
    ]


def _line(line: "Line") -> tuple[str, ...]:
    what = f"→ {words(line.to)}" if line.kind == "move" else line.kind
    when = f"{line.recorded_at:%Y-%m-%d %H:%M:%S}"
    return str(line.seq), when, what, line.actor, line.reason.sentence


def served(found: "Sequence[ServedAt]") -> Table:
    """What served at a time."""
    return ["pipeline", "version", "proven", "why"], [
        (one.pipeline, one.version or "–", "✓ proven" if one.proven else "? not", one.sentence)
        for one in found
    ]
