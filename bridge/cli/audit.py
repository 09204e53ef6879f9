"""The record: whether it is whole, what it says, what served at a time."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli import lists, screen, words
from bridge.cli.ask import ask
from bridge.cli.common import LOOK, command, record_app
from bridge.sentences import say

if TYPE_CHECKING:
    from bridge.web.shapes import ChainVerdict

Moment = Annotated[
    datetime,
    typer.Argument(
        metavar="TIME",
        help="A day or a moment, in UTC.",
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    ),
]


@command(LOOK, "bridge audit verify", "bridge audit verify --json", group=record_app)
def verify(as_json: words.AsJson = False, url: words.Url = None) -> None:
    """Check the whole chain, here and now; of a bridge elsewhere, tell what it found last. Exit 1
    and the first bad line if it does not hold."""
    verdict = _verdict(url)
    if as_json:
        screen.print_json(verdict)
    elif verdict.holds:
        screen.tell(say("cli_chain_holds", lines=verdict.lines, head=verdict.head).sentence)
    else:
        what = {"seq": verdict.bad_seq, "problem": verdict.problem, "lines": verdict.lines}
        screen.tell(say("cli_chain_broken", **what).sentence)
    if not verdict.holds:
        raise typer.Exit(1)


@command(
    LOOK,
    "bridge audit lines --actor rosa --since 2026-11-01",
    "bridge audit lines --code verified --json",
    group=record_app,
)
def lines(
    actor: words.Actor = None,
    code: Annotated[
        str | None, typer.Option(metavar="CODE", help="Only lines of this reason.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(metavar="KIND", help="move, note, intent, act, alarm, repair.")
    ] = None,
    version: words.OfVersion = None,
    since: words.Since = None,
    limit: words.Limit = 20,
    after: words.After = None,
    as_json: words.AsJson = False,
    url: words.Url = None,
) -> None:
    """Lines of the record, newest first: who did what, when, why."""
    from bridge.web.shapes import AuditPage

    filters = {"actor": actor, "code": code, "kind": kind, "version": version, "after": after}
    filters |= {"from": since.isoformat() if since else None}
    found = ask(url, lambda bridge: bridge.get(AuditPage, "/audit", limit=limit, **filters)).lines
    if as_json:
        return screen.print_json(found)
    if not found.items and not found.after:
        return screen.tell(say("cli_nothing_found").sentence)
    screen.table(*lists.record(found.items))
    return screen.more(found.after)


@command(LOOK, "bridge audit at 2026-11-23T09:00", "bridge audit at 2026-11-01", group=record_app)
def at(time: Moment, as_json: words.AsJson = False, url: words.Url = None) -> None:
    """What was serving at a time, and whether that was proven then. Exit 1 unless all was."""
    from bridge.web.shapes import AuditPage

    asked = time.replace(tzinfo=UTC).isoformat()
    found = ask(url, lambda bridge: bridge.get(AuditPage, "/audit", at=asked, limit=1)).at
    if as_json:
        screen.print_json(found.model_dump(mode="json") if found else None)
    elif not found or not found.serving:
        screen.tell(say("cli_nothing_found").sentence)
    else:
        screen.table(*lists.served(found.serving))
    if not found or not all(one.proven for one in found.serving):
        raise typer.Exit(1)


def _verdict(url: str | None) -> "ChainVerdict":
    from bridge.web.shapes import AuditPage

    if url:
        return ask(url, lambda bridge: bridge.get(AuditPage, "/audit", limit=1)).verdict
    from bridge.cli.beside import whole_chain

    return whole_chain()
