"""Webhooks wake, they do not tell: lost, repeated, forged, or reordered, a version arrives once."""

import dataclasses
from datetime import timedelta

import pytest

from bridge.rehearsal.letters import Letter
from bridge.release import Stage
from tests.stories.town import Town


async def test_a_lost_webhook_only_costs_time(town: Town) -> None:
    town.lost = {"publisher", "circleci", "github", "heroku"}
    await town.publish("0.1.0")
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
    assert town.lines("0.1.0")[0].actor == "the sweep"


@pytest.mark.parametrize("deaf_to", ["publisher", "github", "heroku"])
async def test_one_deaf_ear_changes_nothing(town: Town, deaf_to: str) -> None:
    town.lost = {deaf_to}
    await town.publish("0.1.0")
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED


async def test_the_same_delivery_five_times_is_one_release(town: Town) -> None:
    letter = await town.publish("0.1.0")
    assert [await town.deliver(letter) for _ in range(5)] == [202, 200, 200, 200, 200]
    await town.run()
    assert [200] == [status for source, status in town.answers[5:] if source == "publisher"]
    assert len(town.releases()) == 1
    assert town.mutations("createPullRequest") == 1


async def test_an_old_delivery_that_comes_again_moves_nothing(town: Town) -> None:
    letter = await town.publish("0.1.0")
    await town.run()
    lines = len(town.lines("0.1.0"))
    assert await town.deliver(letter) == 200
    town.now += timedelta(minutes=10)
    assert await town.deliver(letter) == 401, "its timestamp is stale by now"
    await town.run()
    assert len(town.lines("0.1.0")) == lines


async def test_a_forged_delivery_leaves_nothing(town: Town) -> None:
    letter = await town.publish("0.1.0", announced=False)
    town.index.hidden = set(town.index.files())
    forged = dataclasses.replace(letter, body=letter.body.replace(b"0.1.0", b"9.9.9"))
    assert await town.deliver(forged) == 401
    unsigned = dataclasses.replace(letter, headers={"content-type": "application/json"})
    assert await town.deliver(unsigned) == 401
    await town.run()
    assert town.releases() == []


async def test_a_source_without_a_secret_does_not_exist(town: Town) -> None:
    town.bridge.settings.webhook_secrets.publisher.clear()
    assert await town.deliver(await town.publish("0.1.0", announced=False)) == 404


async def test_an_unknown_source_does_not_exist(town: Town) -> None:
    assert await town.deliver(Letter("gitlab", {}, b"{}")) == 404


async def test_circleci_alone_is_enough(town: Town) -> None:
    await town.run()
    await town.publish("0.1.0", announced=False)
    town.mail.append(town.workflow("v0.1.0", "success"))
    await town.run()
    release = town.release("0.1.0")
    assert release.stage is Stage.VERIFIED
    assert release.facts.announced_digest is None
    assert town.lines("0.1.0")[0].actor == "circleci"


@pytest.mark.parametrize(("tag", "status"), [("v0.1.0", "failed"), (None, "success")])
async def test_a_workflow_that_published_nothing_begins_nothing(
    town: Town, tag: str | None, status: str
) -> None:
    town.mail.append(town.workflow(tag, status))
    await town.run()
    assert town.releases() == []


async def test_both_announcements_are_one_release(town: Town) -> None:
    await town.publish("0.1.0")
    town.mail.append(town.workflow("v0.1.0", "success"))
    await town.run()
    release = town.release("0.1.0")
    assert release.stage is Stage.VERIFIED
    assert release.facts.announced_digest == release.facts.digest
    assert release.facts.ci is not None
