"""The drift board."""

import typer
from rich.table import Table
from rich.text import Text

from bridge.cli.common import AsJson, app, out
from bridge.cli.read import ask, print_json
from bridge.kit.clock import system_clock
from bridge.store import boards
from bridge.web.present import ago, board_json


@app.command()
def drift(as_json: AsJson = False) -> None:
    """What index, branch, Heroku and API have, and whether the gaps are meant. Exit 1 if not."""
    found = ask(boards.all_of_them)
    if as_json:
        print_json([board_json(board) for board in found])
    elif not found:
        out.print("The sweep has not looked yet.")
    now = system_clock()
    for board in found if not as_json else []:
        seen = board.found.seen
        table = Table("index", "branch", "Heroku", "API", "seen", box=None, padding=(0, 2, 0, 0))
        versions = (seen.newest, seen.pinned, seen.deployed, seen.serving)
        table.add_row(*(Text(one or "?") for one in versions), ago(board.at, now))
        out.print(Text(board.pipeline, "bold"))
        out.print(table)
        for gap in board.found.gaps:
            if gap.sentence:
                out.print(Text(f"  {gap.verdict}, {gap.between}: {gap.sentence}"))
    if any(board.found.surprises for board in found):
        raise typer.Exit(1)
