"""People merge, close and push, whenever they like."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bridge.release import Stage
from tests.stories.town import PACKAGE, Town

BRANCH = f"bridge/house-prices/{PACKAGE}-0.1.0"


@pytest.fixture
async def waiting(town_with: Callable[..., Town]) -> Town:
    """A town where the pull request for 0.1.0 waits for a person."""
    town = town_with(merge="human")
    await town.publish("0.1.0")
    await town.run()
    assert town.release("0.1.0").code == "waiting_for_reviewer"
    return town


async def test_a_person_merges(waiting: Town) -> None:
    waiting.github.merge(1, "rosa")
    await waiting.run()
    release = waiting.release("0.1.0")
    assert release.stage is Stage.VERIFIED
    assert release.facts.merged_by == "rosa"
    assert waiting.mutations("mergePullRequest") == 0


async def test_a_merge_nobody_told_us_of_is_noticed(waiting: Town) -> None:
    waiting.lost = {"github"}
    waiting.github.merge(1, "rosa")
    await waiting.run()
    assert waiting.release("0.1.0").stage is Stage.VERIFIED


async def test_a_person_closes_it_and_it_stays_closed(waiting: Town) -> None:
    waiting.github.close(1, "rosa")
    await waiting.run()
    assert waiting.release("0.1.0").stage is Stage.DECLINED
    waiting.mail.append(waiting.workflow("v0.1.0", "success"))
    waiting.now += timedelta(hours=1)
    await waiting.run()
    assert waiting.release("0.1.0").stage is Stage.DECLINED
    assert waiting.mutations("createPullRequest") == 1


async def test_hands_off_when_somebody_pushed_to_our_branch(town: Town) -> None:
    town.checks = lambda sha: "pending"
    await town.publish("0.1.0")
    await town.run()
    town.checks = lambda sha: "success"
    town.github.commit(BRANCH, {"api/extra.txt": b"hello"}, "One more thing", "rosa")
    await town.run()
    release = town.release("0.1.0")
    assert (release.stage, release.code) == (Stage.PROPOSED, "somebody_pushed")
    assert town.mutations("mergePullRequest") == 0


async def test_two_versions_minutes_apart_leave_one_pull_request(waiting: Town) -> None:
    await waiting.publish("0.1.1")
    await waiting.run()
    assert waiting.release("0.1.0").stage is Stage.SUPERSEDED
    assert {1: "CLOSED", 2: "OPEN"} == {n: p.state for n, p in waiting.github.pulls.items()}
    assert "0.1.1 is newer" in waiting.github.pulls[1].comments[0].body
    assert f"refs/heads/{BRANCH}" not in waiting.github.git.refs()
    waiting.github.merge(2, "rosa")
    await waiting.run()
    assert waiting.release("0.1.1").stage is Stage.VERIFIED


async def test_an_older_version_announced_late_is_superseded_at_once(waiting: Town) -> None:
    await waiting.publish("0.1.2")
    await waiting.run()
    await waiting.publish("0.1.1")
    await waiting.run()
    assert waiting.path("0.1.1") == ["announced", "superseded"]


async def test_a_look_alike_from_a_fork_is_not_ours(town: Town) -> None:
    town.github.commit(f"mallory:{BRANCH}", {"api/requirements.txt": b"evil==1\n"}, "Hi", "mallory")
    town.github.open_pull(f"mallory:{BRANCH}", "mallory", "Bump regression-model")
    await town.publish("0.1.0")
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
    assert town.github.pulls[1].state == "OPEN"
    town.github.pulls.pop(1)
