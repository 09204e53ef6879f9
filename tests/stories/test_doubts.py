"""Whose pull request is it, which file is it: where it is not clear, nothing is merged."""

import hashlib
from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest

from bridge import pins
from bridge.delivery import DeliveryState
from bridge.rehearsal.gate import Fault
from bridge.rehearsal.github import BOT
from bridge.release import Stage
from bridge.store import deliveries
from tests.stories.town import PACKAGE, Town, model_wheel

REQUIREMENTS = "api/requirements.txt"
BRANCH = f"bridge/house-prices/{PACKAGE}-0.1.0"
FILE = "regression_model-0.1.1-py3-none-any.whl"
EVIL = {REQUIREMENTS: b"regression-model==6.6.6\n"}
FORBIDDEN = {"type": "FORBIDDEN", "message": "Resource not accessible by integration"}


@pytest.fixture
async def waiting(town_with: Callable[..., Town]) -> Town:
    """A town where the pull request for 0.1.0 waits for a person."""
    town = town_with(merge="human")
    await town.publish("0.1.0")
    await town.run()
    assert town.release("0.1.0").code == "waiting_for_reviewer"
    return town


def as_we_would(town: Town, version: str) -> dict[str, bytes]:
    """The very file that the bridge would write."""
    digest = hashlib.sha256(model_wheel(version)[1]).hexdigest()
    text = pins.bump(town.pinned(), PACKAGE, version, [f"sha256:{digest}"])
    return {REQUIREMENTS: text.encode()}


async def test_a_merge_that_nobody_told_us_of_outlives_a_newer_version(waiting: Town) -> None:
    waiting.lost = {"github"}
    waiting.github.merge(1, "rosa")
    await waiting.publish("0.1.1")
    await waiting.run()
    older = waiting.release("0.1.0")
    assert (older.stage, older.facts.merged_by) == (Stage.VERIFIED, "rosa")
    assert waiting.release("0.1.1").code == "waiting_for_reviewer"


async def test_both_merged_while_nobody_told_us_are_both_recorded(waiting: Town) -> None:
    waiting.lost = {"github"}
    waiting.github.merge(1, "rosa")
    await waiting.publish("0.1.1")
    await waiting.turn()
    waiting.now += waiting.pipeline.policy.replace_after
    for _ in range(9):
        if 2 not in waiting.github.pulls:
            await waiting.turn()
    waiting.github.merge(2, "rosa")
    assert waiting.release("0.1.0").stage is Stage.PROPOSED, "it has not looked yet"
    await waiting.run()
    paths = [waiting.path(version) for version in ("0.1.0", "0.1.1")]
    assert ["merged", "merged"] == [path[3] for path in paths]
    assert waiting.release("0.1.1").stage is Stage.VERIFIED


@pytest.mark.parametrize("crash_after", [None, "the proposal", "the closing"])
async def test_closing_our_older_pull_request_is_no_persons_decline(
    waiting: Town, crash_after: str | None
) -> None:
    if crash_after:
        waiting.crash_at = waiting.effects + (1 if crash_after == "the proposal" else 2)
    await waiting.publish("0.1.1")
    await waiting.run()
    assert waiting.crash_at is None, "it never crashed"
    assert waiting.release("0.1.0").stage is Stage.SUPERSEDED
    assert {1: "CLOSED", 2: "OPEN"} == {n: p.state for n, p in waiting.github.pulls.items()}
    assert waiting.mutations("closePullRequest") == 1
    assert waiting.release("0.1.1").code == "waiting_for_reviewer"


@pytest.mark.parametrize("with_pull_request", [True, False])
async def test_what_somebody_else_put_on_our_branch_is_neither_adopted_nor_merged(
    town: Town, with_pull_request: bool
) -> None:
    head = town.github.commit(BRANCH, EVIL, "Bump", "mallory")
    if with_pull_request:
        town.github.open_pull(BRANCH, "mallory", f"Bump {PACKAGE}")
    await town.publish("0.1.0")
    await town.run()
    release = town.release("0.1.0")
    assert (release.stage, release.code) == (Stage.CONFIRMED, "branch_in_use")
    assert release.facts.pull_request is None
    assert head == town.github.git.refs()[f"refs/heads/{BRANCH}"]
    assert (town.mutations("createPullRequest"), town.mutations("mergePullRequest")) == (0, 0)


