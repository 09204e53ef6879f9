"""What a person does about a release, each with a reason that goes on record."""

import asyncio
import getpass
from typing import Annotated

import typer
from rich.text import Text

from bridge import operator
from bridge.cli.common import app, out
from bridge.cli.inbox import DryRun, Why
from bridge.cli.read import ask
from bridge.facts import Allowance
from bridge.kit.clock import system_clock
from bridge.settings import load
from bridge.store import Store

Allow = Annotated[
    list[Allowance] | None,
    typer.Option(help="What is refused otherwise, and allowed for this version only; repeatable."),
]


@app.command()
def retry(
    package: str, version: str, reason: Why, allow: Allow = None, dry_run: DryRun = False
) -> None:
    """Have a version that failed or was superseded go its way again, from its announcement."""
    who, allowed = getpass.getuser(), allow or []
    told = ask(
        lambda session: operator.may_retry(
            session, package, version, allowed, who=who, why=reason, now=system_clock()
        )
    )
    if dry_run:
        return out.print(Text(f"Would be done: {told.sentence}"))
    store = Store(load().database_url)
    try:
        done = asyncio.run(
            store.write(
                lambda session: operator.retry(
                    session, package, version, allowed, who=who, why=reason, now=system_clock()
                )
            )
        )
    finally:
        store.close()
    out.print(Text(done.sentence))
    return None
