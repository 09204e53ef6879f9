"""The command line. Exit codes: 0 done, 1 the answer is no, 2 wrong words, 3 nobody answers."""

import io
import sys
from typing import Annotated

import typer

from bridge.cli import (  # noqa: F401 - they bring the commands
    act,
    audit,
    drift,
    inbox,
    notify,
    operate,
    pin,
    read,
    watch,
)
from bridge.cli.common import app, end
from bridge.errors import BridgeError, Refused, Unavailable

__all__ = ["app", "main"]


def main() -> None:
    """Run a command; bad news becomes one clear line and an exit code."""
    for stream in (sys.stdout, sys.stderr):  # a terminal without UTF-8 is told what it can show
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="bridge")
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
        from bridge import __version__

        print(__version__)
        raise typer.Exit
