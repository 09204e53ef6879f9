"""`bridge watch`: look on until something has ended."""

from typing import Annotated

import typer

from bridge.cli import complete, words
from bridge.cli.ask import ask
from bridge.cli.common import LOOK, command
from bridge.errors import Misconfigured
from bridge.sentences import say


@command(
    LOOK,
    "bridge watch",
    "bridge watch regression-model 0.1.1 --timeout 30m",
    "bridge watch --url https://bridge.example.com",
)
def watch(
    package: Annotated[
        str | None,
        typer.Argument(
            metavar="PACKAGE", help="Watch one version of this.", autocompletion=complete.packages
        ),
    ] = None,
    version: Annotated[
        str | None,
        typer.Argument(metavar="VERSION", help="The version.", autocompletion=complete.versions),
    ] = None,
    timeout: Annotated[
        str | None, typer.Option(metavar="SPAN", help="Give up after this: 90s, 30m, 2h.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON whenever something changes.")
    ] = False,
    url: words.Url = None,
) -> None:
    """Look on, live: what serves, what is on its way, and why it waits.

    With a version it ends with 0 as soon as that one is verified in every pipeline, and with 1 if
    it ended otherwise or the time is over. It waits for one that is not announced yet. Where the
    output is no terminal, it prints a line for every change.
    """
    from bridge.cli.watching import Screen, everything, look_on, one, span_of

    within = span_of(timeout) if timeout else None
    if (package is None) != (version is None):
        raise Misconfigured(say("cli_watch_what").sentence)
    wanted = one(package, version) if package and version else everything
    with Screen(as_json=as_json) as screen:
        verified = ask(url, lambda bridge: look_on(bridge, wanted, screen, within))
    if verified is None and package and version and within:
        told = say("cli_out_of_time", span=timeout, package=package, version=version)
        screen.note(told.sentence)
    if package and not verified:
        raise typer.Exit(1)
