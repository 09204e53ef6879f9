"""GitHub's own pages show where a release stands, and the training's commit gets its answer."""

from datetime import timedelta

import pytest

from bridge import recall
from bridge.rehearsal.gate import Fault
from bridge.rehearsal.github.deployments import Deployment
from bridge.release import Stage
from bridge.sentences import span
from tests.stories.town import APP, CI_TAKES, Town


def said(deployment: Deployment) -> list[str]:
    return [str(state) for state in deployment.states]


async def test_a_deployment_is_queued_built_and_verified_at_github(town: Town) -> None:
    await town.publish("0.1.0")
    await town.run()
    [deployment] = town.github.deployments
    release = town.release("0.1.0")
    assert release.facts.merge_sha == deployment.sha
    assert (APP, "deploy regression-model 0.1.0 by house-prices") == (
        deployment.wish.environment,
        deployment.wish.task,
    )
    assert ["in_progress", "success"] == said(deployment)
    last = deployment.statuses[-1].wish
    assert f"http://bridge.test/releases/{release.id}" == last.log_url
    assert "http://api.test" == last.environment_url


async def test_a_newer_deployment_makes_the_older_one_inactive(town: Town) -> None:
    for version in ("0.1.0", "0.1.1"):
        await town.publish(version)
        await town.run()
    assert [["in_progress", "success", "inactive"], ["in_progress", "success"]] == [
        said(one) for one in town.github.deployments
    ]


async def test_what_was_rolled_back_is_inactive_and_the_one_before_is_active(town: Town) -> None:
    await town.publish("0.1.0")
    await town.run()
    town.runner.stuck_version = "0.1.0"
    await town.publish("0.1.1")
    await town.run()
    assert town.release("0.1.1").stage is Stage.ROLLED_BACK
    older, newer = town.github.deployments
    assert ["in_progress", "success"] == said(older)
    assert ["in_progress", "failure", "inactive"] == said(newer)


async def test_a_build_that_fails_is_a_failed_deployment(town: Town) -> None:
    town.runner.fail_build = "ERROR: no"
    await town.publish("0.1.0")
    await town.run()
    assert "failure" == said(town.github.deployments[0])[-1]


async def test_what_a_build_printed_and_who_did_what_is_not_told_to_everybody(town: Town) -> None:
    town.mail.append(town.workflow("v0.1.0", "success"))
    town.runner.fail_build = "ERROR: rosa@example.com: no space left"
    await town.publish("0.1.0")
    await town.run()
    trained = town.release("0.1.0").facts.commit or ""
    [answer] = [one for one in town.github.statuses(trained) if one.context.startswith("bridge/")]
    told = town.github.deployments[0].statuses[-1].wish.description
    expected = "0.1.0 does not run in house-prices-api (build_failed); the release page tells more."
    assert (expected, expected, "failure") == (told, answer.description, answer.state)


async def test_who_rolled_it_back_and_why_is_not_told_to_everybody(town: Town) -> None:
    for version in ("0.1.0", "0.1.1"):
        await town.publish(version)
        await town.run()
    said_by = {"who": "rosa", "why": "smells"}
    await town.bridge.store.write(
        lambda session: recall.roll_back(
            session, "regression-model", "0.1.1", now=town.now, **said_by
        )
    )
    await town.run()
    assert town.release("0.1.1").stage is Stage.ROLLED_BACK
    told = [
        one.wish.description
        for deployment in town.github.deployments
        for one in deployment.statuses
    ]
    pulls = [f"{pull.title} {pull.body}" for pull in town.github.pulls.values()]
    said = " ".join(text or "" for text in [*told, *pulls])
    assert "Put regression-model back to 0.1.0, from 0.1.1" in said
    assert ("rosa" in said, "smells" in said) == (False, False)


async def test_the_commit_that_was_trained_gets_its_answer(town: Town) -> None:
    trained = town.github.git.resolve("main") or ""
    town.mail.append(town.workflow("v0.1.0", "success"))
    await town.publish("0.1.0", announced=False)
    await town.run()
    [answer] = [one for one in town.github.statuses(trained) if one.context.startswith("bridge/")]
    assert ("bridge/house-prices", "success") == (answer.context, answer.state)
    took = town.release("0.1.0").since - town.release("0.1.0").created_at + CI_TAKES
    told = f"0.1.0 is verified in house-prices-api, {span(took.total_seconds())} after the tag."
    assert told == answer.description


async def test_a_commit_of_another_repository_gets_none(town: Town) -> None:
    """The model may be trained elsewhere."""
    letter = town.workflow("v0.1.0", "success")
    trained = town.github.git.resolve("main") or ""
    town.github.before = lambda name: Fault("refuse", 422) if name == "listStatuses" else None
    town.mail.append(letter)
    await town.publish("0.1.0", announced=False)
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
    assert [] == [one for one in town.github.statuses(trained) if "bridge/h" in one.context]


@pytest.mark.parametrize("status", [403, 404, 500, 503])
async def test_a_token_that_may_not_write_deployments_stops_nothing(
    town: Town, status: int
) -> None:
    body = {"message": "Resource not accessible by personal access token"}
    town.github.before = lambda name: (
        Fault("refuse", status, body) if "Deployment" in name else None
    )
    await town.publish("0.1.0")
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
    assert [] == town.github.deployments
    assert [] == [line for line in town.lines("0.1.0") if line.code == "intent_deployment"]


async def test_an_end_that_github_did_not_hear_is_told_again(town: Town) -> None:
    def is_away(name: str) -> Fault | None:
        proven = town.release("0.1.0").stage is Stage.VERIFIED
        return Fault("refuse", 503) if name == "createDeploymentStatus" and not proven else None

    town.github.before = is_away
    await town.publish("0.1.0")
    await town.run()
    [deployment] = town.github.deployments
    assert ["success"] == said(deployment)
    assert "success" == town.release("0.1.0").facts.shown


async def test_an_end_that_is_over_is_not_told_late(town: Town) -> None:
    """GitHub makes everything older inactive when it hears of a success."""

    def is_away(name: str) -> Fault | None:
        both = len(town.heroku.releases) == 2 and town.release("0.1.1").stage is Stage.VERIFIED
        return Fault("refuse", 503) if name == "createDeploymentStatus" and not both else None

    town.github.before = is_away
    for version in ("0.1.0", "0.1.1"):
        await town.publish(version)
        await town.run(patience=timedelta(seconds=20))
    await town.run()
    older, newer = town.github.deployments
    assert "success" not in said(older)
    assert "success" == said(newer)[-1]


@pytest.mark.parametrize("operation", ["createDeployment", "createDeploymentStatus"])
async def test_a_lost_reply_makes_no_second_deployment(town: Town, operation: str) -> None:
    lost: list[str] = []

    def once(name: str) -> Fault | None:
        if name != operation or lost:
            return None
        lost.append(name)
        return Fault("lost_reply")

    town.github.before = once
    await town.publish("0.1.0")
    await town.run()
    assert lost
    [deployment] = town.github.deployments
    assert "success" == said(deployment)[-1]
    assert town.release("0.1.0").stage is Stage.VERIFIED
