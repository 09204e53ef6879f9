"""The base branch moves under an open pull request."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bridge.release import Stage
from tests.stories.town import PACKAGE, REQUIREMENTS, Town

PATH = "api/requirements.txt"
BRANCH = f"bridge/house-prices/{PACKAGE}-0.1.0"
AT_HAND = REQUIREMENTS.replace(f"{PACKAGE}==0.0.0", f"{PACKAGE}==0.0.9").encode()


@pytest.fixture
async def waiting(town_with: Callable[..., Town]) -> Town:
    """A town where the pull request for 0.1.0 waits for a person."""
    town = town_with(merge="human")
    await town.publish("0.1.0")
    await town.run()
    return town


async def test_a_conflict_is_written_anew_in_the_same_pull_request(waiting: Town) -> None:
    before = waiting.github.pulls[1].head_sha
    waiting.github.commit("main", {PATH: AT_HAND}, "By hand", "rosa")
    await waiting.run()
    pull = waiting.github.pulls[1]
    assert waiting.release("0.1.0").code == "waiting_for_reviewer"
    assert (1, "OPEN") == (len(waiting.github.pulls), pull.state)
    assert pull.title == f"Bump {PACKAGE} from 0.0.9 to 0.1.0"
    remembered = waiting.release("0.1.0").facts.pull_request
    assert remembered is not None
    assert before != pull.head_sha == remembered.head_sha
    assert [one.sha for one in waiting.github.git.log(f"main..{BRANCH}")] == [pull.head_sha]
    assert f"refs/heads/{BRANCH}.next" not in waiting.github.git.refs()
    waiting.github.merge(1, "rosa")
    await waiting.run()
    assert waiting.release("0.1.0").stage is Stage.VERIFIED


async def test_a_conflict_that_nobody_told_us_of_is_seen_by_the_sweep(waiting: Town) -> None:
    waiting.lost = {"github"}
    waiting.github.commit("main", {PATH: AT_HAND}, "By hand", "rosa")
    await waiting.run(timedelta(minutes=3))
    assert waiting.github.pulls[1].title == f"Bump {PACKAGE} from 0.0.9 to 0.1.0"


async def test_an_older_version_merged_in_the_last_moment_does_not_block_the_newer(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(merge="human", replace_after="0s")
    await town.publish("0.1.0")
    await town.run()
    await town.publish("0.1.1")
    await town.proposed(2)
    town.github.merge(1, "rosa")
    await town.run()
    assert town.github.pulls[2].title == f"Bump {PACKAGE} from 0.1.0 to 0.1.1"
    town.github.merge(2, "rosa")
    await town.run()
    assert town.release("0.1.1").stage is Stage.VERIFIED
    assert [1, 2] == list(town.github.pulls)


async def test_what_a_person_pushed_is_not_written_over(waiting: Town) -> None:
    theirs = waiting.github.commit(BRANCH, {"api/extra.txt": b"hello"}, "One more", "rosa")
    waiting.github.commit("main", {PATH: AT_HAND}, "By hand", "rosa")
    await waiting.run()
    assert waiting.release("0.1.0").code == "somebody_pushed"
    assert waiting.github.pulls[1].head_sha == theirs


async def test_a_newer_pin_on_the_base_supersedes(waiting: Town) -> None:
    newer = REQUIREMENTS.replace(f"{PACKAGE}==0.0.0", f"{PACKAGE}==0.2.0").encode()
    waiting.github.commit("main", {PATH: newer}, "By hand", "rosa")
    await waiting.run()
    assert waiting.release("0.1.0").stage is Stage.SUPERSEDED
    assert waiting.github.pulls[1].state == "CLOSED"


async def test_a_pin_that_is_gone_ends_it_with_a_word(waiting: Town) -> None:
    without = REQUIREMENTS.split("# the model")[0].encode()
    waiting.github.commit("main", {PATH: without}, "No model any more", "rosa")
    await waiting.run()
    release = waiting.release("0.1.0")
    assert (release.stage, release.code) == (Stage.FAILED, "no_pin")
    assert waiting.github.pulls[1].state == "CLOSED"
    assert PACKAGE in waiting.github.pulls[1].comments[0].body
