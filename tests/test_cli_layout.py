"""What is printed fits the terminal, loses nothing, and obeys nobody but us."""

import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from bridge.cli import layout
from bridge.cli import told as lines_of
from bridge.cli.plain import plain
from bridge.release import Stage
from bridge.web.shapes import Page, ReleaseRow
from tests import cli_kit
from tests.cli_kit import Told, a_terminal
from tests.test_cli import Run, bridge, home
from tests.test_cli_http import SAYS, told, with_a_release
from tools.storybook import canned

__all__ = ["bridge", "home", "told"]
HEADS = ["version", "stage", "since", "pipeline", "why"]
ROW = ("regression-model 0.1.1", Text("… proposed", "red"), "3 min ago", "house-prices", SAYS * 4)
EVIL = (
    "\x1b[31mred\x1b]0;title\x07\x1b]8;;http://evil.test\x1b\\link [red]markup[/] [/] :smile: "
    "a\r\nb\tc\x9b2J\x08\x7f\u202egnorw\u2066 \u2028line {braces} %s \u200bzero 漢字 e\u0301"
)
CELLS = st.lists(st.text(max_size=60), min_size=4, max_size=4)


def letters(text: str) -> str:
    return "".join(text.split())


def is_harmless(text: str) -> bool:
    return all(one == "\n" or one.isprintable() for one in text)


@given(st.lists(CELLS, max_size=4), st.integers(min_value=20, max_value=200))
def test_a_table_fits_and_loses_nothing(rows: list[list[str]], width: int) -> None:
    _, *told = layout.table(["a", "b", "c", "why"], rows, width)
    for row, text in zip(rows, told, strict=True):
        assert all(cell_len(line) <= width for line in text.plain.split("\n"))
        assert letters(plain("".join(row))) == letters(text.plain)
        assert is_harmless(text.plain)


@given(st.text(), st.integers(min_value=10, max_value=200), st.integers(min_value=0, max_value=4))
def test_a_sentence_fits_and_loses_nothing(said: str, width: int, indent: int) -> None:
    text = layout.sentence(said, width, indent).plain
    assert all(cell_len(line) <= width for line in text.split("\n"))
    assert letters(plain(said)) == letters(text)


@pytest.mark.parametrize(("width", "lines"), [(60, 4), (80, 3), (120, 3), (layout.ENDLESS, 1)])
def test_a_long_sentence_stands_where_there_is_room_for_it(width: int, lines: int) -> None:
    _, row = layout.table(HEADS, [ROW], width)
    told = row.plain.split("\n")
    assert lines == len(told)
    assert told[0].startswith("regression-model 0.1.1  … proposed  3 min ago  house-prices")
    assert ["    Pull" in told[1]] == [width < 120] if lines > 1 else SAYS in told[0]


def test_what_is_drawn_keeps_its_colour_and_no_other() -> None:
    _, row = layout.table(HEADS, [ROW], 120)
    assert ["red"] == [span.style for span in row.spans]


def test_what_cannot_be_printed_is_spelled_out() -> None:
    assert r"\x1b[31mred" in plain("\x1b[31mred")
    assert r"\u202e" in plain("\u202e")
    assert r"\ud800" in plain("\ud800")
    assert "a b" == plain("a\nb")
    assert "漢字 é [red]" == plain("漢字 é [red]")


HOSTILE = {
    "now": ("/now", cli_kit.now(EVIL, EVIL)),
    "deliveries --parked": ("/deliveries", cli_kit.deliveries(EVIL, EVIL)),
    "deliveries --out": ("/deliveries/out", cli_kit.notices(EVIL, EVIL)),
    "drift": ("/drift", cli_kit.boards(EVIL, EVIL)),
    "audit lines": ("/audit", cli_kit.audit(EVIL, EVIL)),
    "audit at 2026-11-23": ("/audit", cli_kit.audit(EVIL, EVIL)),
    "show regression-model 0.1.1": (
        "/releases/7",
        cli_kit.page("0.1.1", Stage.PROPOSED, EVIL, EVIL),
    ),
    "why regression-model 0.1.1": (
        "/releases/7",
        cli_kit.page("0.1.1", Stage.PROPOSED, EVIL, EVIL),
    ),
    "watch regression-model 0.1.1 --timeout 1ms": (
        "/releases/7",
        cli_kit.page("0.1.1", Stage.PROPOSED, EVIL, EVIL),
    ),
    "releases": (
        "/releases",
        Page[ReleaseRow](
            items=[ReleaseRow.model_validate(cli_kit.row("0.1.1", Stage.FAILED, EVIL, EVIL))]
        ),
    ),
}


