"""So many people approve, and nobody what they made themselves."""

import hashlib
import json
import subprocess
from collections.abc import Callable
from datetime import timedelta

import pytest

from bridge.rehearsal.github import Refusal
from bridge.rehearsal.github.state import account_id, address
from bridge.release import Stage
from tests.stories.test_gate import FRIDAY, WEEKEND, shown
from tests.stories.town import PACKAGE, Town, announced, model_wheel

TWO = {"approvals": {"count": 2, "people": ["rosa", "omar", "dana"]}}
ONE = {"approvals": {"count": 1, "people": ["rosa", "dana"]}}
BRANCH = f"bridge/house-prices/{PACKAGE}-0.1.1"


async def trained(town: Town, version: str = "0.1.1", by: str = "dana") -> None:
    """Somebody commits and tags a model; it is published and proposed."""
    town.github.rules.checks = {"bridge/gate"}
    sha = town.github.commit("main", {"model.txt": version.encode()}, f"Train {version}", by)
    await announce(town, version, sha)
    await town.run()


async def announce(town: Town, version: str, commit: str | None) -> None:
    letter = await town.publish(version, announced=False)
    file, data = model_wheel(version)
    _, body = announced(version, file, hashlib.sha256(data).hexdigest())
    told = json.loads(body)
    told["data"]["commit"] = commit
    town.mail.append(town.sealed(json.dumps(told).encode(), letter))


def annotate(town: Town, sha: str, by: str) -> None:
    """An annotated tag, which says who set it."""
    who = {"NAME": by, "EMAIL": address(by)}
    subprocess.run(
        ["git", f"--git-dir={town.github.bare}", "tag", "-a", "-m", "Release", "v0.1.1", sha],
        env={f"GIT_COMMITTER_{name}": value for name, value in who.items()},
        check=True,
    )


async def test_two_of_three_approve_and_it_is_merged(town_with: Callable[..., Town]) -> None:
    town = town_with(**TWO)
    await trained(town, by="lee")
    assert "approvals_missing" == town.release("0.1.1").code
    assert [("pending", "0 of 2 approvals on GitHub; missing from rosa, omar, dana.")] == shown(
        town, 1
    )
    town.github.review(1, "omar", "APPROVED")
    await town.run()
    assert "1 of 2 approvals on GitHub; missing from rosa, dana." == shown(town, 1)[-1][1]
    with pytest.raises(Refusal, match='"bridge/gate" is pending'):
        town.github.merge(1, "rosa")
    town.github.review(1, "rosa", "APPROVED")
    await town.run()
    assert town.release("0.1.1").stage is Stage.VERIFIED


async def test_who_trained_the_model_does_not_count(town_with: Callable[..., Town]) -> None:
    town = town_with(**ONE)
    await trained(town, by="dana")
    town.github.review(1, "dana", "APPROVED")
    await town.run()
    release = town.release("0.1.1")
    assert (Stage.PROPOSED, "approvals_missing") == (release.stage, release.code)
    assert "missing from rosa. dana made it, so that does not count." in release.sentence
    town.github.review(1, "rosa", "APPROVED")
    await town.run()
    assert town.release("0.1.1").stage is Stage.VERIFIED


async def test_who_set_the_tag_does_not_count(town_with: Callable[..., Town]) -> None:
    town = town_with(**ONE)
    sha = town.github.commit("main", {"model.txt": b"1"}, "Train", "lee")
    annotate(town, sha, "dana")
    await announce(town, "0.1.1", sha)
    await town.run()
    town.github.review(1, "dana", "APPROVED")
    await town.run()
    assert "dana made it" in town.release("0.1.1").sentence


