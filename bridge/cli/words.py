"""The words that several commands take, each with its help, said once."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, get_args

import typer

from bridge.cli import complete

Package = Annotated[
    str,
    typer.Argument(metavar="PACKAGE", help="The package's name.", autocompletion=complete.packages),
]
Version = Annotated[
    str,
    typer.Argument(
        metavar="VERSION",
        help="The version, however it is spelled.",
        autocompletion=complete.versions,
    ),
]
Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        metavar="URL",
        envvar="BRIDGE_URL",
        show_envvar=True,
        help="Ask the bridge at this address, as BRIDGE_TOKEN says who; else its database.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, do nothing.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it goes on record.")]
Pipeline = Annotated[
    str | None,
    typer.Option(
        "--pipeline",
        metavar="NAME",
        help="Only of this pipeline.",
        autocompletion=complete.pipelines,
    ),
]
Actor = Annotated[
    str | None, typer.Option("--actor", metavar="NAME", help="Only what this one moved last.")
]
OfVersion = Annotated[
    str | None, typer.Option("--version", metavar="VERSION", help="Only of this version.")
]
Since = Annotated[
    datetime | None,
    typer.Option(
        "--since",
        metavar="TIME",
        help="Nothing older: 2026-11-23 or 2026-11-23T09:00:00, in UTC.",
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"],
    ),
]
Days = Annotated[
    Literal["7", "30", "90"],
    typer.Option("--days", metavar="7|30|90", help="So many days, today the last one."),
]
Limit = Annotated[
    int, typer.Option("--limit", metavar="NUMBER", min=1, max=200, help="So many at most.")
]
After = Annotated[
    str | None,
    typer.Option("--after", metavar="CURSOR", help="Go on where a list ended, with what it said."),
]
Stage = Literal[
    "announced",
    "confirmed",
    "proposed",
    "merged",
    "deployed",
    "rolling_back",
    "verified",
    "superseded",
    "declined",
    "failed",
    "rolled_back",
]
"""bridge.release.Stage, spelled once more: to import that takes longer than most commands."""
AtStage = Annotated[
    Stage | None,
    typer.Option(
        "--stage",
        metavar="STAGE",
        help=f"Only what stands there: {', '.join(get_args(Stage))}.",
    ),
]


class Allow(StrEnum):
    """bridge.facts.Allowance, likewise."""

    YANKED = "yanked"
    PRERELEASE = "prerelease"
    LOCAL = "local"
    DOWNGRADE = "downgrade"
    FREEZE = "freeze"


Allowed = Annotated[
    list[Allow] | None,
    typer.Option(
        "--allow",
        metavar="WHAT",
        help="What is refused otherwise, and allowed for this version only: "
        f"{', '.join(Allow)}. Repeatable.",
    ),
]
