"""The command line. Exit codes: 0 done, 1 the answer is no, 2 wrong words, 3 nobody answers."""

from typing import Annotated

import typer

from bridge import __version__
from bridge.cli import (  # noqa: F401 - they bring the commands
    act,
    drift,
    inbox,
    notify,
    operate,
    pause,
    pin,
    read,
    recall,
)
from bridge.cli.common import app, end, out
from bridge.errors import BridgeError, Refused, Unavailable

__all__ = ["app", "main"]


def main() -> None:
    """Run a command; bad news becomes one clear line and an exit code."""
    try:
        app()
    except Unavailable as error:
        end(3, f"{error}")
    except Refused as error:
        end(1, f"{error}")
    except BridgeError as error:
        end(2, f"{error}")


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    """Bridge carries every version of a model from uploaded to proven serving."""
    if show:
        out.print(__version__)
        raise typer.Exit
