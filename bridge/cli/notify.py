"""Whom the bridge tells: list them, try one, and see what goes out."""

import asyncio
import secrets
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli import screen
from bridge.cli.common import RUN, command
from bridge.cli.words import AsJson
from bridge.errors import BridgeError, Misconfigured
from bridge.sentences import say

if TYPE_CHECKING:
    from sqlmodel import Session

    from bridge.settings import Settings


@command(RUN, "bridge notify", "bridge notify --test chain --dry-run")
def notify(
    test: Annotated[
        str | None, typer.Option(metavar="TARGET", help="Tell this one something harmless, now.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print it, send nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Who is told of what, and how much waits to be told."""
    from bridge.cli.beside import at_rest
    from bridge.settings import load

    settings = load()
    if test is not None:
        return _try(settings, test, dry_run)
    told = [(target, _asked_by(settings, target.name)) for target in settings.target]
    counts: dict[tuple[str, str], int] = {}
    if told:
        with at_rest() as bridge:
            counts = bridge.store.read_now(_counts)
    if as_json:
        items = [
            {
                "target": target.name,
                "kind": target.kind,
                "about": [*about],
                "waiting": counts.get((target.name, "new"), 0),
                "parked": counts.get((target.name, "parked"), 0),
            }
            for target, about in told
        ]
        return screen.print_json({"items": items})
    if not told:
        return screen.tell(say("cli_no_targets").sentence)
    return screen.table(
        ["target", "kind", "waiting", "parked", "about"],
        [
            (
                target.name,
                target.kind,
                str(counts.get((target.name, "new"), 0)),
                str(counts.get((target.name, "parked"), 0)),
                ", ".join(about) or "nothing",
            )
            for target, about in told
        ],
    )


def _asked_by(settings: "Settings", target: str) -> list[str]:
    asked = (tell for pipeline in settings.pipeline for tell in pipeline.notify)
    return list(dict.fromkeys(about for tell in asked if tell.to == target for about in tell.about))


def _counts(session: "Session") -> dict[tuple[str, str], int]:
    from sqlmodel import col, func, select

    from bridge.notice import Notice

    rows = session.exec(
        select(Notice.target, Notice.state, func.count()).group_by(
            col(Notice.target), col(Notice.state)
        )
    )
    return {(target, f"{state}"): count for target, state, count in rows}


def _try(settings: "Settings", name: str, dry_run: bool) -> None:
    from bridge.bootstrap import Bridge
    from bridge.kit.clock import system_clock
    from bridge.notify.letter import of_test

    body = of_test(name, system_clock(), settings.public_url)
    if name not in {target.name for target in settings.target}:
        raise Misconfigured(f"target {name}: bridge.toml has none of this name")
    if dry_run:
        return screen.tell(say("cli_would_send", name=name, body=body).sentence)
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
        screen.tell(settings.secrets().out_of(f"{error}"))
        raise typer.Exit(1) from None
    finally:
        bridge.store.close()
    return screen.tell(say("cli_took_it", name=name).sentence)
