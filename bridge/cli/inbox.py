"""The inbox's commands: what came, and what a person does about what is parked."""

import asyncio
import getpass
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from bridge import meter, operator
from bridge.cli.common import AsJson, app, out
from bridge.cli.notify import list_notices
from bridge.cli.read import ask, print_json
from bridge.delivery import Delivery, DeliveryState
from bridge.kit.clock import system_clock
from bridge.notice import Notice
from bridge.settings import load
from bridge.store import Store, deliveries
from bridge.web.present import ago, delivery_json

Id = Annotated[int, typer.Argument(help="The delivery's number, as `bridge deliveries` shows it.")]
Why = Annotated[str, typer.Option("--reason", help="Why; it goes on record.")]
Out = Annotated[
    bool, typer.Option("--out", help="What the bridge sends, instead of what it was sent.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, do nothing.")]


@app.command("deliveries")
def list_deliveries(
    parked: Annotated[bool, typer.Option("--parked", help="Only what waits for a person.")] = False,
    lost: Annotated[bool, typer.Option("--lost", help="Only how many never came.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    as_json: AsJson = False,
    outgoing: Out = False,
) -> None:
    """What was sent to the bridge, newest first, what became of it, and how much never came."""
    if lost:
        return _what_never_came(as_json)
    state = DeliveryState.PARKED if parked else None
    if outgoing:
        return list_notices(limit, state, as_json)
    found = ask(lambda session: deliveries.newest(session, limit, state=state))
    if as_json:
        return print_json([delivery_json(delivery) for delivery in found])
    if not parked:
        _what_never_came()
    if not found:
        return out.print("Nothing is parked." if parked else "Nothing was delivered yet.")
    table = Table("id", "source", "event", "when", "state", "why", box=None, padding=(0, 2, 0, 0))
    now = system_clock()
    for one in found:
        words = (str(one.id), one.source, one.event, ago(one.received_at, now), one.state.value)
        table.add_row(*(Text(word) for word in (*words, one.sentence)))
    out.print(table)
    return None


@app.command()
def replay(identifier: Id, reason: Why, dry_run: DryRun = False, outgoing: Out = False) -> None:
    """Have a parked delivery handled again, or a notice that goes out sent again."""
    _act(operator.Act.REPLAY, identifier, reason, dry_run, Notice if outgoing else Delivery)


@app.command()
def discard(identifier: Id, reason: Why, dry_run: DryRun = False, outgoing: Out = False) -> None:
    """Put a delivery, or a notice that goes out, aside for good; its row stays."""
    _act(operator.Act.DISCARD, identifier, reason, dry_run, Notice if outgoing else Delivery)


def _what_never_came(as_json: bool = False) -> None:
    meters = ask(meter.read)
    if as_json:
        return print_json([one.as_json() for one in meters])
    for one in meters:
        out.print(Text(one.reason.sentence))
    return None


def _act(
    act: operator.Act,
    identifier: int,
    why: str,
    dry_run: bool,
    of: type[Delivery] | type[Notice],
) -> None:
    who = getpass.getuser()
    told = ask(lambda session: operator.may(session, act, identifier, who=who, why=why, of=of))
    if dry_run:
        return out.print(Text(f"Would be done: {told.sentence}"))
    store = Store(load().database_url)
    try:
        done = asyncio.run(
            store.write(
                lambda session: operator.do(
                    session, act, identifier, who=who, why=why, now=system_clock(), of=of
                )
            )
        )
    finally:
        store.close()
    out.print(Text(done.sentence))
    return None
