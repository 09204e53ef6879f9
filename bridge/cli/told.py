"""What stands where, as lines for people: one function a shape. Pure, but for the time."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.text import Text

from bridge.cli import lists
from bridge.cli.layout import INDENT, Cell, packed, sentence, table
from bridge.cli.lists import ago, since, words
from bridge.sentences import say, span
from bridge.unblock import NOBODY

if TYPE_CHECKING:
    from bridge.web.shapes import (
        Board,
        Comparison,
        Measure,
        Now,
        Numbers,
        ReleasePage,
        Serving,
        Stop,
        Tile,
    )

STOPS = {"done": "✓", "now": "●", "ahead": "○"}
VERDICTS = {"passed": "✓ ", "broken": "✗ ", "unknown": "? "}


def why(page: "ReleasePage", width: int) -> Iterator[Text]:
    """Why a release stands where it stands, and what would let it go on."""
    where = f"{page.pipeline}: {words(page.stage.value)} since {since(page.since)}."
    yield sentence(f"{where} {page.reason.sentence}", width)
    if page.unblock:
        begun = page.reason_since or page.since
        yield sentence(_waits(page.unblock.who, page.unblock.what, begun), width, indent=2)


def page(one: "ReleasePage", width: int) -> Iterator[Text]:
    """Everything about one release."""
    yield sentence(Text(f"{one.package} {one.version} in {one.pipeline}", "bold"), width)
    yield sentence(f"{one.mark} {words(one.stage.value)}: {one.reason.sentence}", width)
    if one.unblock:
        yield from list(why(one, width))[1:]
    yield rail(one.rail, width)
    if one.comparison:
        yield Text()
        yield from _comparison(one.comparison, width)
    if one.evidence_links:
        yield Text()
        links = [(link.name, f"{link.text} {link.url or ''}") for link in one.evidence_links]
        yield from table(["evidence", ""], links, width)
    yield Text()
    yield from table(*lists.lines(one.transitions), width)
    yield Text()


def rail(stops: "Sequence[Stop]", width: int, indent: int = 2) -> Text:
    """The stages in order: what was earned and how long it took, where it stands, what is ahead."""
    told = []
    for stop in stops:
        took = f" {span(stop.took_s)}" if stop.took_s is not None else ""
        style = {"done": "green", "now": "bold", "ahead": "dim"}[stop.state]
        told.append(Text(f"{STOPS[stop.state]} {words(stop.stage.value)}{took}", style))
    return packed(told, width, indent)


def now(found: "Now", width: int) -> Iterator[Text]:
    """What matters most; then what serves, what is on its way, and why it waits."""
    from bridge.web.headline import headline

    first = headline(found)
    yield sentence(Text(f"{first.sign} {first.sentence}", "bold"), width)
    yield Text()
    for pause in found.pauses:
        if pause.pipeline is None:
            yield sentence(Text(f"‖ {pause.sentence}", "yellow"), width)
    if not found.tiles:
        yield sentence(say("cli_no_pipelines").sentence, width)
    for tile in found.tiles:
        yield from _tile(tile, width)
    for meter in found.webhooks:
        yield sentence(meter.reason.sentence, width)
    if found.parked:
        yield sentence(say("cli_parked", count=found.parked).sentence, width)


def board(one: "Board", width: int) -> Iterator[Text]:
    """What one pipeline's neighbours have, and the gaps between them."""
    yield sentence(Text(one.pipeline, "bold"), width)
    versions = (one.newest, one.pinned, one.deployed, one.serving)
    heads = ["index", "branch", "Heroku", "API", "seen"]
    yield from table(heads, [(*(version or "?" for version in versions), ago(one.at))], width)
    for gap in one.gaps:
        if gap.sentence:
            yield sentence(f"{gap.verdict}, {gap.between}: {gap.sentence}", width, indent=2)


