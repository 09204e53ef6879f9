"""What a person does about a release or a pipeline, each with a reason that goes on record."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from bridge.cli import screen, words
from bridge.cli.ask import ask
from bridge.cli.common import ACT, command
from bridge.sentences import say

if TYPE_CHECKING:
    from bridge.web.wish import Done

Which = Annotated[
    str | None,
    typer.Argument(
        metavar="PIPELINE",
        help="One pipeline; without it, everything.",
        autocompletion=words.complete.pipelines,
    ),
]
Until = Annotated[
    datetime | None,
    typer.Option(metavar="TIME", help="When it ends by itself, in UTC; else a person ends it."),
]


@command(
    ACT,
    'bridge retry regression-model 0.1.1 --reason "the index is back"',
    'bridge retry regression-model 0.2.0rc1 --allow prerelease --reason "a pilot" --dry-run',
)
def retry(
    package: words.Package,
    version: words.Version,
    reason: words.Reason,
    allow: words.Allowed = None,
    dry_run: words.DryRun = False,
    as_json: words.AsJson = False,
    url: words.Url = None,
) -> None:
    """Have a version that failed or was superseded go its way again, from its announcement."""
    told = {"reason": reason, "dry_run": dry_run, "allow": allow or []}
    _to_version(url, package, version, "retry", told, as_json)


@command(ACT, 'bridge rollback regression-model 0.1.1 --reason "angry customers"')
def rollback(
    package: words.Package,
    version: words.Version,
    reason: words.Reason,
    dry_run: words.DryRun = False,
    as_json: words.AsJson = False,
    url: words.Url = None,
) -> None:
    """Take a version that serves out of production: the one verified before is put back."""
    told: dict[str, object] = {"reason": reason, "dry_run": dry_run}
    _to_version(url, package, version, "rollback", told, as_json)


@command(
    ACT,
    'bridge quarantine regression-model 0.1.1 --reason "trained on the wrong data"',
    "bridge quarantine regression-model 0.1.1 --reason inventory --until 2026-12-01",
)
def quarantine(
    package: words.Package,
    version: words.Version,
    reason: words.Reason,
    until: Until = None,
    dry_run: words.DryRun = False,
    as_json: words.AsJson = False,
    url: words.Url = None,
) -> None:
    """Have a version not proposed, merged or built until this is lifted or over."""
    end = until.replace(tzinfo=UTC).isoformat() if until else None
    told = {"reason": reason, "dry_run": dry_run, "until": end}
    _to_version(url, package, version, "quarantine", told, as_json)


@command(
    ACT,
    'bridge release-quarantine regression-model 0.1.1 --reason "it was the other one"',
    name="release-quarantine",
)
def release_quarantine(
    package: words.Package,
    version: words.Version,
    reason: words.Reason,
    dry_run: words.DryRun = False,
    as_json: words.AsJson = False,
    url: words.Url = None,
) -> None:
    """Lift a version's quarantine: it goes on where it waits; if it ended, `retry` may follow."""
    told: dict[str, object] = {"reason": reason, "dry_run": dry_run}
    _to_version(url, package, version, "release-quarantine", told, as_json)


@command(
    ACT,
    'bridge pause --reason "the database moves"',
    'bridge pause house-prices --reason "an incident"',
)
def pause(
    reason: words.Reason,
    pipeline: Which = None,
    dry_run: words.DryRun = False,
    as_json: words.AsJson = False,
    url: words.Url = None,
) -> None:
    """Propose, merge and build nothing any more, until `bridge resume`; what comes is kept."""
    told: dict[str, object] = {"reason": reason, "dry_run": dry_run}
    act(url, f"{_line(pipeline)}/pause", told, as_json)


@command(ACT, 'bridge resume --reason "the database has moved"')
def resume(
    reason: words.Reason,
    pipeline: Which = None,
    dry_run: words.DryRun = False,
    as_json: words.AsJson = False,
    url: words.Url = None,
) -> None:
    """Go on after `bridge pause`."""
    told: dict[str, object] = {"reason": reason, "dry_run": dry_run}
    act(url, f"{_line(pipeline)}/resume", told, as_json)


def act(url: str | None, path: str, told: dict[str, object], as_json: bool) -> None:
    """Do it, at whatever `path` names, and say what was done."""
    _say(ask(url, lambda bridge: bridge.act(path, told)), as_json)


def _to_version(
    url: str | None, package: str, version: str, name: str, told: dict[str, object], as_json: bool
) -> None:
    """Do it to a version: to all its releases, one a pipeline, whichever of them is named."""
    from bridge.cli.asked import Asked
    from bridge.cli.find import rows_of
    from bridge.web.wish import Done

    async def doing(bridge: Asked) -> Done:
        row = (await rows_of(bridge, package, version))[0]
        return await bridge.act(f"/releases/{row.id}/{name}", told)

    _say(ask(url, doing), as_json)


def _line(pipeline: str | None) -> str:
    return f"/pipelines/{quote(pipeline, safe='')}" if pipeline else "/everything"


def _say(done: "Done", as_json: bool) -> None:
    if as_json:
        screen.print_json(done)
    else:
        what = done.sentence
        screen.tell(what if done.done else say("cli_would", what=what).sentence)
