"""Help that helps: every command has its words, an example that works, and a place on the page."""

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
import typer

from bridge.cli import app, words
from bridge.facts import Allowance
from bridge.release import Stage
from tests.commands_page import BELOW, PLACE, commands, written
from tests.test_cli import Run, home
from tests.test_cli import bridge as run

__all__ = ["home", "run"]
COMMANDS = dict(commands())
READING = {"now", "releases", "show", "why", "watch", "numbers", "deliveries", "drift", "notify"}
ACTING = {"retry", "rollback", "quarantine", "release-quarantine", "pause", "resume"}
ON_ROWS = {"replay", "discard"}


def examples(command: Any) -> list[str]:
    lines = (command.epilog or "").splitlines()
    return [line.strip() for line in lines if line.startswith("  bridge ")]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_every_word_of_it_has_help(name: str) -> None:
    command = COMMANDS[name]
    assert (command.help or "").split("\n\n")[0].strip().replace(". ", ".").endswith((".", ".\n"))
    assert [] == [each.name for each in command.params if not each.help]
    assert examples(command), "an example"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_works(home: Path, name: str) -> None:
    (home / "dist").mkdir()
    for file in ("requirements.txt", "dist/model-0.1.1-py3-none-any.whl"):
        (home / file).write_text("")
    group = typer.main.get_command(app)
    for example in examples(COMMANDS[name]):
        assert example.startswith(name)
        typed = shlex.split(example.partition(" || ")[0])[1:]
        context: Any = group.make_context("bridge", typed)
        command: Any = group
        rest = typed
        while hasattr(command, "commands"):
            word, command, rest = command.resolve_command(context, rest)
            context = command.make_context(word, [*rest], parent=context)
        assert name.endswith(f" {command.name}")


def test_every_command_is_on_the_page() -> None:
    above, _, below = PLACE.read_text().partition(BELOW)
    assert written() == BELOW + below, "python -m tests.commands_page writes it anew"
    assert "BRIDGE_TOKEN_FILE" in above


def test_what_looks_speaks_json_and_what_acts_may_be_tried() -> None:
    options = {
        name.removeprefix("bridge "): {opt for each in command.params for opt in each.opts}
        for name, command in COMMANDS.items()
    }
    for name in READING | ACTING | ON_ROWS | {"audit verify", "audit lines", "audit at"}:
        assert "--json" in options[name], name
    for name in ACTING | ON_ROWS:
        assert {"--dry-run", "--reason", "--url"} <= options[name], name
    for name in READING - {"notify"}:
        assert "--url" in options[name], name


def test_words_spelled_once_more_are_the_same() -> None:
    assert [*Stage] == [*get_args(words.Stage)]
    assert [*Allowance] == [*words.Allow]


def test_nothing_to_do_is_no_fault_but_help(run: Run) -> None:
    code, out, err = run()
    assert "Usage: bridge" in out + err
    assert 2 == code
    assert "Usage: bridge audit" in run("audit")[1] + run("audit")[2]
    assert "Did you mean" in run("relaeses")[2]


def test_help_is_there_at_once() -> None:
    """What it reads is counted, since the time depends on who else is at work here."""
    heavy = ("sqlalchemy", "pydantic", "fastapi", "httpx", "alembic", "structlog")
    look = f"import sys, bridge.cli; print([one for one in {heavy} if one in sys.modules])"
    ran = subprocess.run(
        [sys.executable, "-c", look], cwd=PLACE.parent.parent, capture_output=True, text=True
    )
    assert "[]\n" == ran.stdout
