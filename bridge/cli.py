"""The command line. Exit codes: 0 done, 1 the answer is no, 2 wrong words, 3 nobody answers."""

import ipaddress
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer
from pydantic import JsonValue
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from bridge import __version__, audit
from bridge.errors import BridgeError, Misconfigured, Refused, Unavailable
from bridge.kit.clock import system_clock
from bridge.kit.log import configure
from bridge.release import Release, Stage, Transition
from bridge.settings import load
from bridge.store import Store, record, releases
from bridge.web.present import ago, mark, release_json

T = TypeVar("T")
app = typer.Typer(
    help="Bridge carries every version of a model from uploaded to proven serving.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
record_app = typer.Typer(help="The record that an auditor can check.", no_args_is_help=True)
app.add_typer(record_app, name="audit")
out = Console()
err = Console(stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
COLOURS = {Stage.VERIFIED: "green", Stage.FAILED: "red", Stage.ROLLED_BACK: "red"}


def main() -> None:
    """Run a command; bad news becomes one clear line and an exit code."""
    try:
        app()
    except Misconfigured as error:
        _end(2, f"The configuration cannot work.\n{error}")
    except Unavailable as error:
        _end(3, f"{error}")
    except Refused as error:
        _end(1, f"{error}")
    except BridgeError as error:
        _end(2, f"{error}")


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    """Bridge carries every version of a model from uploaded to proven serving."""
    if show:
        out.print(__version__)
        raise typer.Exit


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8000,
) -> None:
    """Receive webhooks, carry releases and show the pages, in one process."""
    import uvicorn

    from bridge.bootstrap import Bridge, must_have_pipelines
    from bridge.web.app import create_app

    settings = load()
    must_have_pipelines(settings)
    configure(json=not sys.stderr.isatty())
    local = _is_loopback(host)
    if not local:
        err.print(
            "Beyond this machine only webhooks and /livez, /readyz are served: no sign-in yet."
        )
    web = create_app(Bridge(settings), with_pages=local)
    uvicorn.run(web, host=host, port=port, access_log=False, log_level="warning")


@app.command()
def announce(
    dist: Annotated[list[Path], typer.Argument(help="The built files.", exists=True)],
    url: Annotated[
        str, typer.Option(help="The bridge's address.", envvar="BRIDGE_URL")
    ] = "http://127.0.0.1:8000",
    commit: Annotated[str | None, typer.Option(envvar="CIRCLE_SHA1")] = None,
    tag: Annotated[str | None, typer.Option(envvar="CIRCLE_TAG")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print it, send nothing.")] = False,
) -> None:
    """Tell a bridge that these files were published: hash them, sign, send.

    The secret is the first one of BRIDGE_WEBHOOK_SECRETS__PUBLISHER.
    """
    from bridge.publisher.client import announcement, send

    now = system_clock()
    announced = announcement(dist, now, commit, tag)
    if dry_run:
        out.print_json(announced.body.decode())
        return
    keys = load().webhook_secrets.keys("publisher")
    if not keys:
        raise Misconfigured("BRIDGE_WEBHOOK_SECRETS__PUBLISHER: it is not set")
    out.print(f"The bridge says: {send(announced, url, keys[0], now)}")


@app.command("releases")
def list_releases(
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20, as_json: AsJson = False
) -> None:
    """The history, newest first."""
    found = _read(lambda session: releases.newest(session, limit))
    if as_json:
        return _print([release_json(release, []) for release in found])
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
        return _print([release_json(release, lines) for release, lines in found])
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
    """Why a version stands where it stands, in one sentence. Exit 1 unless it is verified."""
    found = [release for release, _ in _found(package, version)]
    now = system_clock()
    if as_json:
        _print([release_json(release, []) for release in found])
    for release in found if not as_json else []:
        where = f"{release.pipeline}: {release.stage.value} since {ago(release.since, now)}."
        out.print(Text(f"{where} {release.sentence}"))
    if any(release.stage is not Stage.VERIFIED for release in found):
        raise typer.Exit(1)


@record_app.command()
def verify(as_json: AsJson = False) -> None:
    """Check the whole chain. Exit 1 and the first bad line if it does not hold."""
    verdict = _read(lambda session: audit.verify(record.chain(session)))
    told: dict[str, JsonValue] = {
        "holds": verdict.holds,
        "lines": verdict.lines,
        "head": verdict.head,
        "bad_seq": verdict.bad_seq,
        "problem": verdict.problem,
    }
    if as_json:
        _print([told])
    elif verdict.holds:
        out.print(f"The chain holds: {verdict.lines} lines, head {verdict.head}")
    else:
        out.print(f"[red]Line {verdict.bad_seq} is bad:[/] {verdict.problem}.")
        out.print(f"{verdict.lines} lines before it hold.")
    if not verdict.holds:
        raise typer.Exit(1)


@app.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    store = Store(load().database_url)
    store.migrate()
    store.close()
    out.print("The schema is up to date.")


@app.command()
def rehearse(
    stay: Annotated[bool, typer.Option("--stay", help="Keep it running to click through.")] = False,
    as_json: AsJson = False,
    fault: Annotated[
        list[str] | None, typer.Option(help="Let something go wrong; 'list' tells what can.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides when faults strike.")] = 1,
) -> None:
    """The whole journey on this machine, twice: tag, train, publish, merge, deploy, verify."""
    try:
        from bridge.rehearsal.play import play
    except ImportError as error:
        raise Misconfigured(
            f"the rehearsal needs {error.name}: pip install 'model-bridge[rehearsal]'"
        ) from error
    raise typer.Exit(play(stay=stay, as_json=as_json, faults=fault or [], seed=seed))


def _found(package: str, version: str) -> list[tuple[Release, Sequence[Transition]]]:
    from packaging.utils import canonicalize_name

    name = canonicalize_name(package)

    def look(session: Session) -> list[tuple[Release, Sequence[Transition]]]:
        found = releases.find(session, name, version)
        return [(release, record.of_release(session, release.key)) for release in found]

    found = _read(look)
    if not found:
        _end(1, f"No release of {name} {version} is known. `bridge releases` lists what is.")
    return found


def _read(look: Callable[[Session], T]) -> T:
    url = load().database_url
    store = Store(url)
    try:
        return store.read_now(look)
    except OperationalError as error:
        raise Misconfigured(
            f"database_url: {url} holds no bridge's data ({error.orig}). `bridge serve` makes it."
        ) from None
    finally:
        store.close()


def _print(value: Sequence[dict[str, JsonValue]]) -> None:
    out.print_json(json.dumps(value))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _end(code: int, text: str) -> NoReturn:
    err.print(Text(text))
    sys.exit(code)
