"""Staging, then production: the next begins with the very file that the one before verified."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from pydantic import ValidationError

from bridge import recall
from bridge.release import Release, Stage
from bridge.settings import Settings
from bridge.store import record, releases
from tests.stories.town import PACKAGE, Town


async def in_sequence(town: Town) -> Town:
    """The town's pipeline becomes staging, on a branch of its own; production comes after it."""
    main = town.github.git.resolve("main")
    assert main
    town.github.create_ref("refs/heads/staging", main, "rosa")
    staging = town.pipeline.model_copy(update={"name": "staging", "branch": "staging"})
    production = town.pipeline.model_copy(update={"name": "production", "after": "staging"})
    town.pipelines[:] = [production, staging]
    await town.restart()
    return town


def both(town: Town, version: str) -> dict[str, Release]:
    found = town.ask(lambda session: releases.find(session, PACKAGE, version))
    return {release.pipeline: release for release in found}


@pytest.mark.parametrize("announced", [True, False])
async def test_production_begins_when_staging_is_verified(town: Town, announced: bool) -> None:
    await in_sequence(town)
    letter = await town.publish("0.1.1", announced=announced)
    seen = []
    for _ in range(400):
        seen.append({name: one.stage for name, one in both(town, "0.1.1").items()})
        if "production" in seen[-1]:
            break
        if not await town.turn():
            town.now += timedelta(seconds=1)
    assert Stage.VERIFIED is seen[-1]["staging"]
    assert all(Stage.VERIFIED not in stages.values() for stages in seen[:-1])
    if announced:
        await town.deliver(letter)
    await town.run()
    staging, production = both(town, "0.1.1")["staging"], both(town, "0.1.1")["production"]
    assert (Stage.VERIFIED, Stage.VERIFIED) == (staging.stage, production.stage)
    assert production.facts.announced_digest == staging.facts.digest == production.facts.digest
    assert ["staging", "main"] == [pull.base for pull in town.github.pulls.values()]
    assert "regression-model==0.1.1" in town.pinned()


async def test_what_staging_does_not_verify_never_comes_to_production(
    town_with: Callable[..., Town],
) -> None:
    town = await in_sequence(town_with(merge="human"))
    await town.publish("0.1.1")
    await town.run()
    town.github.close(1, "rosa")
    await town.run()
    assert {"staging": Stage.DECLINED} == {
        name: release.stage for name, release in both(town, "0.1.1").items()
    }


async def test_another_file_than_staging_verified_is_stopped(town: Town) -> None:
    await in_sequence(town)
    town.pipelines[:] = town.pipelines[1:]
    await town.restart()
    await town.publish("0.1.1")
    await town.run()
    assert Stage.VERIFIED is both(town, "0.1.1")["staging"].stage
    town.index.replace("regression_model-0.1.1-py3-none-any.whl", b"PK other bytes")
    production = town.pipeline.model_copy(update={"name": "production", "after": "staging"})
    town.pipelines.append(production)
    await town.restart()
    await town.run()
    assert "digest_mismatch" == both(town, "0.1.1")["production"].code, "the sweep handed it on"


@pytest.mark.parametrize(
    ("after", "why"),
    [
        ({"a": "b"}, "comes after no pipeline"),
        ({"a": "a"}, "waits for itself"),
        ({"a": "b", "b": "a"}, "waits for itself"),
    ],
)
async def test_a_sequence_that_cannot_begin_is_refused(
    town: Town, after: dict[str, str], why: str
) -> None:
    told = town.pipeline.model_dump(by_alias=True)
    pipelines = [{**told, "name": name, "after": other} for name, other in after.items()]
    with pytest.raises(ValidationError, match=why):
        Settings.model_validate({"pipeline": pipelines})


async def waits_in_production(town: Town) -> Town:
    """0.1.1 is verified in staging, and waits for its reviewer in production."""
    await in_sequence(town)
    production, staging = town.pipelines
    by_hand = production.policy.model_copy(update={"merge": "human"})
    town.pipelines[:] = [production.model_copy(update={"policy": by_hand}), staging]
    await town.restart()
    await town.publish("0.1.0")
    await town.run()
    town.github.merge(2, "rosa")
    await town.run()
    assert Stage.VERIFIED is both(town, "0.1.0")["production"].stage
    await town.publish("0.1.1")
    await town.run()
    assert "waiting_for_reviewer" == both(town, "0.1.1")["production"].code
    return town


async def rolls_back(town: Town) -> None:
    """Rosa has 0.1.1 rolled back in staging."""
    told = {"who": "rosa", "why": "it is wrong about cellars"}
    await town.bridge.store.write(
        lambda session: recall.roll_back(session, PACKAGE, "0.1.1", now=town.now, **told)
    )
    await town.run()
    assert Stage.ROLLED_BACK is both(town, "0.1.1")["staging"].stage


async def test_what_staging_rolls_back_does_not_go_to_production(town: Town) -> None:
    await waits_in_production(town)
    await rolls_back(town)
    waits = both(town, "0.1.1")["production"]
    assert (Stage.PROPOSED, "quarantined") == (waits.stage, waits.code)
    (line,) = town.ask(
        lambda session: [
            one for one in record.of_release(session, waits.key) if one.code == "held_upstream"
        ]
    )
    assert "staging" in line.sentence
    (pull,) = (one for one in town.github.pulls.values() if one.base == "main" and not one.merged)
    status = town.github.statuses(pull.head_sha)[-1]
    assert ("bridge/gate", "failure") == (status.context, status.state)
    town.github.merge(pull.number, "mallory")
    await town.run()
    assert "merged_against_gate" == both(town, "0.1.1")["production"].code
    lifted = {"who": "rosa", "why": "the cellars were right"}
    await town.bridge.store.write(
        lambda session: recall.lift(session, PACKAGE, "0.1.1", now=town.now, **lifted)
    )
    await town.run()
    assert Stage.VERIFIED is both(town, "0.1.1")["production"].stage


async def test_a_held_version_is_held_in_a_pipeline_that_is_new(town: Town) -> None:
    await in_sequence(town)
    production, staging = town.pipelines
    town.pipelines[:] = [staging]
    await town.restart()
    await town.publish("0.1.1")
    await town.run()
    told = {"who": "rosa", "why": "it is wrong about cellars"}
    await town.bridge.store.write(
        lambda session: recall.quarantine(session, PACKAGE, "0.1.1", None, now=town.now, **told)
    )
    town.pipelines.append(production)
    await town.restart()
    await town.run()
    waits = both(town, "0.1.1")["production"]
    assert (Stage.CONFIRMED, "quarantined") == (waits.stage, waits.code)
