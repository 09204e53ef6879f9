"""Write the help of every command into docs/commands.md: python -m tests.commands_page"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from bridge.cli import app

PLACE = Path(__file__).parent.parent / "docs" / "commands.md"
BELOW = "## Every command\n"
WIDTH = 80


def commands() -> Iterator[tuple[str, Any]]:
    """Every command, by the words that one types."""
    yield from _under("bridge", typer.main.get_command(app))


def written() -> str:
    """The part of the document that the program itself tells."""
    told = [BELOW]
    for name, command in sorted(commands(), key=lambda pair: pair[0]):
        context = command.context_class(command, info_name=name, terminal_width=WIDTH)
        told.append(f"\n### {name}\n\n```text\n{command.get_help(context).rstrip()}\n```\n")
    return "".join(told)


def _under(name: str, group: Any) -> Iterator[tuple[str, Any]]:
    for word, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _under(f"{name} {word}", command)
        else:
            yield f"{name} {word}", command


if __name__ == "__main__":
    above, _, _ = PLACE.read_text().partition(BELOW)
    PLACE.write_text(above + written())