async def test_once_the_strange_branch_is_gone_the_release_goes_on(town: Town) -> None:
    town.github.commit(BRANCH, EVIL, "Bump", "mallory")
    await town.publish("0.1.0")
    await town.run()
    town.github.delete_ref(f"refs/heads/{BRANCH}", "rosa")
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED


async def test_a_pull_request_of_another_author_is_not_ours_even_if_it_is_the_same(
    town: Town,
) -> None:
    await town.publish("0.1.0")
    town.github.commit(BRANCH, as_we_would(town, "0.1.0"), "Bump", "mallory")
    town.github.open_pull(BRANCH, "mallory", f"Bump {PACKAGE}")
    await town.run()
    assert town.release("0.1.0").stage is Stage.CONFIRMED
    assert town.release("0.1.0").facts.pull_request is None
    assert town.github.pulls[1].state == "OPEN"


async def test_a_pull_request_of_ours_that_carries_another_file_is_not_merged(town: Town) -> None:
    """Somebody knew the name of our branch and was there first: below a commit like ours lies
    another one."""
    town.github.commit(BRANCH, {"api/sitecustomize.py": b"evil = 1\n"}, "Nothing", "mallory")
    await town.publish("0.1.0")
    town.github.commit(BRANCH, as_we_would(town, "0.1.0"), "Bump", "mallory")
    await town.run()
    release = town.release("0.1.0")
    assert (release.stage, release.code) == (Stage.PROPOSED, "somebody_pushed")
    assert town.github.pulls[1].author == BOT
    assert town.mutations("mergePullRequest") == 0


async def test_a_file_added_to_our_pull_request_is_not_merged(town: Town) -> None:
    town.checks = lambda sha: None
    await town.publish("0.1.0")
    await town.run()
    added = town.github.commit(BRANCH, {"api/extra.txt": b"hello"}, "One more thing", "rosa")
    town.github.set_status(added, "success", "ci/circleci: test_app", "circleci")
    await town.run()
    release = town.release("0.1.0")
    assert (release.stage, release.code) == (Stage.PROPOSED, "somebody_pushed")
    assert town.mutations("mergePullRequest") == 0


def no_deleting(name: str) -> Fault | None:
    """A branch protection that lets nobody delete."""
    answer = {"data": {"ref": None}, "errors": [FORBIDDEN]}
    return Fault("refuse", 200, answer) if name == "deleteRef" else None


async def test_a_branch_that_may_not_be_deleted_stops_no_release(town: Town) -> None:
    town.github.before = no_deleting
    await town.publish("0.1.0")
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
    assert f"refs/heads/{BRANCH}" in town.github.git.refs()


async def test_a_branch_that_may_not_be_deleted_is_superseded_all_the_same(waiting: Town) -> None:
    waiting.github.before = no_deleting
    await waiting.publish("0.1.1")
    await waiting.run()
    assert waiting.release("0.1.0").stage is Stage.SUPERSEDED
    assert waiting.github.pulls[1].state == "CLOSED"


