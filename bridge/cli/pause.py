"""The stop button."""

import asyncio
import getpass
from typing import Annotated

import typer
from rich.text import Text

from bridge.cli.common import app, out
from bridge.cli.inbox import DryRun, Why
from bridge.cli.read import ask
from bridge.kit.clock import system_clock
from bridge.pausing import Button, may, press
from bridge.settings import load
from bridge.store import Store

Which = Annotated[str | None, typer.Argument(help="One pipeline; without it, everything.")]


@app.command()
def pause(reason: Why, pipeline: Which = None, dry_run: DryRun = False) -> None:
    """Propose, merge and build nothing any more, until `bridge resume`; what comes is kept."""
    _press(Button.PAUSE, pipeline, reason, dry_run)


@app.command()
def resume(reason: Why, pipeline: Which = None, dry_run: DryRun = False) -> None:
    """Go on after `bridge pause`."""
    _press(Button.RESUME, pipeline, reason, dry_run)


def _press(button: Button, pipeline: str | None, why: str, dry_run: bool) -> None:
    who, settings = getpass.getuser(), load()
    known = [one.name for one in settings.pipeline]
    told = ask(lambda session: may(session, button, pipeline, known, who=who, why=why))
    if dry_run:
        return out.print(Text(f"Would be done: {told.sentence}"))
    store, now = Store(settings.database_url), system_clock()
    try:
        done = asyncio.run(
            store.write(
                lambda session: press(session, button, pipeline, known, who=who, why=why, now=now)
            )
        )
    finally:
        store.close()
    out.print(Text(done.sentence))
    return None
