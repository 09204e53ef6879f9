"""What is being served: an answer that proves nothing moves nothing, and a hotfix is left alone."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta

import httpx
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.rehearsal.heroku.records import new_id
from bridge.release import Release, Stage
from tests.stories.town import Town

FIRST = "regression_model-0.1.0-py3-none-any.whl"
A_MOMENT = timedelta()


class Line:
    """The line to the running API: `cut`, nobody is reached; an old dyno, which answers 100 to
    everything, takes the next `old_answers` predictions."""

    cut = False
    old_answers = 0


class Tapped:
    """The router, behind a line."""

    def __init__(self, app: ASGIApp, line: Line) -> None:
        self.app, self.line = app, line

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.line.cut:
            raise httpx.ConnectError("no route to host")
        if self.line.old_answers and scope["path"].endswith("/predict"):
            self.line.old_answers -= 1
            old = {"predictions": [100.0], "version": "0.1.0", "errors": None}
            return await JSONResponse(old)(scope, receive, send)
        return await self.app(scope, receive, send)


def tapped(town: Town) -> Line:
    line = Line()
    town.heroku.router.add_middleware(Tapped, line=line)
    return line


async def served(town: Town) -> Town:
    """A town where 0.1.0 is proven to be serving."""
    await town.publish("0.1.0")
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
    return town


async def until(town: Town, version: str, stage: Stage) -> Release:
    """The release as it reaches `stage`, at the very moment."""
    for _ in range(200):
        await town.run(patience=A_MOMENT)
        release = town.release(version)
        if release.stage is stage:
            return release
        town.now += timedelta(seconds=1)
    raise AssertionError(f"{version} never came to {stage}, it is {release.stage}")


async def test_an_hour_away_in_the_middle_of_a_verification_is_not_held_against_it(
    town: Town,
) -> None:
    await served(town)
    town.runner.stuck_version = "0.1.0"
    await town.publish("0.1.1")
    await until(town, "0.1.1", Stage.DEPLOYED)
    town.now += timedelta(hours=1)
    await town.run(patience=A_MOMENT)
    assert town.release("0.1.1").facts.readings[-1].verdict == "contradicts"
    town.runner.stuck_version = None
    await town.run()
    assert town.release("0.1.1").stage is Stage.VERIFIED


async def test_what_contradicts_for_long_after_an_absence_is_rolled_back_all_the_same(
    town: Town,
) -> None:
    await served(town)
    town.runner.stuck_version = "0.1.0"
    await town.publish("0.1.1")
    await until(town, "0.1.1", Stage.DEPLOYED)
    town.now += timedelta(hours=1)
    await town.run()
    assert town.release("0.1.1").stage is Stage.ROLLED_BACK


async def test_nobody_answering_for_an_hour_rolls_nothing_back(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(verify={"within": "2m", "every": "20s"})
    line = tapped(town)
    await served(town)
    await town.publish("0.1.1")
    line.cut = True
    start = town.now
    for _ in range(6):
        await town.run(patience=timedelta(minutes=10))
    assert town.now - start >= timedelta(minutes=55)
    silent = town.release("0.1.1")
    assert (silent.stage, silent.code) == (Stage.DEPLOYED, "reading")
    assert not silent.facts.readings[-1].answered
    line.cut = False
    await town.run()
    assert town.release("0.1.1").stage is Stage.VERIFIED
    assert len(town.heroku.releases) == 2


async def test_an_old_dynos_prediction_during_the_swap_rolls_nothing_back(town: Town) -> None:
    line = tapped(town)
    await served(town)
    line.old_answers = 5
    await town.publish("0.1.1")
    await town.run()
    assert line.old_answers == 0, "no old dyno was asked"
    assert town.release("0.1.1").stage is Stage.VERIFIED
    assert len(town.heroku.releases) == 2


async def rolling_back(town: Town) -> Town:
    """A town which has just asked Heroku to put 0.1.0 back, where that is still pending."""
    town.lost = {"heroku"}
    await served(town)
    town.runner.stuck_version = "0.1.0"
    await town.publish("0.1.1")
    await until(town, "0.1.1", Stage.ROLLING_BACK)
    asked = town.heroku.releases[-1]
    assert (asked.version, asked.description) == (3, "Rollback to v1")
    asked.status, asked.current = "pending", False
    town.heroku.releases[1].current = True
    return town


async def test_a_rollback_that_stays_pending_is_asked_for_once(town: Town) -> None:
    await rolling_back(town)
    await town.run(patience=timedelta(minutes=2))
    assert town.release("0.1.1").stage is Stage.ROLLING_BACK
    assert [1, 2, 3] == [release.version for release in town.heroku.releases]
    asked = town.heroku.releases[-1]
    asked.status, asked.current = "succeeded", True
    town.heroku.releases[1].current = False
    await town.run()
    assert town.release("0.1.1").stage is Stage.ROLLED_BACK
    assert [1, 2, 3] == [release.version for release in town.heroku.releases]
    intents = [line for line in town.lines("0.1.1") if line.code == "intent_rollback"]
    assert len(intents) == 1


async def test_a_rollback_that_fails_is_not_tried_for_ever(town: Town) -> None:
    await rolling_back(town)
    town.heroku.releases[-1].status = "failed"
    await town.run()
    release = town.release("0.1.1")
    assert (release.stage, release.code) == (Stage.FAILED, "rollback_failed")
    assert [1, 2, 3] == [one.version for one in town.heroku.releases]


async def test_somebodys_hotfix_is_not_rolled_back(town: Town) -> None:
    await served(town)
    town.runner.stuck_version = "0.1.0"
    await town.publish("0.1.1")
    await until(town, "0.1.1", Stage.DEPLOYED)
    ours = town.heroku.releases[-1].slug
    assert ours is not None
    hotfix = dataclasses.replace(ours, id=new_id(), commit="f" * 40)
    theirs = town.heroku.release("Deploy ffffffff", hotfix, "rosa@example.com")
    await town.run()
    release = town.release("0.1.1")
    assert (release.stage, release.code) == (Stage.FAILED, "release_replaced")
    assert "v3 took the place of v2" in release.sentence
    assert theirs is town.heroku.current
    assert town.heroku.releases[-1] is theirs


async def test_another_digest_after_the_end_is_an_alarm_and_moves_nothing(town: Town) -> None:
    await served(town)
    town.mail.append(town.announcement("0.1.0", FIRST, "e" * 64))
    await town.run()
    last = town.lines("0.1.0")[-1]
    assert ("alarm", "late_digest", "publisher") == (last.kind, last.code, last.actor)
    assert ("verified", "verified") == (last.from_stage, last.to_stage)
    assert last.delivery_id is not None
    assert "e" * 64 in last.sentence
    assert town.release("0.1.0").stage is Stage.VERIFIED
    assert town.release("0.1.0").code == "verified"


async def test_the_same_digest_after_the_end_is_no_alarm(town: Town) -> None:
    await served(town)
    before = len(town.lines("0.1.0"))
    digest = (town.release("0.1.0").facts.digest or "").removeprefix("sha256:")
    town.now += timedelta(seconds=1)
    town.mail.append(town.announcement("0.1.0", FIRST, digest))
    town.mail.append(town.workflow("v0.1.0", "success"))
    await town.run()
    assert len(town.lines("0.1.0")) == before
