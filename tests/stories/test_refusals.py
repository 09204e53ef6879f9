"""What stops a version, and what it says then."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bridge.release import Stage
from tests.stories.town import Town, model_wheel

FILE = "regression_model-0.1.1-py3-none-any.whl"


@pytest.fixture
async def served(town: Town) -> Town:
    """A town where 0.1.0 is proven to be serving."""
    await town.publish("0.1.0")
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
    return town


async def test_another_file_than_announced_is_never_proposed(served: Town) -> None:
    await served.publish("0.1.1", digest="e" * 64)
    await served.run()
    release = served.release("0.1.1")
    assert (release.stage, release.code) == (Stage.FAILED, "digest_mismatch")
    assert served.mutations("createPullRequest") == 1


async def test_a_wheel_replaced_between_listing_and_download_is_never_proposed(
    served: Town,
) -> None:
    letter = await served.publish("0.1.1")
    served.index.replace(FILE, model_wheel("0.1.1", rmse=0.2)[1])
    assert letter
    await served.run()
    assert served.release("0.1.1").code == "digest_mismatch"


async def test_an_announcement_that_comes_late_still_counts(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(merge="human")
    await town.publish("0.1.1", announced=False)
    await town.run()
    assert town.release("0.1.1").code == "waiting_for_reviewer", "the sweep had found it"
    town.mail.append(town.announcement("0.1.1", FILE, "e" * 64))
    await town.run()
    assert town.github.pulls[1].state == "CLOSED"
    assert (town.release("0.1.1").stage, town.release("0.1.1").code) == (
        Stage.FAILED,
        "digest_mismatch",
    )


async def test_a_file_that_the_index_shows_late_is_waited_for(served: Town) -> None:
    served.index.hidden = {FILE}
    await served.publish("0.1.1")
    await served.run(patience=timedelta(minutes=3))
    assert served.release("0.1.1").code == "waiting_for_index"
    served.index.hidden = set()
    await served.run()
    assert served.release("0.1.1").stage is Stage.VERIFIED


async def test_a_file_that_never_comes_is_given_up(served: Town) -> None:
    served.index.hidden = {FILE}
    await served.publish("0.1.1")
    await served.run(patience=timedelta(hours=1))
    assert served.release("0.1.1").code == "not_on_index"


async def test_a_failed_build_leaves_the_old_version_serving(served: Town) -> None:
    served.runner.fail_build = "ERROR: No matching distribution found for numpy==99"
    await served.publish("0.1.1")
    await served.run()
    release = served.release("0.1.1")
    assert (release.stage, release.code) == (Stage.FAILED, "build_failed")
    assert "numpy==99" in release.sentence
    assert (await served.health())["model_version"] == "0.1.0"


async def test_an_api_that_keeps_the_old_version_is_rolled_back(served: Town) -> None:
    served.runner.stuck_version = "0.1.0"
    await served.publish("0.1.1")
    await served.run()
    release = served.release("0.1.1")
    assert release.stage is Stage.ROLLED_BACK
    assert "it reports 0.1.0" in release.sentence
    assert "rolling_back" in served.path("0.1.1")
    current = served.heroku.current
    assert current is not None
    assert current.description == "Rollback to v1"


async def test_a_model_that_answers_wrongly_is_rolled_back(served: Town) -> None:
    served.runner.wrong_answers = True
    await served.publish("0.1.1")
    await served.run()
    release = served.release("0.1.1")
    assert release.stage is Stage.ROLLED_BACK
    assert "wrong_answers" in [line.code for line in served.lines("0.1.1")]


async def test_without_a_version_to_put_back_the_release_fails(town: Town) -> None:
    town.runner.stuck_version = "0.0.9"
    await town.publish("0.1.0")
    await town.run()
    release = town.release("0.1.0")
    assert (release.stage, release.code) == (Stage.FAILED, "nothing_to_roll_back_to")


async def test_a_rolled_back_version_is_not_proposed_again(served: Town) -> None:
    served.runner.stuck_version = "0.1.0"
    letter = await served.publish("0.1.1")
    await served.run()
    served.runner.stuck_version = None
    made = served.mutations("createPullRequest")
    served.mail.append(served.announcement("0.1.1", FILE, "f" * 64))
    await served.run(patience=timedelta(hours=1))
    assert letter
    assert served.release("0.1.1").stage is Stage.ROLLED_BACK
    assert served.mutations("createPullRequest") == made


async def test_failing_checks_are_not_merged(served: Town) -> None:
    served.checks = lambda sha: "failure"
    await served.publish("0.1.1")
    await served.run()
    release = served.release("0.1.1")
    assert (release.stage, release.code) == (Stage.PROPOSED, "checks_failed")


async def test_no_check_at_all_is_not_good_news(served: Town) -> None:
    served.checks = lambda sha: None
    await served.publish("0.1.1")
    await served.run()
    assert served.release("0.1.1").code == "waiting_for_checks"


async def test_the_neighbours_refuse_for_a_while(served: Town) -> None:
    from bridge.rehearsal.gate import Fault

    down = Fault("refuse", 503, {"message": "down"}, {"retry-after": "30"})
    served.github.before = lambda name: down
    await served.publish("0.1.1")
    await served.run(patience=timedelta(minutes=5))
    assert served.release("0.1.1").code == "unavailable"
    served.github.before = lambda name: None
    await served.run()
    assert served.release("0.1.1").stage is Stage.VERIFIED


async def test_policy_may_leave_a_rollback_to_a_person(town_with: Callable[..., Town]) -> None:
    town = town_with(rollback="ask")
    await town.publish("0.1.0")
    await town.run()
    town.runner.stuck_version = "0.1.0"
    await town.publish("0.1.1")
    await town.run()
    assert town.release("0.1.1").code == "rollback_by_hand"
