"""A version arrives, by itself."""

from tests.stories.town import Town


async def test_a_version_goes_from_announced_to_verified(town: Town) -> None:
    await town.publish("0.1.0")
    await town.run()
    assert town.path("0.1.0") == [
        "announced",
        "confirmed",
        "proposed",
        "merged",
        "deployed",
        "verified",
    ]
    assert "regression-model==0.1.0 \\" in town.pinned()
    assert (await town.health())["model_version"] == "0.1.0"


async def test_the_next_version_replaces_the_first(town: Town) -> None:
    await town.publish("0.1.0")
    await town.run()
    await town.publish("0.1.1")
    await town.run()
    assert [release.stage.value for release in town.releases()] == ["verified", "verified"]
    assert town.release("0.1.1").facts.previous_version == "0.1.0"
    assert town.heroku.current is not None
    assert town.heroku.current.version == 2
    assert town.mutations("createPullRequest") == 2


async def test_only_the_pin_and_its_hash_change(town: Town) -> None:
    before = town.pinned().splitlines()
    await town.publish("0.1.0")
    await town.run()
    after = town.pinned().splitlines()
    changed = [
        number
        for number, lines in enumerate(zip(before, after, strict=True))
        if lines[0] != lines[1]
    ]
    assert [4, 5] == changed
    assert (town.release("0.1.0").facts.digest or "") in after[5]
