"""One deployment at a time: what fails, what somebody else does, and two merges close together."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from bridge.heroku.pack import pack
from bridge.operator import retry
from bridge.recall import lift
from bridge.rehearsal.heroku.records import SourceBlob
from bridge.release import Stage
from tests.stories.test_guard import ask_back, served
from tests.stories.town import PACKAGE, Town

SOMEBODY = "rosa@example.com"


async def watching(town: Town) -> None:
    """Somebody else deploys the pipeline's app."""
    town.pipelines = [town.pipeline.model_copy(update={"deploy": "watch"})]
    await town.restart()


async def merged(town: Town, version: str) -> str:
    """Everybody acts until the version is merged; the merge commit."""
    await town.publish(version)
    for _ in range(200):
        await town.turn()
        known = [one for one in town.releases() if one.version == version]
        if known and known[0].stage is Stage.MERGED and known[0].claimed_until is None:
            return known[0].facts.merge_sha or ""
    raise AssertionError(f"{version} was never merged")


async def deploys(town: Town, sha: str) -> None:
    """Somebody else's CI deploys a commit."""
    transport = httpx.ASGITransport(town.github.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://github.test") as client:
        name = town.github.shapes.full_name
        tree = await client.get(f"/codeload/{name}/legacy.tar.gz/{sha}")
    town.heroku.slots["ci"] = pack(tree.content, "api")
    source = SourceBlob(url="http://heroku.test/slots/ci", version=sha)
    town.heroku.create_build(source, SOMEBODY)
    await town.heroku.settle()


async def try_again(town: Town, version: str) -> None:
    await town.bridge.store.write(
        lambda session: retry(session, PACKAGE, version, [], who="rosa", why="mended", now=town.now)
    )


async def test_a_build_that_fails_says_why_and_can_be_tried_again(town: Town) -> None:
    town.runner.fail_build = (
        "Looking in indexes: https://made-up-read-token:@index.test/acme/\n"
        "ERROR: No matching distribution found for fastapi==0.165.0"
    )
    await town.publish("0.1.0")
    await town.run()
    release = town.release("0.1.0")
    assert (Stage.FAILED, "build_failed") == (release.stage, release.code)
    assert "No matching distribution found for fastapi" in release.sentence
    assert "https://…@index.test/acme/" in (release.facts.build_output or "")
    last = town.move("0.1.0", "failed")
    assert {"heroku", "build_output"} <= last.evidence.root.keys()
    town.runner.fail_build = None
    await try_again(town, "0.1.0")
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
    assert ["failed", "succeeded"] == [build.status for build in town.heroku.builds]


async def test_a_release_phase_that_fails_leaves_what_runs(town: Town) -> None:
    await town.publish("0.1.0")
    await town.run()
    town.heroku.fail_release = "Traceback (most recent call last):\nRuntimeError: no migration"
    await town.publish("0.1.1")
    await town.run()
    release = town.release("0.1.1")
    assert (Stage.FAILED, "release_failed") == (release.stage, release.code)
    assert "still runs v1" in release.sentence
    assert "RuntimeError: no migration" in release.sentence
    assert "Python app detected" in (release.facts.build_output or "")
    assert "0.1.0" == (await town.health())["model_version"]


async def test_a_rollback_by_hand_during_ours_is_left_and_said(town: Town) -> None:
    await town.publish("0.1.0")
    await town.run()

    def rosa() -> None:
        town.heroku.after_deploy = lambda: None
        town.heroku.rollback(1, SOMEBODY)

    town.heroku.after_deploy = rosa
    await town.publish("0.1.1")
    await town.run()
    release = town.release("0.1.1")
    assert (Stage.FAILED, "taken_over") == (release.stage, release.code)
    assert f"{SOMEBODY} put v3 (Rollback to v1) in place of v2" in release.sentence
    assert "0.1.0" == (await town.health())["model_version"]
    assert [1, 2, 3] == [one.version for one in town.heroku.releases], "somebody's word stands"


async def test_a_config_var_that_is_set_during_ours_changes_nothing(town: Town) -> None:
    town.heroku.after_deploy = lambda: town.heroku.set_config({"LOG": "debug"}, SOMEBODY)
    await town.publish("0.1.0")
    await town.run()
    release = town.release("0.1.0")
    assert release.stage is Stage.VERIFIED
    line = town.move("0.1.0", "deployed")
    assert f"{SOMEBODY} made v2 after it (Set LOG config vars), with the same code" in line.sentence


async def test_a_build_of_somebody_else_is_waited_for(town: Town) -> None:
    town.heroku.builds_wait = True
    await deploys(town, town.github.git.resolve("main") or "")
    sha = await merged(town, "0.1.0")
    for _ in range(5):
        await town.turn()
    assert "app_is_busy" == town.release("0.1.0").code
    assert 1 == len(town.heroku.builds)
    town.heroku.build_now()
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
    assert sha == town.heroku.builds[-1].source.version


async def test_of_two_merges_close_together_somebody_else_deploys_the_last_alone(
    town: Town,
) -> None:
    await watching(town)
    await merged(town, "0.1.0")
    sha = await merged(town, "0.1.1")
    await deploys(town, sha)
    await town.run()
    older = town.release("0.1.0")
    assert (Stage.SUPERSEDED, "overtaken") == (older.stage, older.code)
    assert "0.1.1 was merged after 0.1.0" in older.sentence
    assert town.release("0.1.1").stage is Stage.VERIFIED


async def test_a_later_commit_that_somebody_else_deploys_carries_ours(town: Town) -> None:
    await watching(town)
    await merged(town, "0.1.0")
    later = town.github.commit("main", {"README.md": b"# Houses\n"}, "Say less", "rosa")
    await deploys(town, later)
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
    line = town.move("0.1.0", "deployed")
    assert "deployed_with" == line.code


async def test_an_unrelated_commit_does_not_count(town: Town) -> None:
    before = town.github.git.resolve("main") or ""
    await watching(town)
    await merged(town, "0.1.0")
    await deploys(town, before)
    await town.run(patience=timedelta(minutes=5))
    release = town.release("0.1.0")
    assert (Stage.MERGED, "waiting_for_deploy") == (release.stage, release.code)


@pytest.mark.parametrize(
    ("overtake", "ends", "builds"),
    [
        ("never", ["verified", "verified"], ["succeeded", "succeeded"]),
        ("waiting", ["verified", "verified"], ["succeeded", "succeeded"]),
        ("building", ["superseded", "verified"], ["failed", "succeeded"]),
    ],
)
async def test_a_newer_merge_takes_over_a_build_under_way_only_by_policy(
    town_with: Callable[..., Town], overtake: str, ends: list[str], builds: list[str]
) -> None:
    town = town_with(overtake=overtake)
    town.heroku.builds_wait = True
    await merged(town, "0.1.0")
    await merged(town, "0.1.1")
    for _ in range(5):
        await town.turn()
    town.heroku.build_now()
    await town.run()
    assert ends == [release.stage.value for release in town.releases()]
    assert builds == [build.status for build in town.heroku.builds]
    assert "0.1.1" == (await town.health())["model_version"]


@pytest.mark.parametrize(
    ("overtake", "end"), [("never", Stage.VERIFIED), ("waiting", Stage.SUPERSEDED)]
)
async def test_a_newer_merge_takes_over_what_is_not_built_yet(
    town_with: Callable[..., Town], overtake: str, end: Stage
) -> None:
    """Somebody else builds when both are merged."""
    town = town_with(overtake=overtake)
    town.heroku.builds_wait = True
    start = town.github.git.resolve("main") or ""
    await deploys(town, start)
    await merged(town, "0.1.0")
    await merged(town, "0.1.1")
    town.heroku.build_now()
    await town.run()
    assert end is town.release("0.1.0").stage
    assert town.release("0.1.1").stage is Stage.VERIFIED


async def test_after_a_release_phase_that_failed_it_is_built_anew(town: Town) -> None:
    town.heroku.fail_release = "RuntimeError: no migration"
    await town.publish("0.1.0")
    await town.run()
    assert "release_failed" == town.release("0.1.0").code
    town.heroku.fail_release = ""
    await try_again(town, "0.1.0")
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
    assert 2 == len(town.heroku.builds)


async def test_after_somebody_took_its_place_it_is_built_anew(town: Town) -> None:
    await town.publish("0.1.0")
    await town.run()

    def rosa() -> None:
        town.heroku.after_deploy = lambda: None
        town.heroku.rollback(1, SOMEBODY)

    town.heroku.after_deploy = rosa
    await town.publish("0.1.1")
    await town.run()
    assert "taken_over" == town.release("0.1.1").code
    await try_again(town, "0.1.1")
    await town.run()
    assert town.release("0.1.1").stage is Stage.VERIFIED


async def test_after_a_rollback_whose_pin_stayed_it_is_built_anew(town: Town) -> None:
    await served(town, "0.1.0", "0.1.1")
    town.checks = lambda sha: "pending"
    await ask_back(town, "0.1.1")
    await town.run()
    town.github.close(3, "rosa")
    await town.run()
    assert "revert_declined" == town.release("0.1.1").code
    now, said = town.now, {"who": "rosa", "why": "mended"}
    await town.bridge.store.write(lambda session: lift(session, PACKAGE, "0.1.1", now=now, **said))
    await try_again(town, "0.1.1")
    await town.run()
    assert town.release("0.1.1").stage is Stage.VERIFIED
    assert 3 == len(town.heroku.builds)


async def test_who_watches_looks_for_a_later_heroku_release_after_a_retry(town: Town) -> None:
    await watching(town)
    sha = await merged(town, "0.1.0")
    town.heroku.fail_release = "RuntimeError: no migration"
    await deploys(town, sha)
    await town.run()
    assert "release_failed" == town.release("0.1.0").code
    town.heroku.fail_release = ""
    await try_again(town, "0.1.0")
    await town.run()
    assert "waiting_for_deploy" == town.release("0.1.0").code
    await deploys(town, sha)
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