def numbers(found: "Numbers", width: int) -> Iterator[Text]:
    """DORA's five, where the time goes, what never came."""
    of = found.pipeline or "all pipelines"
    told = f"{found.from_} to {found.to}, {of}"
    yield sentence(Text(told, "bold"), width)
    heads = ["measure", "value", "of", "definition"]
    cells: list[tuple[Cell, ...]] = [
        (one.title, _value(one), str(one.count), one.definition) for one in found.dora
    ]
    yield from table(heads, cells, width)
    yield Text()
    cells = [
        (words(one.stage.value), _span(one.p50_s), _span(one.p90_s), str(one.count))
        for one in found.stages
    ]
    yield from table(["stage", "half within", "nine of ten within", "of"], cells, width)
    yield Text()
    for meter in found.webhooks:
        yield sentence(meter.reason.sentence, width)


def _tile(tile: "Tile", width: int) -> Iterator[Text]:
    yield sentence(Text(f"{tile.pipeline}: {tile.package} on {tile.app}", "bold"), width)
    if tile.paused and tile.paused.pipeline:
        yield sentence(Text(f"‖ {tile.paused.sentence}", "yellow"), width, indent=2)
    if tile.serving:
        yield sentence(_serving(tile.serving), width, indent=2)
    else:
        yield sentence(say("cli_nothing_serves").sentence, width, indent=2)
    for row in tile.under_way:
        where = f"{row.mark} {row.version} is {words(row.stage.value)} since {since(row.since)}:"
        yield sentence(f"{where} {row.reason.sentence}", width, indent=2)
        if row.waits_for:
            waits = row.waits_for
            yield sentence(_waits(waits.who, waits.what, waits.since), width, INDENT)
        yield rail(row.rail, width, INDENT)
    if failed := tile.last_failure:
        known = {"version": failed.version, "since": ago(failed.since)}
        told = say("cli_failed_last", why=failed.reason.sentence, **known)
        from bridge.web.headline import missed

        is_next = missed(tile) is not None
        colour = "red" if is_next else "dim"
        yield sentence(Text(f"{failed.mark} {told.sentence}", colour), width, indent=2)
        if is_next and failed.waits_for:
            waits = failed.waits_for
            yield sentence(_waits(waits.who, waits.what, waits.since), width, INDENT)
    for gap in tile.drift.gaps if tile.drift else []:
        if gap.verdict == "surprise":
            yield sentence(Text(f"! {gap.between}: {gap.sentence}", "yellow"), width, indent=2)
    yield Text()


def _waits(who: str, what: str, begun: datetime) -> str:
    """Nobody is waited for where the bridge goes on by itself."""
    if who == NOBODY:
        return what
    return say("cli_waits", who=who, what=what, since=since(begun)).sentence


def _serving(one: "Serving") -> Text:
    sign, colour = ("✓", "green") if one.proven else ("?", "yellow")
    begun = f" since {since(one.since)}" if one.since else ""
    proof = "proven" if one.proven else "not proven"
    return Text(f"{sign} {one.version} serves{begun}, {proof}: {one.sentence}", colour)


def _comparison(told: "Comparison", width: int) -> Iterator[Text]:
    yield sentence(told.headline.sentence, width)
    cells: list[tuple[Cell, ...]] = [
        (
            metric.name,
            _number(metric.old),
            _number(metric.new),
            "?" if metric.change is None else f"{metric.change:+.1%}",
            f"{VERDICTS.get(metric.verdict or '', '')}{metric.rule}",
        )
        for metric in told.metrics
    ]
    heads = ["metric", told.old_version or "before", told.new_version, "change", "gate"]
    if cells:
        yield from table(heads, cells, width)


def _value(one: "Measure") -> str:
    if one.value is None:
        return "–"
    match one.unit:
        case "seconds":
            return span(one.value)
        case "share":
            return f"{one.value:.0%}"
    return f"{one.value:.2g} a day"


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.6g}"


def _span(value: float | None) -> str:
    return "–" if value is None else span(value)
