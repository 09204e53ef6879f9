"""Every page as HTML: small, closed to the outside, and one thing said once. No browser needed."""

import re
from collections import Counter
from html.parser import HTMLParser

import pytest

from bridge.errors import Reason
from bridge.release import Stage
from bridge.unblock import unblock
from bridge.web import charts
from bridge.web.files import FILES, address
from bridge.web.headline import headline
from bridge.web.shapes import Day, ReleaseRow, StageTime, Tile, Waiting
from tests.web_kit import Page
from tools.storybook import canned
from tools.storybook.canned import tile, under_way
from tools.storybook.states import STATES

MOST = 100_000
VOID = {"meta", "link", "img", "input", "br"}


class Nesting(HTMLParser):
    """Whether every element is closed where it was opened, and every id is there once."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.ids: Counter[str] = Counter()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids.update(value or "" for name, value in attrs if name == "id")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> at {self.getpos()}")


@pytest.mark.parametrize("name", STATES)
def test_a_page_is_sound_and_keeps_to_itself(name: str) -> None:
    html = STATES[name].html()
    nesting, page = Nesting(html), Page(html)
    assert ([], []) == (nesting.wrong, nesting.open)
    assert [] == [one for one, count in nesting.ids.items() if count > 1]
    assert [] == page.handlers
    loaded = re.findall(r'(?:src|<link[^>]* href)="([^"]*)"', html)
    assert loaded
    assert all(one.startswith("/static/") for one in loaded)
    assert not re.search(r"<(style|iframe|object|embed|base)\b|<script(?! src=)", html)
    assert "{{" not in html
    assert "None" not in re.sub(r"<[^>]*>", "", html)


@pytest.mark.parametrize("name", STATES)
def test_all_files_and_a_page_are_small(name: str) -> None:
    sizes = {one: len(content) for one, content in FILES.items()}
    assert {"bridge.css", "bridge.js", "bridge.svg", "htmx.min.js"} <= sizes.keys()
    assert MOST > sum(sizes.values()) + len(STATES[name].html().encode())


def test_another_content_has_another_address() -> None:
    addresses = {address(name) for name in FILES}
    assert len(FILES) == len({one.partition("?")[2] for one in addresses})


def taken_back(code: str) -> ReleaseRow:
    """A version that was rolled back, and how far its pin is."""
    ahead = unblock(Reason(code, ""), "regression-model", "0.1.2")
    return canned.row(stage=Stage.ROLLED_BACK).model_copy(
        update={
            "reason": Reason(code, "Pull request #3 puts the pin back."),
            "waits_for": ahead and Waiting(who=ahead.who, what=ahead.what, since=canned.NOW),
        }
    )


@pytest.mark.parametrize(
    ("tiles", "sign", "told"),
    [
        ([], "–", "No pipeline"),
        ([tile()], "✓", "nothing waits"),
        ([tile(), tile("rents", serving=None)], "?", "what serves in rents"),
        ([tile(serving=canned.serving(proven=False))], "!", "look at house-prices"),
        ([tile(under_way=[under_way(Stage.MERGED)])], "…", "0.1.2 is on the way, without"),
        ([tile(under_way=[under_way(Stage.PROPOSED)])], "…", "0.1.2 waits for a person"),
        ([tile(under_way=[under_way(Stage.PROPOSED)] * 2)], "…", "2 releases wait for"),
        ([tile(last_failure=taken_back("reverting"))], "…", "0.1.2 waits for a person"),
        ([tile(last_failure=taken_back("pin_put_back"))], "✓", "nothing waits"),
        ([tile(last_failure=canned.row("0.1.2", Stage.FAILED))], "✗", "Not live: 0.1.2"),
        ([tile(last_failure=canned.row("0.1.0", Stage.FAILED))], "✓", "nothing waits"),
        ([tile(drift=canned.board("surprise"))], "!", "do not agree"),
        (
            [tile(f"p{n}", serving=canned.serving(proven=False)) for n in range(5)],
            "!",
            "p0, p1, p2 and 2 more",
        ),
    ],
)
def test_the_headline_says_what_matters_most(tiles: list[Tile], sign: str, told: str) -> None:
    line = headline(canned.now(*tiles))
    assert sign == line.sign
    assert told in line.sentence


def test_a_pause_is_told_before_who_is_waited_for() -> None:
    waits = tile(under_way=[under_way(Stage.PROPOSED)])
    one, every = canned.pause(), canned.pause(None)
    assert "house-prices: paused" in headline(canned.now(waits, pauses=[one])).sentence
    assert "Everything: paused" in headline(canned.now(waits, pauses=[one, every])).sentence


def test_what_failed_before_the_one_that_serves_does_not_come_next() -> None:
    assert "What is not live" in STATES["now-missed"].html()
    html = STATES["now-later"].html()
    assert "What comes next" in html
    assert "No newer version is on its way" in html


def test_now_answers_what_a_newcomer_asks() -> None:
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", STATES["now"].html()))
    assert "Serves 0.1.1" in text
    assert "Is that proven? ✓ proven" in text
    assert "What comes next 0.1.2 ◑ proposed Pull request #7 waits for a person" in text
    assert "Waiting for a reviewer for 2 h" in text
    assert "0.1.0 did not arrive: ✗ failed" in text


def test_merged_deployed_and_verified_are_told_apart_without_colour() -> None:
    signs = {stage: canned.row(stage=stage).mark for stage in Stage}
    assert len({signs[one] for one in (Stage.MERGED, Stage.DEPLOYED, Stage.VERIFIED)}) == 3


def test_bars_stand_on_the_ground_and_the_longest_fills_the_chart() -> None:
    first = canned.NOW.date()
    shown = charts.trend([Day(day=first, value=one) for one in (4.0, None, 0.0, 2.0)], "per_day")
    assert [56.0, 0.0, 0.0, 28.0] == [bar.height for bar in shown.bars]
    assert all(bar.y + max(bar.height, 1.0) == charts.HEIGHT for bar in shown.bars)
    assert [0.0, 80.0, 160.0, 240.0] == [bar.x for bar in shown.bars]
    assert "4 a day" in shown.told
    assert "3 of 4 days" in shown.told
    assert [] == charts.trend([Day(day=first, value=None)], "share").bars


def test_stages_share_one_scale() -> None:
    shown = charts.stages(
        [
            StageTime(stage=Stage.PROPOSED, p50_s=30.0, p90_s=120.0, count=3),
            StageTime(stage=Stage.MERGED, p50_s=60.0, p90_s=60.0, count=3),
            StageTime(stage=Stage.DEPLOYED, p50_s=None, p90_s=None, count=0),
        ]
    )
    assert [(130.0, 520.0), (260.0, 260.0)] == [(bar.usual, bar.late) for _, bar in shown if bar]
    assert (Stage.DEPLOYED, None) == (shown[2][0].stage, shown[2][1])


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (None, "share", "–"),
        (0.125, "share", "12%"),
        (0.4, "per_day", "12 in 30 days"),
        (2.5, "per_day", "2.5 a day"),
        (0.0, "per_day", "0 a day"),
        (5400.0, "seconds", "90 min"),
    ],
)
def test_a_measure_reads_as_people_say_it(value: float | None, unit: str, told: str) -> None:
    assert told == charts.amount(value, unit)


def test_a_page_that_is_not_there_says_so_without_the_words_of_http() -> None:
    assert "<h1>The address cannot be read</h1>" in STATES["problem-422"].html()
    assert "<h1>Not here</h1>" in STATES["problem-404"].html()
