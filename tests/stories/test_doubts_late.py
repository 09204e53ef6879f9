"""What was merged behind our back and is only seen late, after a newer version went ahead."""

from collections.abc import Callable
from datetime import timedelta

from bridge.release import Stage
from bridge.store import releases
from tests.stories.town import Town


async def test_a_merge_of_a_proposal_that_was_never_written_down_is_recorded(
    town_with: Callable[..., Town],
) -> None:
    """The process died right after it had proposed 0.1.0; then a person merged it."""
    town = town_with(merge="human")
    town.lost, town.crash_at = {"github"}, 1
    await town.publish("0.1.0")
    await town.run(patience=timedelta())
    assert town.crash_at is None, "it never crashed"
    assert town.release("0.1.0").stage is Stage.CONFIRMED
    town.github.merge(1, "rosa")
    await town.publish("0.1.1")
    await town.run()
    assert "merged" in town.path("0.1.0")
    assert "superseded" not in town.path("0.1.0")


async def test_an_older_merge_that_is_seen_late_is_not_put_in_place_of_a_newer_version(
    town_with: Callable[..., Town],
) -> None:
    """A person merged both, one after the other; whoever looked after the older one hangs."""
    town = town_with(merge="human")
    await town.publish("0.1.0")
    await town.run()
    town.lost = {"github"}
    town.now += timedelta(days=1)
    lease = timedelta(minutes=10)
    hanging = await town.bridge.store.write(
        lambda session: releases.claim(session, town.now, "a worker that hangs", lease, 1)
    )
    assert ["0.1.0"] == [release.version for release in hanging]
    town.github.merge(1, "rosa")
    await town.publish("0.1.1")
    await town.run(patience=timedelta())
    town.github.merge(2, "rosa")
    await town.run(patience=timedelta(minutes=5))
    assert town.release("0.1.1").stage is Stage.VERIFIED
    await town.run()
    assert "merged" in town.path("0.1.0")
    assert (await town.health())["model_version"] == "0.1.1"