async def test_who_pushed_to_our_branch_does_not_count(town_with: Callable[..., Town]) -> None:
    town = town_with(merge="human", **ONE)
    await trained(town, by="lee")
    town.github.commit(BRANCH, {"api/schema.py": b"# new\n"}, "New field", "rosa")
    await town.run()
    town.github.review(1, "rosa", "APPROVED")
    await town.run()
    assert ("pending", True) == (shown(town, 1)[-1][0], "rosa made it" in shown(town, 1)[-1][1])
    town.github.review(1, "dana", "APPROVED")
    await town.run()
    assert "success" == shown(town, 1)[-1][0]


async def test_an_approval_counts_for_the_head_that_was_seen(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(merge="human", **ONE)
    await trained(town, by="lee")
    town.github.review(1, "rosa", "APPROVED")
    await town.run()
    town.github.commit(BRANCH, {"api/schema.py": b"# new\n"}, "New field", "mallory")
    await town.run()
    assert ("pending", "0 of 1 approvals on GitHub; missing from rosa, dana.") == shown(town, 1)[-1]


async def test_a_stranger_and_a_namesake_do_not_count(town_with: Callable[..., Town]) -> None:
    number = account_id("rosa")
    town = town_with(approvals={"count": 1, "people": [number]})
    await trained(town, by="lee")
    town.github.review(1, "mallory", "APPROVED")
    await town.run()
    assert "approvals_missing" == town.release("0.1.1").code
    town.github.review(1, "rosa", "APPROVED")
    await town.run()
    assert town.release("0.1.1").stage is Stage.VERIFIED


async def test_one_of_them_wants_changes(town_with: Callable[..., Town]) -> None:
    town = town_with(**ONE)
    await trained(town, by="lee")
    town.github.review(1, "dana", "CHANGES_REQUESTED")
    await town.run()
    assert "approver_wants_changes" == town.release("0.1.1").code
    town.github.review(1, "rosa", "APPROVED")
    await town.run()
    assert "approver_wants_changes" == town.release("0.1.1").code


@pytest.mark.parametrize("commit", [None, "f" * 40])
async def test_nobody_knows_who_made_it_so_nobody_can_approve(
    town_with: Callable[..., Town], commit: str | None
) -> None:
    town = town_with(**ONE)
    await announce(town, "0.1.1", commit)
    await town.run()
    town.github.review(1, "rosa", "APPROVED")
    await town.run()
    assert "maker_unknown" == town.release("0.1.1").code


async def test_a_merge_with_too_few_approvals_is_not_deployed(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(merge="human", **ONE)
    await trained(town, by="dana")
    town.github.review(1, "dana", "APPROVED")
    await town.run()
    town.github.merge(1, "dana", bypass=True)
    await town.run()
    release = town.release("0.1.1")
    assert "merged_against_gate" == release.code
    assert "0 of 1 approvals" in release.sentence
    town.now += timedelta(minutes=5)
    town.github.review(1, "rosa", "APPROVED")
    await town.run()
    assert town.release("0.1.1").stage is Stage.VERIFIED, "approved late, and deployed then"


async def test_a_lost_review_only_costs_time(town_with: Callable[..., Town]) -> None:
    town = town_with(**ONE)
    await trained(town, by="lee")
    town.lost = {"github"}
    town.github.review(1, "rosa", "APPROVED")
    await town.run()
    assert town.release("0.1.1").stage is Stage.VERIFIED


async def test_a_freeze_that_begins_after_the_approval_stops_the_merge(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(merge="human", **ONE, **WEEKEND)
    town.now = FRIDAY
    await trained(town, by="lee")
    town.github.review(1, "rosa", "APPROVED")
    await town.run(patience=timedelta(seconds=30))
    assert "success" == shown(town, 1)[-1][0]
    town.lost = {"github"}
    await town.run(patience=timedelta(hours=1))
    assert ("pending", True) == (shown(town, 1)[-1][0], "freeze" in shown(town, 1)[-1][1])
    with pytest.raises(Refusal, match='"bridge/gate" is pending'):
        town.github.merge(1, "rosa")
    assert "frozen" == town.release("0.1.1").code
