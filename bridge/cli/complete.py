"""What the shell offers after TAB: names that the bridge knows. Silent, whatever goes wrong."""

from typing import TYPE_CHECKING

import typer

from bridge.cli.ask import ask
from bridge.errors import BridgeError

if TYPE_CHECKING:
    from bridge.web.shapes import ReleaseRow


def packages(ctx: typer.Context, incomplete: str) -> list[str]:
    """The packages that had a release lately."""
    return _fitting([row.package for row in _lately(ctx)], incomplete)


def versions(ctx: typer.Context, incomplete: str) -> list[str]:
    """The versions of the package that was named, newest first."""
    package = ctx.params.get("package")
    return _fitting(
        [row.version for row in _lately(ctx) if package in (None, row.package)], incomplete
    )


def pipelines(ctx: typer.Context, incomplete: str) -> list[str]:
    """The pipelines that had a release lately."""
    return _fitting([row.pipeline for row in _lately(ctx)], incomplete)


def _lately(ctx: typer.Context) -> "list[ReleaseRow]":
    from bridge.web.shapes import Page, ReleaseRow

    try:
        url = ctx.params.get("url")
        return ask(url, lambda bridge: bridge.get(Page[ReleaseRow], "/releases", limit=200)).items
    except BridgeError:
        return []


def _fitting(names: list[str], incomplete: str) -> list[str]:
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete)]
