"""The process dies after an effect took place and before anybody wrote it down."""

import pytest

from bridge.rehearsal.gate import Fault
from bridge.release import Stage
from tests.stories.town import Town

EFFECTS = 12
MUTATIONS = ["createRef", "createCommitOnBranch", "createPullRequest", "mergePullRequest"]


async def effects_of_a_release(town: Town) -> int:
    """How many requests that change something one release makes."""
    await town.publish("0.1.0")
    await town.run()
    return town.effects


async def test_there_are_effects_to_crash_after(town: Town) -> None:
    assert await effects_of_a_release(town) == EFFECTS


@pytest.mark.parametrize("effect", range(1, EFFECTS + 1))
async def test_a_crash_after_any_effect_converges(town: Town, effect: int) -> None:
    town.crash_at = effect
    await town.publish("0.1.0")
    await town.run()
    assert town.crash_at is None, "it never crashed"
    assert town.release("0.1.0").stage is Stage.VERIFIED
    assert {name: town.mutations(name) for name in MUTATIONS} == dict.fromkeys(MUTATIONS, 1)
    assert len(town.heroku.builds) == 1


@pytest.mark.parametrize("operation", [*MUTATIONS, "Propose", "Merge", "deleteRef"])
async def test_a_lost_reply_of_github_converges(town: Town, operation: str) -> None:
    lost = [operation]

    def once(name: str) -> Fault | None:
        if name not in lost:
            return None
        lost.remove(name)
        return Fault("lost_reply")

    town.github.before = once
    await town.publish("0.1.0")
    await town.run()
    assert not lost, "nothing was lost"
    assert town.release("0.1.0").stage is Stage.VERIFIED
    assert {name: town.mutations(name) for name in MUTATIONS} == dict.fromkeys(MUTATIONS, 1)


async def test_a_lost_reply_of_heroku_is_one_build(town: Town) -> None:
    seen: list[str] = []

    def once(name: str) -> Fault | None:
        seen.append(name)
        return Fault("lost_reply") if "build" in name and seen.count(name) == 1 else None

    town.heroku.before = once
    await town.publish("0.1.0")
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
    assert len(town.heroku.builds) == 1
