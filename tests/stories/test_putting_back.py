"""After a rollback the old version proves itself, and the pin on the branch is put back."""

from collections.abc import Callable
from datetime import timedelta

from bridge.facts import Rollback
from bridge.rehearsal.github import Pull
from bridge.release import Stage
from tests.stories.town import PACKAGE, Town

BRANCH = f"bridge/house-prices/back-from-{PACKAGE}-0.1.1"
PINNED = "api/requirements.txt"


async def rolled_back(town: Town, *, by_a_person: bool = False) -> Rollback:
    """A town which has rolled 0.1.1 back; what came of it."""
    await town.publish("0.1.0")
    await town.run()
    if by_a_person:
        town.github.merge(1, "rosa")
        await town.run()
    assert Stage.VERIFIED is town.release("0.1.0").stage
    town.runner.stuck_version = "0.1.0"
    await town.publish("0.1.1")
    await town.run()
    if by_a_person:
        town.github.merge(2, "rosa")
        await town.run()
    town.runner.stuck_version = None
    release = town.release("0.1.1")
    assert Stage.ROLLED_BACK is release.stage
    assert release.facts.rollback is not None
    return release.facts.rollback


def reverts(town: Town) -> list[Pull]:
    return [pull for pull in town.github.pulls.values() if pull.head == BRANCH]


async def test_the_pin_is_put_back_by_one_pull_request(town: Town) -> None:
    rolled = await rolled_back(town)
    (pull,) = reverts(town)
    assert "MERGED" == pull.state
    assert "regression-model==0.1.0 \\" in town.pinned()
    assert (town.release("0.1.0").facts.digest or "?") in town.pinned()
    assert "Put regression-model back to 0.1.0, from 0.1.1" == pull.title
    for told in ("it reports 0.1.0", "release-quarantine regression-model 0.1.1", "v3"):
        assert told in pull.body
    assert rolled.settled
    release = town.release("0.1.1")
    assert "pin_put_back" == release.code
    assert f"refs/heads/{BRANCH}" not in town.github.git.refs()
    assert release.due_at is None, "nothing is left to do"
    assert 2 == len(town.heroku.builds), "nothing is built for it"


async def test_the_version_that_was_put_back_proves_itself_first(town: Town) -> None:
    rolled = await rolled_back(town)
    assert ("0.1.0", 3) == (rolled.to, rolled.release)
    assert [("matches", "0.1.0")] * 3 == [(one.verdict, one.version) for one in rolled.readings]
    line = next(line for line in town.lines("0.1.1") if line.to_stage == "rolled_back")
    assert "readings" in str(line.evidence.root["rollback"])


async def reverting(town_with: Callable[..., Town], version: str) -> Town:
    """A town where people merge: 0.1.0 runs again in place of `version`, which is still pinned."""
    town = town_with(merge="human")
    await town.publish("0.1.0")
    await town.run()
    town.github.merge(1, "rosa")
    await town.run()
    town.runner.stuck_version = "0.1.0"
    await town.publish(version)
    await town.run()
    town.github.merge(2, "rosa")
    await town.run()
    town.runner.stuck_version = None
    assert (Stage.ROLLED_BACK, "reverting") == (
        town.release(version).stage,
        town.release(version).code,
    )
    return town


async def test_a_version_that_does_not_come_back_is_not_said_to_run(town: Town) -> None:
    await town.publish("0.1.0")
    await town.run()
    town.runner.stuck_version = "9.9.9"
    await town.publish("0.1.1")
    await town.run()
    release = town.release("0.1.1")
    assert (Stage.FAILED, "rollback_unproven") == (release.stage, release.code)
    assert "it reports 9.9.9" in release.sentence


