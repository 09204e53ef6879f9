"""The sweep finds what no webhook told, asks once for many, and counts what it had to repair."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from bridge import meter
from bridge.rehearsal.gate import Fault
from bridge.release import Stage
from bridge.store import books
from bridge.sweep import ON_ITS_WAY
from tests.stories.town import Town

SOON = timedelta(minutes=3)


def repairs(town: Town) -> dict[str, int]:
    """What the sweep repaired, by code."""
    return town.ask(lambda session: books.total(session, *meter.REPAIRS))


@pytest.fixture
async def waiting(town_with: Callable[..., Town]) -> Town:
    """0.1.0 waits for a person who merges it."""
    town = town_with(merge="human")
    await town.publish("0.1.0")
    await town.run()
    assert town.release("0.1.0").stage is Stage.PROPOSED
    return town


def said(town: Town) -> list[str]:
    """What the meter says."""
    return [one.reason.sentence for one in town.ask(meter.read)]


async def test_nothing_is_repaired_where_every_webhook_comes(town: Town) -> None:
    for version in ("0.1.0", "0.1.1"):
        await town.publish(version)
        await town.run()
    assert {} == repairs(town)
    assert "Every version was announced (2 so far)." == said(town)[0]
    assert all("is known to be lost" in sentence for sentence in said(town)[1:])
    assert 3 == len(said(town))


async def test_every_lost_webhook_is_counted_by_its_source(town: Town) -> None:
    town.lost = {"publisher", "circleci", "github", "heroku"}
    began = town.now
    await town.publish("0.1.0")
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
    assert {"unheard_upload": 1, "unheard_heroku": 1} == repairs(town)
    versions, heroku = said(town)
    assert "No version was ever announced" in versions
    assert "Heroku has told the bridge nothing" in heroku
    assert town.release("0.1.0").since - began < SOON, "two rounds of a minute, and two short ones"


@pytest.mark.parametrize("act", ["merge", "close", "push"])
async def test_what_a_person_does_unheard_is_seen_and_counted(waiting: Town, act: str) -> None:
    waiting.lost = {"github"}
    pull = waiting.github.pulls[1]
    if act == "push":
        waiting.github.commit(pull.head, {"api/notes.txt": b"Mine\n"}, "A note", "rosa")
    elif act == "merge":
        waiting.github.merge(1, "rosa")
    else:
        waiting.github.close(1, "rosa")
    await waiting.run(SOON)
    ends = {"merge": "verified", "close": "declined", "push": "proposed"}
    assert ends[act] == waiting.release("0.1.0").stage.value
    assert 1 == repairs(waiting)["unheard_github"]
    assert any(re.fullmatch(r"1 of \d+ GitHub deliveries never came\.", s) for s in said(waiting))
    assert "repair" in [line.kind for line in waiting.lines("0.1.0")]


async def test_a_webhook_that_comes_a_little_late_is_not_lost(waiting: Town) -> None:
    waiting.github.merge(1, "rosa")
    on_the_way, waiting.mail[:] = list(waiting.mail), []
    assert 1 == await waiting.bridge.worker.sweep()
    waiting.now += ON_ITS_WAY
    waiting.mail += on_the_way
    await waiting.run()
    assert waiting.release("0.1.0").stage is Stage.VERIFIED
    assert {} == repairs(waiting)


async def test_one_question_for_all_who_wait_in_one_place(town_with: Callable[..., Town]) -> None:
    town = town_with(merge="human")
    names = [f"house-prices-{number}" for number in range(20)]
    town.pipelines[:] = [town.pipeline.model_copy(update={"name": name}) for name in names]
    await town.restart()
    asked: list[str] = []
    town.index.before = lambda name: asked.append(name)
    await town.publish("0.1.0")
    await town.run()
    assert {Stage.PROPOSED} == {release.stage for release in town.releases()}
    assert 20 == len(town.releases()) == len(town.github.pulls)
    asked.clear()
    calls = len(town.github.calls)
    assert 0 == await town.bridge.worker.sweep()
    assert ["Pulls"] == [call.name for call in town.github.calls[calls:]]
    assert ["page"] == asked


async def test_a_neighbour_that_does_not_answer_hides_no_other(waiting: Town) -> None:
    waiting.lost = {"github"}
    waiting.index.before = lambda name: Fault("refuse", 503, {"message": "down"})
    waiting.github.merge(1, "rosa")
    await waiting.run(SOON)
    assert "merged" in waiting.path("0.1.0")
