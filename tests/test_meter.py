"""The lost-webhook meter: in the words people say, counted by indexes, shown where people look."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session

from bridge import ledger, meter
from bridge.bootstrap import Bridge
from bridge.errors import Reason
from bridge.release import Stage
from bridge.sentences import SENTENCES, say
from bridge.store import Store, books, releases
from tests.bridge_kit import NOW, a_bridge, a_store, begin, keep, told
from tests.web_kit import EVIL, Page, get, placed


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with a_store(url) as made:
        yield made


@pytest.mark.parametrize(
    ("came", "versions", "repairs", "said"),
    [
        ({}, 0, {}, []),
        (
            {"github": 38, "heroku": 1},
            12,
            {"unheard_github": 2, "unheard_upload": 1},
            [
                "1 of 12 versions came unannounced.",
                "2 of 40 GitHub deliveries never came.",
                "No Heroku delivery is known to be lost; 1 came.",
            ],
        ),
        (
            {"github": 0},
            3,
            {"unheard_github": 12},
            [
                "Every version was announced (3 so far).",
                "GitHub has told the bridge nothing, and the sweep found 12 of its changes by "
                "itself. Is its webhook set up?",
            ],
        ),
        (
            {},
            2,
            {"unheard_upload": 2},
            [
                "No version was ever announced, and the sweep found 2 of them by itself. Does the "
                "publish step run `bridge announce`, or is CircleCI's webhook set up?",
            ],
        ),
    ],
)
def test_what_came_and_what_never_did_is_said(
    came: Mapping[str, int], versions: int, repairs: Mapping[str, int], said: list[str]
) -> None:
    assert said == [one.reason.sentence for one in meter.meters(came, versions, repairs)]


def test_whatever_the_sweep_can_repair_is_in_the_meter() -> None:
    codes = {code for code in SENTENCES if code.startswith("unheard_")}
    for code in codes:
        assert [1] == [one.lost for one in meter.meters({}, 1, {code: 1}) if one.lost], code


async def lose(store: Store, codes: Iterable[str]) -> None:
    """A release begins, and its record says that these never came."""

    def work(session: Session) -> None:
        row = begin(session)
        for code in codes:
            ledger.note(session, row, "repair", say(code), NOW)

    await store.write(work)


async def test_only_what_was_kept_counts_and_each_source_for_itself(store: Store) -> None:
    for number in range(3):
        await keep(store, told(f"g{number}", f"{number}", source="github"))
    await keep(store, told("g0", "another body", source="github"))
    await keep(store, told("h", "h", source="heroku"))
    await keep(store, told("p", "p", source="publisher"))
    await lose(store, ["unheard_github", "unheard_github", "unheard_heroku"])
    found = store.read_now(meter.read)
    assert [("versions", 1, 0), ("github", 3, 2), ("heroku", 1, 1)] == [
        (one.about, one.came, one.lost) for one in found
    ]


async def test_nothing_is_counted_that_was_counted_before(tmp_path: Path) -> None:
    """There may be millions of deliveries and of releases: the meter must not read them."""
    with a_store(f"sqlite:///{tmp_path / 'bridge.db'}") as store:
        await lose(store, ["unheard_github"])
        asked: list[tuple[str, Any]] = []

        def look(session: Session) -> list[str]:
            connection = session.connection()
            note = lambda *told: asked.append((told[2], told[3]))  # noqa: E731
            event.listen(connection, "before_cursor_execute", note)
            meter.read(session)
            event.remove(connection, "before_cursor_execute", note)
            plans = [
                connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", words).all()
                for query, words in asked
            ]
            return [str(row[-1]) for plan in plans for row in plan]

        plans = store.read_now(look)
        assert ["SEARCH tally USING PRIMARY KEY (pipeline=? AND what=?)"] == plans


async def test_the_page_and_its_twin_show_the_meter(tmp_path: Path, url: str) -> None:
    async with a_bridge(tmp_path, database_url=url) as bridge:
        assert [] == await _twin(bridge)
        assert "meters" not in (await get(bridge, "/deliveries")).text
        await keep(bridge.store, told("g", "g"))
        await lose(bridge.store, ["unheard_github"])
        page = (await get(bridge, "/deliveries")).text
        assert "! 1 of 2 GitHub deliveries never came." in page
        assert "✓ Every version was announced (1 so far)." in page
        said = "1 of 2 GitHub deliveries never came."
        reason = {"code": "some_deliveries_lost", "sentence": said}
        wanted = {"about": "github", "came": 1, "lost": 1, "reason": reason}
        assert wanted in await _twin(bridge)


async def _twin(bridge: Bridge) -> list[dict[str, object]]:
    told_by_twin: list[dict[str, object]] = (await get(bridge, "/api/v1/now")).json()["webhooks"]
    return told_by_twin


async def test_a_repair_is_only_words_on_the_page_of_its_release(tmp_path: Path) -> None:
    async with a_bridge(tmp_path) as bridge:
        key = await placed(bridge, "0.1.0", Stage.PROPOSED)

        def work(session: Session) -> None:
            found = releases.find(session, "regression-model", "0.1.0")
            ledger.note(session, found[0], "repair", Reason("unheard_github", EVIL), NOW)
            assert {"unheard_github": 1} == books.total(session, *meter.REPAIRS)

        await bridge.store.write(work)
        answer = await get(bridge, f"/releases/{key}")
        assert "<td>repair</td>" in answer.text
        tags = Page(answer.text).tags
        assert (2, 1) == (tags.count("script"), tags.count("img"))  # ours
        assert "&lt;script&gt;" in answer.text
