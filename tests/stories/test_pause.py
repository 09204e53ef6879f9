"""The stop button: what comes is kept, nothing new is begun, and it all goes on afterwards."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bridge.errors import Reason, Refused
from bridge.pausing import Button, press
from bridge.rehearsal.github import Refusal
from bridge.release import Stage
from bridge.store import deliveries
from tests.stories.test_gate import shown
from tests.stories.test_guard import ask_back, served
from tests.stories.town import Town

NAME = "house-prices"


async def push(town: Town, button: Button, pipeline: str | None = None) -> Reason:
    """Rosa presses it."""
    return await town.bridge.store.write(
        lambda session: press(
            session, button, pipeline, [NAME], who="rosa", why="an incident", now=town.now
        )
    )


@pytest.mark.parametrize("pipeline", [None, NAME])
async def test_a_paused_pipeline_takes_in_and_proposes_nothing(
    town: Town, pipeline: str | None
) -> None:
    await push(town, Button.PAUSE, pipeline)
    await town.publish("0.1.1")
    await town.run()
    release = town.release("0.1.1")
    assert (Stage.CONFIRMED, "paused") == (release.stage, release.code)
    assert "was paused by rosa: an incident." in release.sentence
    assert ([], {}) == (town.heroku.builds, town.github.pulls)
    await push(town, Button.RESUME, pipeline)
    await town.run()
    assert town.release("0.1.1").stage is Stage.VERIFIED
    (line,) = [line for line in town.lines("0.1.1") if line.code == "resumed"]
    assert ("act", "rosa") == (line.kind, line.actor)
    everything = town.ask(lambda session: deliveries.newest(session, 99))
    assert ["resume", "pause"] == [one.event for one in everything if one.source == "operator"]


async def test_a_pause_takes_the_green_light_from_everybodys_merge_button(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(merge="human")
    town.github.rules.checks = {"bridge/gate"}
    await town.publish("0.1.1")
    await town.run()
    await push(town, Button.PAUSE)
    await town.run()
    assert ["success", "pending"] == [state for state, _ in shown(town, 1)]
    with pytest.raises(Refusal, match='"bridge/gate" is pending'):
        town.github.merge(1, "rosa")
    (line,) = [line for line in town.lines("0.1.1") if line.kind == "act"]
    assert ("paused", "rosa") == (line.code, line.actor)
    await push(town, Button.RESUME)
    await town.run()
    town.github.merge(1, "rosa")
    await town.run()
    assert town.release("0.1.1").stage is Stage.VERIFIED


async def test_a_merge_that_was_forced_through_a_pause_is_not_deployed(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(merge="human")
    await town.publish("0.1.1")
    await town.run()
    await push(town, Button.PAUSE)
    town.now += timedelta(minutes=1)
    town.github.merge(1, "rosa", bypass=True)
    await town.run()
    assert "merged_against_gate" == town.release("0.1.1").code
    assert [] == town.heroku.builds
    await push(town, Button.RESUME)
    await town.run()
    assert town.release("0.1.1").stage is Stage.VERIFIED


async def test_what_is_merged_is_not_built_in_a_pause(town: Town) -> None:
    await town.publish("0.1.1")
    while not town.github.pulls or town.github.pulls[1].state == "OPEN":
        await town.turn()
    assert town.release("0.1.1").stage is not Stage.DEPLOYED
    await push(town, Button.PAUSE)
    before = len(town.heroku.builds)
    await town.run()
    assert (0, 0) == (before, len(town.heroku.builds))
    assert (Stage.MERGED, "paused") == (town.release("0.1.1").stage, town.release("0.1.1").code)
    await push(town, Button.RESUME)
    await town.run()
    assert town.release("0.1.1").stage is Stage.VERIFIED


async def test_a_build_under_way_is_watched_to_its_end(town: Town) -> None:
    await town.publish("0.1.1")
    while town.release("0.1.1").facts.heroku is None if town.releases() else True:
        await town.turn()
        if not town.mail:
            town.now += timedelta(milliseconds=100)
    await push(town, Button.PAUSE)
    await town.run()
    assert town.release("0.1.1").stage is Stage.VERIFIED


async def test_what_makes_no_sense_is_refused(town: Town) -> None:
    with pytest.raises(Refused, match="is not paused"):
        await push(town, Button.RESUME)
    with pytest.raises(Refused, match=r"no pipeline car-prices; bridge\.toml has house-prices"):
        await push(town, Button.PAUSE, "car-prices")
    await push(town, Button.PAUSE, NAME)
    with pytest.raises(Refused, match="is paused already, by rosa: an incident"):
        await push(town, Button.PAUSE, NAME)
    await push(town, Button.PAUSE)
    await push(town, Button.RESUME)
    await town.publish("0.1.1")
    await town.run()
    assert "paused" == town.release("0.1.1").code, "its own pause still holds"


async def test_a_pause_stops_the_pull_request_that_puts_a_pin_back(town: Town) -> None:
    await served(town, "0.1.0", "0.1.1")
    await push(town, Button.PAUSE)
    await ask_back(town, "0.1.1")
    await town.run()
    release = town.release("0.1.1")
    assert (Stage.ROLLED_BACK, "paused") == (release.stage, release.code)
    assert 2 == len(town.github.pulls)
    await push(town, Button.RESUME)
    await town.run()
    assert "pin_put_back" == town.release("0.1.1").code
    assert "regression-model==0.1.0 \\" in town.pinned()


async def test_a_pause_stops_its_merge(town: Town) -> None:
    await served(town, "0.1.0", "0.1.1")
    town.checks = lambda sha: "pending"
    await ask_back(town, "0.1.1")
    await town.run()
    pull = town.github.pulls[3]
    await push(town, Button.PAUSE)
    town.github.set_status(pull.head_sha, "success", "ci/circleci: test_app", "circleci")
    await town.run()
    assert ["success", "pending"] == [state for state, _ in shown(town, 3)]
    assert "OPEN" == pull.state
    await push(town, Button.RESUME)
    await town.run()
    assert "pin_put_back" == town.release("0.1.1").code
