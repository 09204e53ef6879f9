"""How rows and sentences fill a width. Pure, but for what is a letter and how wide it is.

Everything passes `plain`, so no text of others can do more than be read; and it is folded, never
cut.
"""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from bridge.cli.plain import plain

GAP = 2
INDENT = 4
READABLE = 36
"""A sentence in a narrower column than this reads badly; it then stands under its row."""
ENDLESS = 1 << 20
"""The width of what is no terminal: a line stays one line, for grep."""
PAPER = Console(color_system=None, width=80)
"""What rich wants to see when it folds; nothing is printed on it."""
Cell = str | Text


def sentence(text: Cell, width: int, indent: int = 0) -> Text:
    """A text folded at words, every line of it `indent` from the edge."""
    return _fold(Text(" " * indent), clean(text), width - indent)


def table(headings: Sequence[str], rows: Sequence[Sequence[Cell]], width: int) -> list[Text]:
    """Rows under headings, one text a row.

    The last column holds a sentence: it is folded beside its row where there is room for it, and
    stands under its row elsewhere.
    """
    head = [clean(Text(heading, "bold")) for heading in headings]
    cells = [head, *[[clean(cell) for cell in row] for row in rows]]
    widths = [max(cell_len(row[at].plain) for row in cells) for at in range(len(headings) - 1)]
    room = width - sum(widths) - GAP * len(widths)
    if room >= min(READABLE, max(cell_len(row[-1].plain) for row in cells)):
        return [_fold(_aligned(row, widths), row[-1], room) for row in cells]
    told = []
    for row in cells:
        whole = _fold(Text(), _aligned(row, widths), width)
        if row is not head and row[-1].plain:
            whole.append("\n").append_text(_fold(Text(" " * INDENT), row[-1], width - INDENT))
        told.append(whole)
    return told


def packed(items: Sequence[Text], width: int, indent: int) -> Text:
    """Short items one after the other, as many on a line as fit."""
    whole, room = Text(), 0
    for item in items:
        wide = cell_len(item.plain)
        if room < wide:
            whole.append("\n" if whole.plain else "").append(" " * indent)
            room = width - indent
        elif whole.plain.strip():
            whole.append(" " * GAP)
        whole.append_text(item)
        room -= wide + GAP
    return whole


def clean(cell: Cell) -> Text:
    """A cell on one line, in which nothing works but the letters; it keeps its own colour."""
    return Text(plain(cell)) if isinstance(cell, str) else Text(plain(cell.plain), cell.style)


def _aligned(row: Sequence[Text], widths: Sequence[int]) -> Text:
    line = Text()
    for cell, wide in zip(row, widths, strict=False):
        line.append_text(cell).append(" " * (wide - cell_len(cell.plain) + GAP))
    return line


def _fold(before: Text, text: Text, room: int) -> Text:
    """`text` folded to `room`: its first line after `before`, the others under that one."""
    long = cell_len(text.plain) > room
    lines = list(text.wrap(PAPER, max(room, 1), overflow="fold")) if long else [text]
    whole, edge = before.copy(), " " * cell_len(before.plain)
    for number, line in enumerate(lines):
        line.rstrip()
        whole.append(f"\n{edge}" if number else "").append_text(line)
    whole.rstrip()
    return whole
