"""The drift board."""

import typer

from bridge.cli import screen, told, words
from bridge.cli.ask import ask
from bridge.cli.common import LOOK, command
from bridge.sentences import say


@command(LOOK, "bridge drift", "bridge drift --json")
def drift(as_json: words.AsJson = False, url: words.Url = None) -> None:
    """What index, branch, Heroku and API have, and whether the gaps are meant. Exit 1 if not."""
    from bridge.web.shapes import Boards

    found = ask(url, lambda bridge: bridge.get(Boards, "/drift"))
    if as_json:
        screen.print_json(found)
    elif not found.items:
        screen.tell(say("cli_not_swept").sentence)
    else:
        for board in found.items:
            screen.lines(told.board(board, screen.width()))
    if any(gap.verdict == "surprise" for board in found.items for gap in board.gaps):
        raise typer.Exit(1)
