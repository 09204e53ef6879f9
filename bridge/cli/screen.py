"""What a command prints: sentences and tables for people, one document for programs."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.text import Text

from bridge.cli import layout
from bridge.cli.common import out
from bridge.cli.layout import Cell
from bridge.sentences import say


def width() -> int:
    """How many characters fit on a line; without a terminal a line has no end."""
    return out.width if out.is_terminal else layout.ENDLESS


def tell(text: Cell, indent: int = 0) -> None:
    """A sentence."""
    lines([layout.sentence(text, width(), indent)])


def table(headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Rows under headings, with a sentence in the last column."""
    lines(layout.table(headings, rows, width()))


def lines(laid_out: Iterable[Text]) -> None:
    """What was laid out, as it is."""
    for line in laid_out:
        out.print(line, soft_wrap=True)


def more(after: str | None) -> None:
    """How to see the part of a list that comes after this one."""
    if after:
        tell(Text(say("cli_more", after=after).sentence, "dim"))


def print_json(value: Any) -> None:
    """One document, in ASCII: no text in it can play with a terminal. A shape writes itself."""
    told = value.model_dump(mode="json") if hasattr(value, "model_dump") else value
    sys.stdout.write(f"{json.dumps(told, indent=2)}\n")
