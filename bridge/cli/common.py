"""What all commands share: the application, the consoles, and how bad news ends a command."""

import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.text import Text
from typer.core import TyperGroup

from bridge.cli.plain import plain

LOOK, ACT, RUN = "Look", "Act", "Run"
"""What a command is for: it reads, does something that goes on record, or is part of the bridge."""
F = TypeVar("F", bound=Callable[..., Any])


class Sections(TyperGroup):
    """A list of commands by what they are for, each with its whole first line."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the sections."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            line = (command.help or "").split("\n\n")[0].replace("\n", " ")
            panels.setdefault(f"{getattr(command, 'rich_help_panel', RUN)}", []).append(
                (name, line)
            )
        for panel in (LOOK, ACT, RUN):
            if panel in panels:
                with formatter.section(panel):
                    formatter.write_dl(sorted(panels[panel]))


app = typer.Typer(
    cls=Sections,
    help="Bridge carries every version of a model from uploaded to proven serving.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its boxes take longer than the commands, and read [this] as a colour
)
record_app = typer.Typer(cls=Sections, no_args_is_help=True, rich_markup_mode=None)
app.add_typer(
    record_app, name="audit", help="The record that an auditor can check.", rich_help_panel=LOOK
)


def command(
    panel: str, *examples: str, name: str | None = None, group: typer.Typer = app
) -> Callable[[F], F]:
    """A command of the application, with examples that stand at the end of its help."""
    told = "\n".join(["\b", "Examples:", *(f"  {example}" for example in examples)])
    return group.command(name, epilog=told, rich_help_panel=panel)


def console(*, stderr: bool = False) -> Console:
    """What a person reads. Nothing in a text is markup; NO_COLOR means no escape at all."""
    plainly = os.environ.get("NO_COLOR")
    return Console(
        stderr=stderr,
        markup=False,
        emoji=False,
        highlight=False,
        color_system=None if plainly else "auto",
    )


out = console()
err = console(stderr=True)


def end(code: int, text: str) -> NoReturn:
    """Say it on standard error and leave."""
    for line in text.splitlines():
        err.print(Text(plain(line)), soft_wrap=not err.is_terminal)
    sys.exit(code)
