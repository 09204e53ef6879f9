"""The commands that do something."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from bridge.cli import screen
from bridge.cli.common import RUN, command, err
from bridge.cli.words import AsJson
from bridge.errors import Misconfigured
from bridge.sentences import say

if TYPE_CHECKING:
    from bridge.settings import Settings


@command(RUN, "bridge serve", "bridge serve --host 127.0.0.1 --port 8080")
def serve(
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="NUMBER", help="The port to listen on.")] = 8000,
) -> None:
    """Receive webhooks, carry releases and show the pages, in one process."""
    import gc

    from bridge.bell import Bell
    from bridge.bootstrap import Bridge, must_have_pipelines, must_use_https
    from bridge.kit.log import configure
    from bridge.settings import load
    from bridge.sign_in import is_loopback, must_know_people
    from bridge.store import start
    from bridge.web import server
    from bridge.web.app import create_app

    settings = load()
    must_have_pipelines(settings)
    must_use_https(settings)
    local = is_loopback(host)
    must_know_people(settings.web, settings.public_url, local=local)
    configure(not sys.stderr.isatty(), settings.log_level, settings.secrets())
    if settings.github.is_classic:
        err.print(Text(say("classic_token").sentence))
    bridge = Bridge(settings)
    bridge.keys()
    # uvicorn stops at SIGTERM, puts this handler back and raises the signal again.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    with start.alone(bridge.store):
        bridge.store.migrate()
        start.look(bridge.store)
        _greet(settings, f"http://{host}:{port}")
        bell = Bell(bridge.store)
        web = create_app(bridge, with_pages=settings.web.pages, bell=bell)
        gc.freeze()  # what is there now stays: no collection needs to look at it again
        server.run(web, host, port, bell.close)


@command(
    RUN,
    "bridge announce dist/model-0.1.1-py3-none-any.whl --url https://bridge.example.com",
    "bridge announce dist/model-0.1.1-py3-none-any.whl --dry-run",
)
def announce(
    dist: Annotated[
        list[Path], typer.Argument(metavar="DIST...", help="The built files.", exists=True)
    ],
    url: Annotated[
        str, typer.Option(metavar="URL", help="The bridge's address.", envvar="BRIDGE_URL")
    ] = "http://127.0.0.1:8000",
    commit: Annotated[
        str | None,
        typer.Option(metavar="SHA", envvar="CIRCLE_SHA1", help="What it was built from."),
    ] = None,
    tag: Annotated[
        str | None, typer.Option(metavar="TAG", envvar="CIRCLE_TAG", help="The tag that was built.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print it, send nothing.")] = False,
    attest: Annotated[
        Path | None,
        typer.Option(metavar="KEY", help="Sign the wheel with this Ed25519 key.", exists=True),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A sigstore bundle of the wheel.", exists=True),
    ] = None,
    circleci: Annotated[
        bool, typer.Option("--circleci", help="Have CircleCI vouch for this job and the wheel.")
    ] = False,
) -> None:
    """Tell a bridge that these files were published: hash them, sign, send.

    The secret is the first one of BRIDGE_WEBHOOK_SECRETS__PUBLISHER. A key to attest with may also
    stand in BRIDGE_ATTESTATION_KEY, or its path in BRIDGE_ATTESTATION_KEY_FILE.
    """
    from bridge.kit.clock import system_clock
    from bridge.publisher.attest import by_bundle, by_key, by_token, wheel_of
    from bridge.publisher.client import announcement, send
    from bridge.settings import load

    now, attestations = system_clock(), []
    if pem := attest.read_bytes() if attest else _attestation_key():
        attestations.append(by_key(wheel_of(dist), pem))
    if bundle:
        attestations.append(by_bundle(bundle))
    if circleci:
        attestations.append(by_token(wheel_of(dist), url))
    announced = announcement(dist, now, commit, tag, _ci_job(), attestations)
    if dry_run:
        return screen.print_json(json.loads(announced.body))
    keys = load().webhook_secrets.keys("publisher")
    if not keys:
        raise Misconfigured("BRIDGE_WEBHOOK_SECRETS__PUBLISHER: it is not set")
    return screen.tell(f"The bridge says: {send(announced, url, keys[0], now)}")


@command(RUN, "bridge migrate", "bridge migrate --to postgresql://bridge@db.example.com/bridge")
def migrate(
    to: Annotated[
        str | None, typer.Option(metavar="URL", help="Copy everything to this empty database.")
    ] = None,
) -> None:
    """Bring the database's schema up to date, or move everything to another database."""
    from bridge.settings import load
    from bridge.store import Store

    store = Store(load().database_url)
    try:
        if to is None:
            store.migrate()
            return screen.tell("The schema is up to date.")
        other = Store(to)
        try:
            verdict = store.move_to(other)
        finally:
            other.close()
    finally:
        store.close()
    screen.tell(f"Moved. The chain holds there: {verdict.lines} lines, head {verdict.head}")
    return screen.tell("Now set BRIDGE_DATABASE_URL to the new address.")


