"""A newer version is merged and only waits: nothing about the one that serves waits with it."""

from datetime import timedelta

import pytest

from bridge.errors import Refused
from bridge.pausing import Button
from bridge.release import Stage
from tests.stories.test_deploys import deploys, merged, watching
from tests.stories.test_guard import ROSA, ask_back, served
from tests.stories.test_pause import push
from tests.stories.test_sequence import both, in_sequence
from tests.stories.town import Town


async def waiting(town: Town) -> None:
    """0.1.1 serves, 0.1.2 is merged, and a person has paused everything."""
    await served(town, "0.1.0", "0.1.1")
    await merged(town, "0.1.2")
    await push(town, Button.PAUSE)
    await town.run()
    assert (Stage.MERGED, "paused") == (town.release("0.1.2").stage, town.release("0.1.2").code)


async def test_what_serves_is_rolled_back_though_a_merged_one_waits(town: Town) -> None:
    await waiting(town)
    await ask_back(town, "0.1.1")
    await town.run()
    assert Stage.ROLLED_BACK is town.release("0.1.1").stage
    assert "0.1.0" == (await town.health())["model_version"]
    await push(town, Button.RESUME)
    await town.run()
    assert Stage.VERIFIED is town.release("0.1.2").stage


@pytest.mark.parametrize("lost", [False, True])
async def test_a_rollback_by_hand_is_seen_though_a_merged_one_waits(town: Town, lost: bool) -> None:
    await waiting(town)
    town.lost = {"heroku"} if lost else set()
    town.now += timedelta(hours=3)
    town.heroku.rollback(1, ROSA)
    await town.run()
    assert Stage.ROLLED_BACK is town.release("0.1.1").stage


async def test_a_rollback_by_hand_is_seen_while_somebody_else_is_to_deploy(town: Town) -> None:
    await served(town, "0.1.0", "0.1.1")
    await watching(town)
    sha = await merged(town, "0.1.2")
    await town.run()
    assert "waiting_for_deploy" == town.release("0.1.2").code
    town.lost = {"heroku"}
    town.now += timedelta(hours=3)
    town.heroku.rollback(1, ROSA)
    await town.run()
    assert Stage.ROLLED_BACK is town.release("0.1.1").stage
    await deploys(town, sha)
    await town.run()
    assert Stage.VERIFIED is town.release("0.1.2").stage


async def test_while_a_build_is_under_way_a_person_waits(town: Town) -> None:
    await served(town, "0.1.0", "0.1.1")
    town.heroku.builds_wait = True
    await merged(town, "0.1.2")
    for _ in range(5):
        await town.turn()
    assert "building" == town.release("0.1.2").code
    with pytest.raises(Refused, match="on its way to house-prices-api"):
        await ask_back(town, "0.1.1")
    town.heroku.build_now()
    await town.run()
    release = town.release("0.1.1")
    assert (Stage.VERIFIED, "verified") == (release.stage, release.code)


async def test_one_pipeline_that_cannot_go_back_stops_no_other(town: Town) -> None:
    await in_sequence(town)
    production = town.pipelines.pop(0)
    await town.restart()
    await served(town, "0.1.0", "0.1.1")
    town.pipelines.append(production)
    await town.restart()
    await town.run()
    assert Stage.VERIFIED is both(town, "0.1.1")["production"].stage
    told = await ask_back(town, "0.1.1")
    assert "cellars cost too much. Not in production: No other version" in told.sentence
    stages = {name: release.stage for name, release in both(town, "0.1.1").items()}
    assert {"staging": Stage.ROLLING_BACK, "production": Stage.VERIFIED} == stages
    assert "production" not in both(town, "0.1.1")["staging"].sentence
