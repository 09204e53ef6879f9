"""A person's word about a version that shall not serve, each with a reason that goes on record."""

import asyncio
import getpass
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.text import Text
from sqlmodel import Session

from bridge import recall
from bridge.cli.common import app, out
from bridge.cli.inbox import DryRun, Why
from bridge.cli.read import ask
from bridge.errors import Reason
from bridge.kit.clock import system_clock
from bridge.settings import load
from bridge.store import Store

Until = Annotated[
    datetime | None, typer.Option(help="When it ends by itself, in UTC; else a person ends it.")
]


@app.command()
def quarantine(
    package: str, version: str, reason: Why, until: Until = None, dry_run: DryRun = False
) -> None:
    """Have a version not proposed, merged or built until this is lifted or over."""
    who, end = getpass.getuser(), until.replace(tzinfo=UTC) if until else None
    _do(
        lambda session: recall.may_quarantine(session, package, version, end, who=who, why=reason),
        lambda session: recall.quarantine(
            session, package, version, end, who=who, why=reason, now=system_clock()
        ),
        dry_run,
    )


@app.command("release-quarantine")
def release_quarantine(package: str, version: str, reason: Why, dry_run: DryRun = False) -> None:
    """Lift a version's quarantine: it goes on where it waits; if it ended, `retry` may follow."""
    told = {"who": getpass.getuser(), "why": reason}
    now = system_clock()
    _do(
        lambda session: recall.may_lift(session, package, version, now=now, **told),
        lambda session: recall.lift(session, package, version, now=now, **told),
        dry_run,
    )


@app.command()
def rollback(package: str, version: str, reason: Why, dry_run: DryRun = False) -> None:
    """Take a version that serves out of production: the one verified before is put back."""
    told = {"who": getpass.getuser(), "why": reason}
    now = system_clock()
    _do(
        lambda session: recall.may_roll_back(session, package, version, now=now, **told),
        lambda session: recall.roll_back(session, package, version, now=now, **told),
        dry_run,
    )


def _do(
    would: Callable[[Session], Reason], does: Callable[[Session], Reason], dry_run: bool
) -> None:
    """Ask first, which makes no database; then do it and say what was done."""
    told = ask(would)
    if dry_run:
        return out.print(Text(f"Would be done: {told.sentence}"))
    store = Store(load().database_url)
    try:
        done = asyncio.run(store.write(does))
    finally:
        store.close()
    return out.print(Text(done.sentence))