@command(
    RUN,
    "bridge rehearse",
    "bridge rehearse --yourself --stay",
    "bridge rehearse --fault list",
)
def rehearse(
    stay: Annotated[bool, typer.Option("--stay", help="Keep it running to click through.")] = False,
    yourself: Annotated[
        bool, typer.Option("--yourself", help="You approve and merge, where it tells you to click.")
    ] = False,
    as_json: AsJson = False,
    fault: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Let something go wrong; 'list' tells what can."),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="NUMBER", help="Decides when faults strike.")] = 1,
) -> None:
    """The whole journey on this machine, twice: tag, train, publish, merge, deploy, verify."""
    try:
        from bridge.rehearsal.play import play
    except ImportError as error:
        raise Misconfigured(
            f"the rehearsal needs {error.name}: pip install 'model-bridge[rehearsal]'"
        ) from error
    raise typer.Exit(
        play(stay=stay, as_json=as_json, faults=fault or [], seed=seed, yourself=yourself)
    )


def _ci_job() -> dict[str, str] | None:
    """What CircleCI tells a job about itself; None elsewhere."""
    if "CIRCLE_JOB" not in os.environ:
        return None
    names = {"job": "CIRCLE_JOB", "url": "CIRCLE_BUILD_URL", "workflow": "CIRCLE_WORKFLOW_ID"}
    told = {field: os.environ[name] for field, name in names.items() if name in os.environ}
    return {"system": "circleci", **told}


def _attestation_key() -> bytes | None:
    """The PEM text of the key that the publish job has, if it has one."""
    path = os.environ.get("BRIDGE_ATTESTATION_KEY_FILE")
    if path is None:
        said = os.environ.get("BRIDGE_ATTESTATION_KEY")
        return said.encode() if said else None
    try:
        return Path(path).read_bytes()
    except OSError as error:
        told = type(error).__name__
        raise Misconfigured(f"BRIDGE_ATTESTATION_KEY_FILE cannot be read: {told}") from None


def _greet(settings: "Settings", url: str) -> None:
    """Where it listens, who may speak, what is missing, who may see the pages."""
    from bridge.sign_in import who_may

    secrets = settings.webhook_secrets
    on = [name for name in type(secrets).model_fields if getattr(secrets, name)]
    off = [name for name in type(secrets).model_fields if name not in on]
    err.print(f"Bridge listens on {url} for {', '.join(on) or 'nobody'}.", highlight=False)
    if off:
        err.print(f"Off, for want of a secret: {', '.join(off)}.")
    needed = {
        "BRIDGE_GITHUB__TOKEN": settings.github.token or settings.github.app_id,
        "BRIDGE_HEROKU__TOKEN": settings.heroku.token,
        "BRIDGE_INDEX__TOKEN": settings.index.token,
    }
    if missing := [name for name, there in needed.items() if not there]:
        err.print(f"Not set: {', '.join(missing)}.")
    for line in who_may(settings.web):
        err.print(Text(line.sentence))
