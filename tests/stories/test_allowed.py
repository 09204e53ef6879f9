"""What is refused without a person's word, and what that word does: for one version, on record."""

from collections.abc import Callable

import pytest
from packaging.version import Version

from bridge import operator
from bridge.configuration import Policy
from bridge.errors import Reason, Refused
from bridge.facts import Allowance
from bridge.policy import carries
from bridge.release import Stage
from bridge.store import deliveries
from tests.stories.town import Town

ROSA = {"who": "rosa", "why": "the customer waits"}


async def retry(town: Town, version: str, *allow: Allowance) -> Reason:
    return await town.bridge.store.write(
        lambda session: operator.retry(
            session, "Regression_Model", version, allow, now=town.now, **ROSA
        )
    )


async def refused(town: Town, version: str) -> str:
    """Publish it, let it end as refused; the code."""
    await town.publish(version)
    await town.run()
    release = town.release(version)
    assert Stage.FAILED is release.stage
    assert f"bridge retry regression-model {version} --allow " in release.sentence
    return release.code


@pytest.mark.parametrize(
    ("version", "code", "allowance"),
    [
        ("0.2.0rc1", "prerelease", Allowance.PRERELEASE),
        ("0.2.0.dev1", "prerelease", Allowance.PRERELEASE),
        ("0.2.0+cpu", "local_version", Allowance.LOCAL),
    ],
)
async def test_an_unusual_version_waits_for_a_persons_word(
    town: Town, version: str, code: str, allowance: Allowance
) -> None:
    assert code == await refused(town, version)
    reason = await retry(town, version, allowance)
    assert (
        f"rosa had regression-model {version} tried again, allowing {allowance}" in reason.sentence
    )
    await town.run()
    assert Stage.PROPOSED.value in town.path(version)
    (line,) = [line for line in town.lines(version) if line.code == "retried"]
    assert ("move", "failed", "announced", "rosa") == (
        line.kind,
        line.from_stage,
        line.to_stage,
        line.actor,
    )
    assert [allowance] == line.evidence.root["allowed"]
    everything = town.ask(lambda session: deliveries.newest(session, 99))
    (kept,) = [delivery for delivery in everything if delivery.source == "operator"]
    assert (line.delivery_id, "retry") == (kept.id, kept.event)


async def test_what_is_allowed_for_one_version_is_not_for_the_next(town: Town) -> None:
    await refused(town, "0.2.0rc1")
    await retry(town, "0.2.0rc1", Allowance.PRERELEASE)
    await town.run()
    assert "prerelease" == await refused(town, "0.2.0rc2")


async def test_another_allowance_does_not_help(town: Town) -> None:
    await refused(town, "0.2.0rc1")
    await retry(town, "0.2.0rc1", Allowance.YANKED, Allowance.LOCAL, Allowance.DOWNGRADE)
    await town.run()
    assert "prerelease" == town.release("0.2.0rc1").code


async def test_a_policy_may_carry_pre_releases_but_no_development_ones(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(prereleases=True)
    await town.publish("0.2.0rc1", announced=False)
    await town.run()
    assert Stage.PROPOSED.value in town.path("0.2.0rc1"), "the sweep looks for them as well"
    assert "prerelease" == await refused(town, "0.3.0.dev1")


def test_what_a_policy_carries_without_a_word() -> None:
    said = {"1.0": (True, True), "1.0rc1": (False, True), "1.0.dev1": (False, False)}
    said |= {"1.0+cpu": (False, False), "1.0.post1": (True, True), "1.0a1.dev1": (False, False)}
    for version, expected in said.items():
        policies = (Policy(), Policy(prereleases=True))
        assert expected == tuple(carries(policy, Version(version)) for policy in policies), version


async def test_production_goes_back_only_by_a_persons_word(town: Town) -> None:
    await town.publish("0.1.1")
    await town.run()
    assert "downgrade" == await refused(town, "0.1.0")
    assert (Stage.VERIFIED, 1) == (town.release("0.1.1").stage, len(town.github.pulls))
    await retry(town, "0.1.0", Allowance.DOWNGRADE)
    await town.run()
    assert Stage.VERIFIED is town.release("0.1.0").stage
    assert "0.1.0" == (await town.health())["model_version"]
    assert "regression-model==0.1.0" in town.pinned()
    await town.publish("0.1.2")
    await town.run()
    assert Stage.VERIFIED is town.release("0.1.2").stage


async def test_a_yanked_version_may_be_tried_again_after_its_pull_request_was_closed(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(merge="human")
    await town.publish("0.1.1")
    await town.run()
    town.index.yanked["regression_model-0.1.1-py3-none-any.whl"] = "a mistake"
    await town.run()
    assert ("yanked", "CLOSED") == (town.release("0.1.1").code, town.github.pulls[1].state)
    await retry(town, "0.1.1", Allowance.YANKED)
    await town.run()
    assert "waiting_for_reviewer" == town.release("0.1.1").code
    town.github.merge(2, "rosa")
    await town.run()
    assert Stage.VERIFIED is town.release("0.1.1").stage


async def test_a_replaced_file_is_not_accepted_by_trying_again(town: Town) -> None:
    town.checks = lambda sha: None
    await town.publish("0.1.1", announced=False)
    await town.run()
    file = "regression_model-0.1.1-py3-none-any.whl"
    town.index.replace(file, b"PK other bytes")
    await town.run()
    assert "replaced" == town.release("0.1.1").code
    await retry(town, "0.1.1")
    await town.run()
    assert "replaced" == town.release("0.1.1").code


async def test_what_makes_no_sense_is_refused_and_leaves_nothing(town: Town) -> None:
    town.checks = lambda sha: None
    await town.publish("0.1.1")
    await town.run()
    before = len(town.ask(lambda session: deliveries.newest(session, 99)))
    for version in ("0.1.1", "9.9.9", "noise"):
        with pytest.raises(Refused, match=r"only one that failed|no release"):
            await retry(town, version, Allowance.YANKED)
    assert before == len(town.ask(lambda session: deliveries.newest(session, 99)))


async def test_asking_first_changes_nothing(town: Town) -> None:
    await refused(town, "0.2.0rc1")
    told = town.ask(
        lambda session: operator.may_retry(
            session, "regression-model", "0.2.0rc1", [], now=town.now, **ROSA
        )
    )
    assert "rosa had regression-model 0.2.0rc1 tried again: the customer waits" == told.sentence
    assert Stage.FAILED is town.release("0.2.0rc1").stage