async def test_where_a_person_merges_a_person_merges_this_too(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(merge="human")
    await rolled_back(town, by_a_person=True)
    release = town.release("0.1.1")
    assert "reverting" == release.code
    assert "waits for a person to merge it" in release.sentence
    status = town.github.statuses(town.github.pulls[3].head_sha)[-1]
    assert ("bridge/gate", "success") == (status.context, status.state)
    town.github.merge(3, "rosa")
    await town.run()
    assert "pin_put_back" == town.release("0.1.1").code
    assert "regression-model==0.1.0 \\" in town.pinned()


async def test_it_is_merged_though_nobody_tells(town_with: Callable[..., Town]) -> None:
    town = town_with(merge="human")
    await rolled_back(town, by_a_person=True)
    town.lost = {"github"}
    town.github.merge(3, "rosa")
    await town.run()
    assert "pin_put_back" == town.release("0.1.1").code
    assert "repair" in [line.kind for line in town.lines("0.1.1")]


async def test_a_person_closes_it_and_it_stays_closed(town_with: Callable[..., Town]) -> None:
    town = town_with(merge="human")
    await rolled_back(town, by_a_person=True)
    town.github.close(3, "rosa")
    await town.run()
    assert "revert_declined" == town.release("0.1.1").code
    assert "alarm" == town.lines("0.1.1")[-1].kind
    town.now += timedelta(days=2)
    await town.run()
    assert ["CLOSED"] == [pull.state for pull in reverts(town)]


async def test_a_newer_version_makes_it_superfluous(town_with: Callable[..., Town]) -> None:
    town = town_with(merge="human")
    await rolled_back(town, by_a_person=True)
    await town.publish("0.1.2")
    await town.run()
    assert ["OPEN"] == [pull.state for pull in reverts(town)]
    town.github.merge(4, "rosa")
    await town.run()
    assert Stage.VERIFIED is town.release("0.1.2").stage
    assert ["CLOSED"] == [pull.state for pull in reverts(town)]
    assert "main pins 0.1.2" in town.release("0.1.1").sentence


async def test_a_base_that_moved_gets_it_anew(town_with: Callable[..., Town]) -> None:
    town = town_with(merge="human")
    await rolled_back(town, by_a_person=True)
    moved = town.pinned().replace("# the model", "# our model").encode()
    town.github.commit("main", {PINNED: moved}, "Say whose", "rosa")
    await town.run()
    town.github.merge(3, "rosa")
    await town.run()
    assert "# our model\nregression-model==0.1.0 \\" in town.pinned()


async def test_what_somebody_pushed_to_it_is_not_merged_by_us(town: Town) -> None:
    town.checks = lambda sha: "success" if len(town.github.pulls) < 3 else "pending"
    await rolled_back(town)
    town.checks = lambda sha: "success"
    town.github.commit(BRANCH, {"api/extra.txt": b"hello"}, "One more thing", "rosa")
    await town.run()
    assert "Somebody pushed" in town.release("0.1.1").sentence
    assert "OPEN" == town.github.pulls[3].state


async def test_what_must_not_be_guessed_is_left_to_a_person(town: Town) -> None:
    await town.publish("0.1.0")
    await town.run()
    town.runner.stuck_version = "0.1.0"
    await town.publish("0.1.1")
    for _ in range(200):
        await town.run(patience=timedelta())
        if town.release("0.1.1").stage is Stage.ROLLING_BACK:
            break
        town.now += timedelta(seconds=1)
    twice = town.pinned() + "regression-model==0.1.1\n"
    town.github.commit("main", {PINNED: twice.encode()}, "Twice", "rosa")
    await town.run()
    release = town.release("0.1.1")
    assert (Stage.ROLLED_BACK, "revert_by_hand") == (release.stage, release.code)
    assert "a second time" in release.sentence


async def test_what_heroku_has_not_kept_is_built_anew(town: Town) -> None:
    await town.publish("0.1.0")
    await town.run()
    town.heroku.expire(1)
    town.runner.stuck_version = "0.1.0"
    await town.publish("0.1.1")
    await town.run()
    release = town.release("0.1.1")
    assert Stage.ROLLED_BACK is release.stage
    (line,) = [line for line in town.lines("0.1.1") if line.code == "rolled_back_anew"]
    assert "built anew as v3, because Heroku had not kept it" in line.sentence
    first, _, third = town.heroku.builds
    assert first.source.version == third.source.version
    assert 1 == len([line for line in town.lines("0.1.1") if line.code == "intent_rebuild"])
    assert "regression-model==0.1.0 \\" in town.pinned()


async def test_what_cannot_be_built_anew_is_said(town: Town) -> None:
    await town.publish("0.1.0")
    await town.run()
    town.heroku.expire(1)
    town.runner.stuck_version = "0.1.0"
    await town.publish("0.1.1")
    for _ in range(200):
        await town.run(patience=timedelta())
        if town.release("0.1.1").stage is Stage.DEPLOYED:
            break
        town.now += timedelta(seconds=1)
    town.runner.fail_build = "ERROR: the index is gone"
    await town.run()
    release = town.release("0.1.1")
    assert (Stage.FAILED, "rebuild_failed") == (release.stage, release.code)
    assert "the index is gone" in release.sentence


async def test_the_next_version_goes_its_way(town: Town) -> None:
    await rolled_back(town)
    await town.publish("0.1.2")
    await town.run()
    assert Stage.VERIFIED is town.release("0.1.2").stage
    assert "regression-model==0.1.2 \\" in town.pinned()
