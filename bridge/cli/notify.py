"""Whom the bridge tells: list them, try one, and see what goes out."""

import asyncio
import secrets
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text
from sqlmodel import Session, col, func, select

from bridge.cli.common import AsJson, app, out
from bridge.cli.read import ask, print_json
from bridge.delivery import DeliveryState
from bridge.errors import BridgeError, Misconfigured
from bridge.kit.clock import system_clock
from bridge.notice import Notice
from bridge.notify.letter import of_test
from bridge.settings import Settings, load
from bridge.store import outbox
from bridge.web.present import ago, notice_json


@app.command()
def notify(
    test: Annotated[
        str | None, typer.Option(metavar="TARGET", help="Tell this one something harmless, now.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print it, send nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Who is told of what, and how much waits to be told."""
    settings = load()
    if test is not None:
        return _try(settings, test, dry_run)
    told = [(target, _asked_by(settings, target.name)) for target in settings.target]
    counts = ask(_counts) if told else {}
    waiting, parked = DeliveryState.NEW, DeliveryState.PARKED
    if as_json:
        return print_json(
            [
                {
                    "target": target.name,
                    "kind": target.kind,
                    "about": [*about],
                    "waiting": counts.get((target.name, waiting), 0),
                    "parked": counts.get((target.name, parked), 0),
                }
                for target, about in told
            ]
        )
    if not told:
        return out.print("Nobody is told. docs/notifications.md says how to name a target.")
    table = Table("target", "kind", "about", "waiting", "parked", box=None, padding=(0, 2, 0, 0))
    for target, about in told:
        numbers = (str(counts.get((target.name, state), 0)) for state in (waiting, parked))
        table.add_row(target.name, target.kind, ", ".join(about) or "nothing", *numbers)
    out.print(table)
    return None


def list_notices(limit: int, state: DeliveryState | None, as_json: bool) -> None:
    """What goes out, newest first, and what became of it."""
    found = ask(lambda session: outbox.newest(session, limit, state=state))
    if as_json:
        return print_json([notice_json(notice) for notice in found])
    if not found:
        return out.print("Nothing is parked." if state else "Nobody was told anything yet.")
    table = Table("id", "target", "about", "when", "state", "why", box=None, padding=(0, 2, 0, 0))
    now = system_clock()
    for one in found:
        words = (str(one.id), one.target, one.about, ago(one.created_at, now), one.state.value)
        table.add_row(*(Text(word) for word in (*words, one.sentence)))
    out.print(table)
    return None


def _asked_by(settings: Settings, target: str) -> list[str]:
    asked = (tell for pipeline in settings.pipeline for tell in pipeline.notify)
    return list(dict.fromkeys(about for tell in asked if tell.to == target for about in tell.about))


def _counts(session: Session) -> dict[tuple[str, str], int]:
    rows = session.exec(
        select(Notice.target, Notice.state, func.count()).group_by(
            col(Notice.target), col(Notice.state)
        )
    )
    return {(target, state): count for target, state, count in rows}


def _try(settings: Settings, name: str, dry_run: bool) -> None:
    from bridge.bootstrap import Bridge

    body = of_test(name, system_clock(), settings.public_url)
    if name not in {target.name for target in settings.target}:
        raise Misconfigured(f"target {name}: bridge.toml has none of this name")
    if dry_run:
        return out.print(Text(f"Would be sent to {name}: {body}"))
    bridge = Bridge(settings)

    async def send() -> None:
        try:
            await bridge.neighbours.targets[name].send(f"msg_{secrets.token_hex(16)}", body)
        finally:
            await bridge.neighbours.close()

    try:
        asyncio.run(send())
    except Misconfigured:
        raise
    except BridgeError as error:
        out.print(Text(settings.secrets().out_of(f"{error}")))
        raise typer.Exit(1) from None
    finally:
        bridge.store.close()
    out.print(f"{name} took it.")
    return None
