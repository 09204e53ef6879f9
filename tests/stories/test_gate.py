"""The gate: what policy forbids is proposed, and stopped where everybody can see it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bridge.facts import Allowance
from bridge.rehearsal.gate import Fault
from bridge.rehearsal.github import Refusal
from bridge.release import Stage
from tests.stories.test_allowed import retry
from tests.stories.town import PACKAGE, REQUIREMENTS, Town

BRANCH = f"bridge/house-prices/{PACKAGE}-0.1.1"
STRICT = {"gates": {"rmse": {"may_grow": "2%"}}}
WEEKEND = {"freeze": [{"from": "Fri 16:00", "to": "Mon 08:00", "tz": "Europe/Berlin"}]}
FRIDAY = datetime(2026, 11, 27, 14, 58, tzinfo=UTC)
MONDAY = datetime(2026, 11, 30, 7, 0, tzinfo=UTC)


def shown(town: Town, number: int) -> list[tuple[str, str]]:
    """What bridge/gate has said at the head of a pull request, oldest first."""
    said = town.github.statuses(town.github.pulls[number].head_sha)
    return [(one.state, one.description or "") for one in said if one.context == "bridge/gate"]


async def serving(town: Town) -> Town:
    """0.1.0 is proven to be serving, and main requires the gate."""
    town.github.rules.checks = {"bridge/gate"}
    await town.publish("0.1.0", rmse=0.1)
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
    return town


@pytest.mark.parametrize("merge", ["auto", "human"])
async def test_a_worse_model_is_proposed_and_nobody_can_merge_it(
    town_with: Callable[..., Town], merge: str
) -> None:
    town = town_with(merge=merge, **STRICT)
    town.github.rules.checks = {"bridge/gate"}
    await town.publish("0.1.0", rmse=0.1)
    await town.run()
    if merge == "human":
        town.github.merge(1, "rosa")
        await town.run()
    await town.publish("0.1.1", rmse=0.11)
    await town.run()
    release = town.release("0.1.1")
    assert (Stage.PROPOSED, "gate_broken") == (release.stage, release.code)
    ((state, why),) = shown(town, 2)
    assert "failure" == state
    assert why.startswith("Gate broken: rmse grew +10.0% (0.1 to 0.11), and may grow by 2%.")
    assert len(why) <= 140
    with pytest.raises(Refusal, match='"bridge/gate" is failing'):
        town.github.merge(2, "rosa")
    assert (1 if merge == "auto" else 0) == town.mutations("mergePullRequest")
    assert f"/releases/{release.id}" in str(town.github.statuses(release_head(town))[-1].target_url)


def release_head(town: Town) -> str:
    return town.github.pulls[2].head_sha


async def test_a_better_model_passes_and_says_so(town_with: Callable[..., Town]) -> None:
    town = await serving(town_with(**STRICT))
    await town.publish("0.1.1", rmse=0.09)
    await town.run()
    assert town.release("0.1.1").stage is Stage.VERIFIED
    assert [("success", "Better than 0.1.0: rmse -10.0%.")] == shown(town, 2)


async def test_a_forced_merge_is_an_alarm_and_is_not_deployed(
    town_with: Callable[..., Town],
) -> None:
    town = await serving(town_with(**STRICT))
    await town.publish("0.1.1", rmse=0.11)
    await town.run()
    town.github.merge(2, "rosa", bypass=True)
    await town.run()
    release = town.release("0.1.1")
    assert (Stage.PROPOSED, "merged_against_gate") == (release.stage, release.code)
    assert "merged by rosa" in release.sentence
    alarms = [line for line in town.lines("0.1.1") if line.kind == "alarm"]
    assert ["merged_against_gate"] == [line.code for line in alarms]
    assert 1 == len(town.heroku.builds)
    assert "0.1.0" == (await town.health())["model_version"]


async def test_a_forced_merge_that_is_reverted_ends(town_with: Callable[..., Town]) -> None:
    town = await serving(town_with(**STRICT))
    before = town.pinned()
    await town.publish("0.1.1", rmse=0.11)
    await town.run()
    town.github.merge(2, "rosa", bypass=True)
    await town.run()
    town.github.commit("main", {"api/requirements.txt": before.encode()}, "Revert", "rosa")
    await town.run()
    release = town.release("0.1.1")
    assert (Stage.FAILED, "merge_reverted") == (release.stage, release.code)
    assert 1 == len(town.heroku.builds)


async def test_a_pin_by_hand_does_not_go_round_the_gate(town_with: Callable[..., Town]) -> None:
    town = await serving(town_with(**STRICT))
    letter = await town.publish("0.1.1", rmse=0.11, announced=False)
    digest = letter.body.decode().partition('"sha256": "')[2][:64]
    text = REQUIREMENTS.replace("0.0.0", "0.1.1").replace("0" * 64, digest)
    town.github.commit("main", {"api/requirements.txt": text.encode()}, "By hand", "rosa")
    town.mail.append(letter)
    await town.run()
    assert "merged_against_gate" == town.release("0.1.1").code
    assert 1 == len(town.heroku.builds)


async def test_nothing_is_merged_in_a_freeze_and_by_itself_after_it(
    town_with: Callable[..., Town],
) -> None:
    town = await serving(town_with(**WEEKEND))
    town.now = FRIDAY + timedelta(minutes=5)
    await town.publish("0.1.1")
    await town.run()
    release = town.release("0.1.1")
    assert "frozen" == release.code
    assert "Mon 30 Nov 08:00 (Europe/Berlin)" in release.sentence
    assert ["pending"] == [state for state, _ in shown(town, 2)]
    town.lost = {"github"}
    await town.run(patience=timedelta(days=4))
    release = town.release("0.1.1")
    assert release.stage is Stage.VERIFIED
    assert ["pending", "success"] == [state for state, _ in shown(town, 2)]
    merged = town.github.pulls[2].closed_at
    assert merged
    assert MONDAY <= merged < MONDAY + timedelta(seconds=10)


async def test_a_green_light_goes_out_when_the_freeze_begins(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(merge="human", **WEEKEND)
    town.github.rules.checks = {"bridge/gate"}
    town.now = FRIDAY
    await town.publish("0.1.1")
    await town.run(patience=timedelta(seconds=30))
    assert ["success"] == [state for state, _ in shown(town, 1)]
    town.lost = {"github"}
    await town.run(patience=timedelta(hours=1))
    assert ["success", "pending"] == [state for state, _ in shown(town, 1)]
    with pytest.raises(Refusal, match='"bridge/gate" is pending'):
        town.github.merge(1, "rosa")


async def test_a_merge_just_before_the_freeze_is_no_offence(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(merge="human", **WEEKEND)
    town.now = FRIDAY
    await town.publish("0.1.1")
    await town.run(patience=timedelta(seconds=30))
    town.mail.clear()
    town.github.merge(1, "rosa")
    town.now = FRIDAY + timedelta(minutes=10)
    await town.run()
    assert town.release("0.1.1").stage is Stage.VERIFIED


async def test_another_pin_on_our_branch_turns_the_gate_red(
    town_with: Callable[..., Town],
) -> None:
    town = await serving(town_with(merge="auto"))
    town.checks = lambda sha: "pending"
    await town.publish("0.1.1")
    await town.run()
    text = town.pinned().replace("0.1.0", "6.6.6")
    town.github.commit(BRANCH, {"api/requirements.txt": text.encode()}, "Better", "mallory")
    await town.run()
    ((state, why),) = shown(town, 2)
    assert ("failure", True) == (state, "does not pin" in why)


async def test_a_person_may_add_what_the_new_model_needs(town_with: Callable[..., Town]) -> None:
    town = town_with(merge="human")
    town.github.rules.checks = {"bridge/gate"}
    await town.publish("0.1.1")
    await town.run()
    town.github.commit(BRANCH, {"api/schema.py": b"# new\n"}, "New field", "rosa")
    await town.run()
    assert "somebody_pushed" == town.release("0.1.1").code
    town.github.merge(1, "rosa")
    await town.run()
    assert town.release("0.1.1").stage is Stage.VERIFIED


async def test_our_own_green_light_is_not_a_check(town: Town) -> None:
    town.checks = lambda sha: None
    await town.publish("0.1.1")
    await town.run(patience=timedelta(days=2))
    assert ["success"] == [state for state, _ in shown(town, 1)]
    assert "waiting_for_checks" == town.release("0.1.1").code


async def test_a_token_that_may_not_write_statuses_is_named(town: Town) -> None:
    denied = Fault("refuse", 403, {"message": "Resource not accessible by integration"})
    town.github.before = lambda name: denied if name == "createStatus" else None
    await town.publish("0.1.1")
    await town.run(patience=timedelta(minutes=2))
    assert "may the token write commit statuses?" in town.release("0.1.1").sentence
    assert 0 == town.mutations("mergePullRequest")


async def test_labels_and_reviewers_are_a_courtesy(town: Town) -> None:
    await town.publish("0.1.0")
    await town.run()
    pull = town.github.pulls[1]
    assert (["model"], ["octocat"], ["ml"]) == (pull.labels, pull.reviewers, pull.teams)
    town.github.people.clear()
    await town.publish("0.1.1")
    await town.run()
    assert town.release("0.1.1").stage is Stage.VERIFIED
    assert (["model"], []) == (town.github.pulls[2].labels, town.github.pulls[2].reviewers)


async def test_proposing_takes_two_round_trips_and_showing_the_gate_two_more(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(merge="human")
    town.pipelines[:] = [town.pipeline.model_copy(update={"labels": [], "reviewers": []})]
    await town.restart()
    town.lost = {"github"}
    await town.publish("0.1.0")
    await town.run(patience=timedelta(seconds=1))
    names = [call.name.rpartition("/")[0] or call.name for call in town.github.calls]
    assert ["Look", "Propose", "Look", "/repos/acme/model-deployment/statuses"] == names[:4]
    assert {"Look", "Pulls"} >= set(names[4:])


async def test_a_person_lets_one_version_through_a_freeze(town_with: Callable[..., Town]) -> None:
    town = await serving(town_with(**WEEKEND))
    town.now = FRIDAY + timedelta(minutes=5)
    await town.publish("0.1.1")
    await town.run()
    assert "frozen" == town.release("0.1.1").code
    await retry(town, "0.1.1", Allowance.FREEZE)
    await town.run()
    assert town.release("0.1.1").stage is Stage.VERIFIED
    (line,) = [line for line in town.lines("0.1.1") if line.kind == "act"]
    assert ("allowed", "rosa", ["freeze"]) == (
        line.code,
        line.actor,
        line.evidence.root["allowed"],
    )
    assert "the customer waits" in line.sentence
    await town.publish("0.1.2")
    await town.run()
    assert "frozen" == town.release("0.1.2").code, "it counts for one version only"


async def test_a_hotfix_keeps_to_its_gates(town_with: Callable[..., Town]) -> None:
    town = await serving(town_with(**WEEKEND, **STRICT))
    town.now = FRIDAY + timedelta(minutes=5)
    await town.publish("0.1.1", rmse=0.11)
    await town.run()
    await retry(town, "0.1.1", Allowance.FREEZE)
    await town.run()
    assert "gate_broken" == town.release("0.1.1").code
