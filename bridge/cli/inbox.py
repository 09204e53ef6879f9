"""The inbox's commands: what came, and what a person does about what is parked."""

from typing import Annotated

import typer

from bridge.cli import lists, screen, words
from bridge.cli.ask import ask
from bridge.cli.common import ACT, LOOK, command
from bridge.cli.operate import act
from bridge.sentences import say

Id = Annotated[
    int,
    typer.Argument(metavar="ID", help="The delivery's number, as `bridge deliveries` shows it."),
]
Out = Annotated[
    bool, typer.Option("--out", help="What the bridge sends, instead of what it was sent.")
]


@command(
    LOOK,
    "bridge deliveries",
    "bridge deliveries --parked",
    "bridge deliveries --out --json",
    "bridge deliveries --lost",
)
def deliveries(
    parked: Annotated[bool, typer.Option("--parked", help="Only what waits for a person.")] = False,
    lost: Annotated[bool, typer.Option("--lost", help="Only how many never came.")] = False,
    outgoing: Out = False,
    limit: words.Limit = 20,
    after: words.After = None,
    as_json: words.AsJson = False,
    url: words.Url = None,
) -> None:
    """What was sent to the bridge, newest first, what became of it, and how much never came."""
    from bridge.web.shapes import DeliveryRow, NoticeRow, Page

    if lost:
        return _lost(url, as_json)
    asked = {"limit": limit, "after": after, "state": "parked" if parked else None}
    if outgoing:
        sent = ask(url, lambda bridge: bridge.get(Page[NoticeRow], "/deliveries/out", **asked))
        if as_json:
            return screen.print_json(sent)
        if not sent.items:
            return screen.tell(say("cli_nothing_parked" if parked else "cli_nobody_told").sentence)
        screen.table(*lists.notices(sent.items))
        return screen.more(sent.after)
    came = ask(url, lambda bridge: bridge.get(Page[DeliveryRow], "/deliveries", **asked))
    if as_json:
        return screen.print_json(came)
    if not parked:
        _lost(url, as_json)
    if not came.items:
        return screen.tell(
            say("cli_nothing_parked" if parked else "cli_nothing_delivered").sentence
        )
    screen.table(*lists.deliveries(came.items))
    return screen.more(came.after)


@command(
    ACT,
    'bridge replay 17 --reason "the token is mended"',
    "bridge replay 3 --out --reason again --dry-run",
)
def replay(
    identifier: Id,
    reason: words.Reason,
    outgoing: Out = False,
    dry_run: words.DryRun = False,
    as_json: words.AsJson = False,
    url: words.Url = None,
) -> None:
    """Have a parked delivery handled again, or a notice that goes out sent again."""
    act(url, _path(identifier, outgoing, "replay"), {"reason": reason, "dry_run": dry_run}, as_json)


@command(ACT, 'bridge discard 17 --reason "a test of the sender"')
def discard(
    identifier: Id,
    reason: words.Reason,
    outgoing: Out = False,
    dry_run: words.DryRun = False,
    as_json: words.AsJson = False,
    url: words.Url = None,
) -> None:
    """Put a delivery, or a notice that goes out, aside for good; its row stays."""
    path = _path(identifier, outgoing, "discard")
    act(url, path, {"reason": reason, "dry_run": dry_run}, as_json)


def _path(identifier: int, outgoing: bool, name: str) -> str:
    return f"/deliveries/{'out/' if outgoing else ''}{identifier}/{name}"


def _lost(url: str | None, as_json: bool) -> None:
    """How much never came."""
    from bridge.web.shapes import Now

    meters = ask(url, lambda bridge: bridge.get(Now, "/now")).webhooks
    if as_json:
        return screen.print_json({"items": [one.model_dump(mode="json") for one in meters]})
    for one in meters:
        screen.tell(one.reason.sentence)
    return None