async def test_two_pipelines_of_one_package_get_a_pull_request_each(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(merge="human")
    rents = {"name": "rents", "requirements": "rents/requirements.txt", "app_root": "rents"}
    town.bridge.settings.pipeline.append(town.pipeline.model_copy(update=rents))
    here = {"rents/requirements.txt": town.pinned().encode()}
    town.github.commit("main", here, "Rents have a model, too", "rosa")
    await town.publish("0.1.0")
    await town.run()
    assert {
        "house-prices": "waiting_for_reviewer",
        "rents": "waiting_for_reviewer",
    } == {release.pipeline: release.code for release in town.releases()}
    assert {f"bridge/{name}/{PACKAGE}-0.1.0" for name in ("house-prices", "rents")} == {
        pull.head for pull in town.github.pulls.values()
    }
    town.github.pulls.pop(2)  # the soundness of a town allows for one pull request a version


async def test_a_card_that_is_no_card_is_refused_and_the_bridge_goes_on(town: Town) -> None:
    await town.publish("0.1.0", rmse=float("nan"))
    await town.run()
    bad = town.release("0.1.0")
    assert (bad.stage, bad.code) == (Stage.FAILED, "bad_wheel")
    await town.publish("0.1.1")
    await town.run()
    assert town.release("0.1.1").stage is Stage.VERIFIED


BROKEN = {
    "JSON": Fault("refuse", 200, {"files": [{"filename": FILE, "url": "http://["}]}),
    "HTML": Fault("refuse", 200, f"<a href=http://[>{FILE}</a>", {"content-type": "text/html"}),
}


@pytest.mark.parametrize("form", BROKEN)
async def test_a_broken_link_on_the_index_is_waited_for(waiting: Town, form: str) -> None:
    waiting.index.before = lambda name: BROKEN[form] if name == "page" else None
    waiting.now += timedelta(minutes=10)
    await waiting.publish("0.1.1")
    waiting.github.merge(1, "rosa")
    await waiting.run()
    for version, stage in (("0.1.0", Stage.MERGED), ("0.1.1", Stage.ANNOUNCED)):
        stuck = waiting.release(version)
        assert (stuck.stage, stuck.code) == (stage, "unavailable")
        assert "the index sent a page" in stuck.sentence
    waiting.index.before = lambda name: None
    await waiting.run()
    assert waiting.release("0.1.0").stage is Stage.VERIFIED
    assert waiting.release("0.1.1").code == "waiting_for_reviewer"


async def test_a_file_without_hashes_is_refused(town: Town) -> None:
    bare = b"fastapi==0.165.0\nregression-model==0.0.0\n"
    town.github.commit("main", {REQUIREMENTS: bare}, "Simpler", "rosa")
    await town.publish("0.1.0")
    await town.run()
    release = town.release("0.1.0")
    assert (release.stage, release.code) == (Stage.FAILED, "pin_without_hash")
    assert "Line 2 of api/requirements.txt" in release.sentence
    assert town.github.pulls == {}
    assert bare.decode() == town.pinned()


@pytest.mark.parametrize("announced", ["1.0", "1.0.0", "v1", "1.0.0.0"])
async def test_a_version_is_one_release_however_it_is_spelled(town: Town, announced: str) -> None:
    file, data = model_wheel("1.0.0")
    await town.publish("1.0.0")
    await town.run(patience=timedelta())
    town.mail.append(town.announcement(announced, file, hashlib.sha256(data).hexdigest()))
    town.mail.append(town.workflow(f"v{announced.removeprefix('v')}", "success"))
    await town.run()
    assert ["1.0.0"] == [release.version for release in town.releases()]
    assert town.release("1.0").stage is Stage.VERIFIED
    assert town.mutations("createPullRequest") == 1
    told = town.ask(lambda session: deliveries.newest(session, 100))
    assert DeliveryState.PARKED not in {delivery.state for delivery in told}


def forget_everything(town: Town) -> None:
    """The database is gone, and the journals that it would explain begin anew."""
    if town.bridge.store.is_shared:
        with psycopg.connect(town.database_url) as connection:
            connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    for file in town.folder.glob("bridge.db*"):
        file.unlink()
    for journal in (town.acknowledged, town.github.calls, town.heroku.calls):
        journal.clear()


@pytest.mark.parametrize("pulls_are_there", [True, False])
async def test_an_empty_database_in_a_town_that_serves_already_builds_nothing(
    town: Town, pulls_are_there: bool
) -> None:
    await town.publish("0.1.0")
    await town.run()
    if not pulls_are_there:
        town.github.pulls.clear()
    town.github.commit("main", {"README.md": b"# Houses\n"}, "Shorter", "rosa")
    forget_everything(town)
    await town.restart()
    assert town.releases() == []
    town.now += timedelta(minutes=10)
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
    assert len(town.heroku.builds) == 1
    assert len(town.heroku.releases) == 1
    assert town.mutations("createPullRequest") == 0
    codes = [line.code for line in town.lines("0.1.0")]
    assert pulls_are_there is ("serving_already" not in codes)
