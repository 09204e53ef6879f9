"""The commands that only read: from the database, beside a bridge that may be running."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from packaging.version import Version
from pydantic import JsonValue
from rich.table import Table
from rich.text import Text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError, ProgrammingError
from sqlmodel import Session

from bridge import audit
from bridge.cli.common import AsJson, app, end, out, record_app
from bridge.errors import Misconfigured
from bridge.kit.clock import system_clock
from bridge.release import Release, Stage, Transition
from bridge.settings import load
from bridge.store import Store, record, releases
from bridge.web.present import ago, how_on, mark, release_json, standing_since

T = TypeVar("T")
COLOURS = {Stage.VERIFIED: "green", Stage.FAILED: "red", Stage.ROLLED_BACK: "red"}


@app.command("releases")
def list_releases(
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20, as_json: AsJson = False
) -> None:
    """The history, newest first."""
    found = ask(lambda session: releases.newest(session, limit))
    if as_json:
        return print_json([release_json(release, []) for release in found])
    if not found:
        return out.print("No version has been announced yet.")
    table = Table("version", "stage", "since", "why", box=None, padding=(0, 2, 0, 0))
    now = system_clock()
    for release in found:
        stage = Text(f"{mark(release.stage)} {release.stage.value}", COLOURS.get(release.stage, ""))
        table.add_row(
            f"{release.package} {release.version}",
            stage,
            ago(release.since, now),
            Text(release.sentence),
        )
    out.print(table)
    return None


@app.command()
def show(package: str, version: str, as_json: AsJson = False) -> None:
    """One version's releases, with every line of their record."""
    found = _found(package, version)
    if as_json:
        return print_json([release_json(release, lines) for release, lines in found])
    for release, lines in found:
        out.print(f"[bold]{release.package} {release.version}[/] in {release.pipeline}")
        out.print(Text(f"{mark(release.stage)} {release.stage.value}: {release.sentence}"))
        table = Table("line", "when", "what", "why", box=None, padding=(0, 2, 0, 0))
        for line in lines:
            what = f"→ {line.to_stage}" if line.kind == "move" else line.kind
            when = line.recorded_at.strftime("%Y-%m-%d %H:%M:%S")
            table.add_row(str(line.seq), when, what, Text(line.sentence))
        out.print(table)
    return None


@app.command()
def why(package: str, version: str, as_json: AsJson = False) -> None:
    """Why a version stands where it stands, since when, for whom it waits, and what would let it
    go on. Exit 1 unless it is verified."""
    found = _found(package, version)
    now = system_clock()
    if as_json:
        print_json([release_json(release, lines) for release, lines in found])
    for release, lines in found if not as_json else []:
        where = f"{release.pipeline}: {release.stage.value} since {ago(release.since, now)}."
        out.print(Text(f"{where} {release.sentence}"))
        if ahead := how_on(release):
            since = ago(standing_since(release, lines), now)
            out.print(Text(f"  Waits for {ahead.who}, since {since}. {ahead.what}"))
    if any(release.stage is not Stage.VERIFIED for release, _ in found):
        raise typer.Exit(1)


@record_app.command()
def verify(as_json: AsJson = False) -> None:
    """Check the whole chain. Exit 1 and the first bad line if it does not hold."""
    verdict = ask(lambda session: audit.verify(record.chain(session)))
    told: dict[str, JsonValue] = {
        "holds": verdict.holds,
        "lines": verdict.lines,
        "head": verdict.head,
        "bad_seq": verdict.bad_seq,
        "problem": verdict.problem,
    }
    if as_json:
        print_json([told])
    elif verdict.holds:
        out.print(f"The chain holds: {verdict.lines} lines, head {verdict.head}")
    else:
        out.print(f"[red]Line {verdict.bad_seq} is bad:[/] {verdict.problem}.")
        out.print(f"{verdict.lines} lines before it hold.")
    if not verdict.holds:
        raise typer.Exit(1)


def _found(package: str, version: str) -> list[tuple[Release, Sequence[Transition]]]:
    try:
        spelled = str(Version(version))
    except ValueError:
        end(2, f"{version} is not a version.")

    def look(session: Session) -> list[tuple[Release, Sequence[Transition]]]:
        found = releases.find(session, package, spelled)
        return [(release, record.of_release(session, release.key)) for release in found]

    found = ask(look)
    if not found:
        end(1, f"No release of {package} {spelled} is known. `bridge releases` lists what is.")
    return found


def ask(look: Callable[[Session], T]) -> T:
    """Ask the database, without making one that is not there."""
    url = load().database_url
    try:
        file = make_url(url).database
    except ArgumentError:
        raise Misconfigured("database_url: it is not a database address") from None
    if url.startswith("sqlite") and not (file and Path(file).is_file()):
        raise Misconfigured("database_url: there is no such file. `bridge serve` makes it.")
    store = Store(url)
    try:
        return store.read_now(look)
    except (OperationalError, ProgrammingError) as error:
        why = f"it holds no bridge's data ({error.orig})"
        raise Misconfigured(f"database_url: {why}. `bridge serve` makes it.") from None
    finally:
        store.close()


def print_json(value: Sequence[dict[str, JsonValue]]) -> None:
    """For programs."""
    out.print_json(json.dumps(value))
