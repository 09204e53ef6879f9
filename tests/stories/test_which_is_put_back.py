"""Of the Heroku releases that could be put back, the right one is."""

from datetime import timedelta

from bridge.release import Stage
from tests.stories.town import Town


async def serves(town: Town) -> None:
    """0.1.0 is verified; whatever comes after it reports 0.1.0."""
    await town.publish("0.1.0")
    await town.run()
    town.runner.stuck_version = "0.1.0"


async def test_config_vars_set_before_the_bad_version_stay(town: Town) -> None:
    await serves(town)
    town.heroku.set_config({"DATABASE_URL": "rotated"}, "rosa@example.com")
    await town.run()
    await town.publish("0.1.1")
    await town.run()
    assert Stage.ROLLED_BACK is town.release("0.1.1").stage
    assert "Rollback to v2" == town.heroku.releases[-1].description
    assert "rotated" == town.heroku.config_vars["DATABASE_URL"]
    assert "undone" not in town.move("0.1.1", "rolled_back").sentence


async def test_config_vars_set_after_it_are_undone_and_named(town: Town) -> None:
    await serves(town)
    await town.publish("0.1.1")
    for _ in range(200):
        await town.run(patience=timedelta())
        if town.release("0.1.1").stage is Stage.DEPLOYED:
            break
        town.now += timedelta(seconds=1)
    town.heroku.set_config({"WORKERS": "2"}, "rosa@example.com")
    await town.run()
    assert Stage.ROLLED_BACK is town.release("0.1.1").stage
    assert (
        "undone with it: v3 (Set WORKERS config vars)" in town.move("0.1.1", "rolled_back").sentence
    )
