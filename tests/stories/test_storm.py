"""Many versions in a short time: one pull request at the end, and CI does not suffer."""

from collections.abc import Callable
from datetime import timedelta

from bridge.release import Stage
from tests.stories.town import Town


async def test_fifty_versions_in_five_minutes_are_a_handful_of_pull_requests(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(merge="human")
    began = town.now
    for number in range(50):
        await town.publish(f"0.1.{number}")
        await town.run(timedelta(0))
        town.now = max(town.now, began + timedelta(seconds=6 * (number + 1)))
    await town.run()
    states = [pull.state for pull in town.github.pulls.values()]
    assert (len(states) - 1) * ["CLOSED"] + ["OPEN"] == states
    assert len(states) <= 5
    last = town.release("0.1.49")
    assert (last.stage, last.code) == (Stage.PROPOSED, "waiting_for_reviewer")
    others = {town.release(f"0.1.{number}").stage for number in range(49)}
    assert {Stage.SUPERSEDED} == others
    town.github.merge(len(states), "rosa")
    await town.run()
    assert town.release("0.1.49").stage is Stage.VERIFIED


async def test_a_new_pull_request_stays_for_a_while(town_with: Callable[..., Town]) -> None:
    town = town_with(merge="human")
    await town.publish("0.1.0")
    await town.run(timedelta(0))
    await town.publish("0.1.1")
    await town.run(timedelta(seconds=60))
    assert (Stage.CONFIRMED, "replaces_soon") == _stands(town, "0.1.1")
    town.github.merge(1, "rosa")
    await town.run()
    assert Stage.VERIFIED is town.release("0.1.0").stage
    assert (Stage.PROPOSED, "waiting_for_reviewer") == _stands(town, "0.1.1")


async def test_a_newer_version_that_is_refused_holds_nobody_up(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(merge="human")
    for version in ("0.1.0", "0.1.1", "0.1.2"):
        await town.publish(version)
    await town.run(timedelta(0))
    assert (Stage.PROPOSED, "waiting_for_reviewer") == _stands(town, "0.1.2")
    assert {Stage.SUPERSEDED} == {town.release(one).stage for one in ("0.1.0", "0.1.1")}
    assert [1] == list(town.github.pulls)


def _stands(town: Town, version: str) -> tuple[Stage, str]:
    release = town.release(version)
    return release.stage, release.code