@pytest.mark.parametrize("command", HOSTILE)
def test_the_text_of_others_is_only_text(bridge: Run, told: Told, command: str) -> None:
    with_a_release(told)
    path, shape = HOSTILE[command]
    told.answers[path] = shape
    _, out, err = bridge(*command.split())
    assert "[red]markup[/]" in out
    assert is_harmless(out + err), [one for one in out + err if not one.isprintable()]
    if command.startswith("watch"):
        return
    _, out, _ = bridge(*command.split(), "--json")
    assert out.isascii()
    assert is_harmless(out)
    assert json.dumps(EVIL) in out, "programs get it as it is"


def test_the_text_of_a_refusal_is_only_text(bridge: Run, told: Told) -> None:
    told.answers["/now"] = cli_kit.problem(409, EVIL)
    code, _, err = bridge("now")
    assert (1, True) == (code, "[red]markup[/]" in err)
    assert is_harmless(err)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_terminal_is_filled_and_not_overrun(told: Told, width: int) -> None:
    told.answers["/now"] = cli_kit.now(SAYS * 5, "")
    code, shown = a_terminal(told, width, "now")
    assert 0 == code
    bare = re.sub(r"\x1b\[[\d;]*m", "", shown)
    assert bare != shown, "it is coloured"
    assert is_harmless(bare.replace("\r\n", "\n"))
    lines = bare.split("\r\n")
    assert all(cell_len(line) <= width for line in lines)
    assert any(cell_len(line) > width - 20 for line in lines)
    assert letters(SAYS * 5) in letters(bare)


def test_no_colour_is_no_escape_at_all(told: Told) -> None:
    told.answers["/now"] = cli_kit.now(EVIL, EVIL)
    code, shown = a_terminal(told, 80, "now", NO_COLOR="1")
    assert 0 == code
    assert is_harmless(shown.replace("\r\n", "\n"))
    assert "✓" in shown


def test_a_terminal_without_these_letters_is_told_what_it_can_show(told: Told) -> None:
    told.answers["/now"] = cli_kit.now(SAYS)
    code, shown = a_terminal(told, 80, "now", PYTHONIOENCODING="ascii", NO_COLOR="1")
    assert 0 == code
    assert r"\u2713 0.1.0 serves" in shown


def test_every_mark_has_a_word_beside_it() -> None:
    for stage in Stage:
        assert stage.value.isascii(), "what the marks stand beside"
    assert "So" == unicodedata.category("✓")


def test_now_says_first_what_matters_most_and_for_whom_a_failure_waits() -> None:
    failed = canned.row("0.1.2", Stage.FAILED)
    first, *more = lines_of.now(canned.now(canned.tile(last_failure=failed)), 80)
    assert first.plain.startswith("✗ Not live: 0.1.2")
    whole = " ".join(line.plain for line in more)
    assert "Waits for whoever owns the repository" in whole
    early = canned.row("0.1.0", Stage.FAILED)
    first, *more = lines_of.now(canned.now(canned.tile(last_failure=early)), 80)
    assert first.plain.startswith("✓")
    assert "Waits for" not in " ".join(line.plain for line in more)


def test_what_goes_on_by_itself_waits_for_nobody_and_stages_are_words() -> None:
    page = canned.release(Stage.ROLLING_BACK)
    whole = " ".join(line.plain for line in lines_of.page(page, 80))
    assert "rolling back: house-prices-api" in whole
    assert "nobody" not in whole
    assert "the bridge looks again by itself" in whole
