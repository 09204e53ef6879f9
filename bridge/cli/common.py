"""What all commands share: the application, the consoles, and how bad news ends a command."""

import sys
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.text import Text

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


def end(code: int, text: str) -> NoReturn:
    """Say it on standard error and leave."""
    err.print(Text(text))
    sys.exit(code)
