"""An older version mends what a newer one broke: what was taken back or is held stops no hotfix."""

from collections.abc import Callable

from bridge.release import Stage
from tests.stories.test_putting_back import reverting, rolled_back
from tests.stories.test_quarantine import hold, lift
from tests.stories.town import Town


async def test_a_hotfix_below_a_rolled_back_version_goes_its_way(
    town_with: Callable[..., Town],
) -> None:
    town = await reverting(town_with, "0.2.0")
    await town.publish("0.1.1")
    await town.run()
    assert Stage.PROPOSED is town.release("0.1.1").stage
    town.github.merge(4, "rosa")
    await town.run()
    assert Stage.VERIFIED is town.release("0.1.1").stage
    assert "CLOSED" == town.github.pulls[3].state
    assert "pin_put_back" == town.release("0.2.0").code


async def test_a_hotfix_is_rewritten_when_the_pin_was_put_back_before_it(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(merge="human")
    await rolled_back(town, by_a_person=True)
    await town.publish("0.1.0.post1")
    await town.run()
    assert Stage.PROPOSED is town.release("0.1.0.post1").stage
    town.github.merge(3, "rosa")
    await town.run()
    town.github.merge(4, "rosa")
    await town.run()
    assert Stage.VERIFIED is town.release("0.1.0.post1").stage
    assert "regression-model==0.1.0.post1 \\" in town.pinned()


async def test_what_is_held_in_its_pull_request_holds_no_older_one_up(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(merge="human")
    await town.publish("0.1.2")
    await town.run()
    await hold(town, "0.1.2")
    await town.publish("0.1.1")
    await town.run()
    assert Stage.PROPOSED is town.release("0.1.1").stage
    await lift(town, "0.1.2")
    await town.run()
    assert Stage.SUPERSEDED is town.release("0.1.1").stage
    assert "waiting_for_reviewer" == town.release("0.1.2").code
