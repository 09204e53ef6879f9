"""Somebody outside is told what became of a version: once, and whatever happens in between."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, select

from bridge.bootstrap import Bridge
from bridge.delivery import DeliveryState
from bridge.notice import Notice
from bridge.publisher.webhook import key_of, sign
from bridge.rehearsal.letters import Letter
from bridge.store import outbox, releases
from bridge.web.app import create_app
from tests.bridge_kit import settings
from tests.notify_kit import EVERYTHING, LISTENER_SECRET, OLD_SECRET, PATH, Listener
from tests.stories.town import PUBLISHER_SECRET, Town
from tests.web_kit import get

HOUR = timedelta(hours=1)
WithListener = Callable[..., Awaitable[tuple[Town, Listener]]]


@pytest.fixture
def listening(town_with: Callable[..., Town]) -> WithListener:
    """A town with somebody who wants to hear `about`, and a policy."""

    async def made(
        about: list[str] = EVERYTHING, secret: str = LISTENER_SECRET, **policy: object
    ) -> tuple[Town, Listener]:
        town, listener = town_with(**policy), Listener()
        notify = {"to": "chain", "about": about, "after": "4h"}
        town.pipelines = [
            town.pipeline.model_validate({**town.pipeline.model_dump(), "notify": [notify]})
        ]
        town.settings = {
            "target": [{"name": "chain", "kind": "webhook"}],
            "target_urls": {"chain": f"https://listener.test/{PATH}"},
            "target_secrets": {"chain": secret},
        }
        town.others["https://listener.test"] = listener
        await town.restart()
        await town.bridge.outbox.begin()
        return town, listener

    return made


def kept(town: Town) -> list[Notice]:
    """The outbox, oldest first."""
    return list(reversed(town.ask(lambda session: outbox.newest(session, 100))))


async def test_a_verified_version_is_told_once(listening: WithListener) -> None:
    town, listener = await listening()
    await town.publish("0.1.0")
    await town.run()
    assert ["release.verified"] == listener.said
    release = town.release("0.1.0")
    told = listener.heard[0]["data"]
    assert (release.key, "0.1.0", "verified") == (told["release"], told["version"], told["stage"])
    assert release.facts.digest == f"sha256:{told['files'][0]['sha256']}"
    line = f"house-prices-api: regression-model 0.1.0 is live. {release.sentence}"
    assert [f"{line} http://bridge.test/releases/{release.key}"] == listener.lines
    await town.restart()
    await town.run()
    assert ["release.verified"] == listener.said


async def test_nobody_hears_what_nobody_asked_for(listening: WithListener) -> None:
    town, listener = await listening(about=["failed"])
    await town.publish("0.1.0")
    await town.run()
    assert [] == listener.said
    assert [] == kept(town)


async def test_a_failed_version_says_why_and_what_to_do(listening: WithListener) -> None:
    town, listener = await listening()
    await town.publish("0.1.0", digest="f" * 64)
    await town.run()
    assert ["release.failed"] == listener.said
    line = listener.lines[0]
    assert "digest_mismatch" == listener.heard[0]["data"]["reason"]["code"]
    assert "bridge retry regression-model 0.1.0 --reason TEXT" in line
    assert "\n" not in line


async def test_a_target_that_is_away_is_told_later_and_still_once(
    listening: WithListener,
) -> None:
    town, listener = await listening()
    listener.answers = [503, 500, 429]
    await town.publish("0.1.0")
    await town.run(patience=HOUR)
    assert ["release.verified"] == listener.said
    assert 4 == len(listener.tries)
    assert 1 == len(set(listener.tries)), "every try has the id of the first"
    (notice,) = kept(town)
    assert (DeliveryState.HANDLED, 4) == (notice.state, notice.attempts)


async def test_a_target_that_stays_away_is_given_up_and_says_why(listening: WithListener) -> None:
    town, listener = await listening()
    listener.answers = [500] * 10
    await town.publish("0.1.0")
    await town.run(patience=30 * HOUR)
    (notice,) = kept(town)
    assert (DeliveryState.PARKED, 10) == (notice.state, notice.attempts)
    assert "chain answered 500" in notice.sentence
    assert 10 == len(listener.tries)


async def test_a_target_that_wants_no_more_is_not_asked_again(listening: WithListener) -> None:
    town, listener = await listening()
    listener.answers = [410]
    await town.publish("0.1.0")
    await town.run(patience=HOUR)
    (notice,) = kept(town)
    assert (DeliveryState.PARKED, 1) == (notice.state, notice.attempts)


async def test_who_waits_for_a_person_too_long_says_so(listening: WithListener) -> None:
    town, listener = await listening(merge="human")
    await town.publish("0.1.0")
    await town.run()
    assert [] == listener.said
    began = town.now
    await town.run(patience=5 * HOUR)
    assert ["release.waiting"] == listener.said
    assert "has waited for a person for 4 h" in listener.lines[0]
    pull = town.release("0.1.0").facts.pull_request
    assert pull is not None
    said = f"Pull request #1 waits for a person to merge it. {pull.url}"
    assert listener.lines[0].endswith(said)
    assert began + 3 * HOUR < town.now


async def test_help_that_comes_in_time_is_not_asked_for(listening: WithListener) -> None:
    town, listener = await listening(merge="human")
    await town.publish("0.1.0")
    await town.run()
    town.github.merge(1, "octocat")
    await town.run(patience=5 * HOUR)
    assert ["release.verified"] == listener.said
    states = {notice.about: notice.state for notice in kept(town)}
    assert DeliveryState.IGNORED is states["waiting"]


async def test_who_waits_for_one_person_after_another_is_told_of_once(
    listening: WithListener,
) -> None:
    town, listener = await listening(merge="human", about=["waiting"])
    await town.publish("0.1.0")
    await town.run()
    for reviewed in ("CHANGES_REQUESTED", "APPROVED"):
        town.now += HOUR
        town.github.review(1, "rosa", reviewed)
        await town.run()
    assert {"waiting_for_reviewer", "changes_requested"} <= {
        line.code for line in town.lines("0.1.0")
    }
    await town.run(patience=3 * HOUR)
    assert ["release.waiting"] == listener.said
    assert "for 4 h" in listener.lines[0]


async def test_a_parked_delivery_is_told(listening: WithListener) -> None:
    town, listener = await listening()
    body = b'{"type": "model.published", "data": {"package": 7}}'
    headers = sign(key_of(PUBLISHER_SECRET), "odd-one", town.now, body)
    town.mail.append(Letter("publisher", headers, body))
    await town.run()
    assert ["delivery.parked"] == listener.said
    assert "bridge replay 1 --reason TEXT" in listener.lines[0]


async def test_a_crash_between_the_line_and_its_notice_loses_nothing(
    listening: WithListener,
) -> None:
    town, listener = await listening()
    await town.publish("0.1.0")
    teller = town.bridge.teller
    teller.tells = False  # as if the process died whenever it was about to tell
    await town.run()
    assert [] == listener.said
    assert "verified" == town.release("0.1.0").stage
    await town.restart()
    await town.bridge.outbox.begin()
    await town.run()
    assert ["release.verified"] == listener.said


async def test_who_is_named_later_is_not_told_of_the_past(
    listening: WithListener,
) -> None:
    town, listener = await listening()
    wanted, town.pipelines = town.pipelines, [town.pipeline]
    await town.restart()
    await town.bridge.outbox.begin()
    await town.publish("0.1.0")
    await town.run()
    town.pipelines = wanted
    await town.restart()
    await town.bridge.outbox.begin()
    await town.run()
    assert [] == listener.said
    await town.publish("0.1.1")
    await town.run()
    assert ["release.verified"] == listener.said


async def test_a_secret_is_changed_without_losing_a_message(listening: WithListener) -> None:
    town, listener = await listening(secret=f"{OLD_SECRET}, {LISTENER_SECRET}")
    await town.publish("0.1.0")
    await town.run()
    assert ["release.verified"] == listener.said
    assert 2 == len(listener.headers[0]["webhook-signature"].split(" "))


async def test_no_secret_of_a_target_is_kept_or_said(listening: WithListener) -> None:
    town, listener = await listening()
    listener.answers = [500] * 10
    await town.publish("0.1.0")
    await town.run(patience=30 * HOUR)

    def everything(session: Session) -> str:
        return "\n".join(str(vars(row)) for row in session.exec(select(Notice)).all())

    assert PATH not in town.ask(everything)
    assert PATH not in town.bridge.settings.secrets().out_of(f"went to listener.test/{PATH}")


async def test_another_bridge_carries_on_what_this_one_verified(
    listening: WithListener, tmp_path: Path
) -> None:
    town, _ = await listening()
    (tmp_path / "other").mkdir()
    told = settings(tmp_path / "other", webhook_secrets={"publisher": LISTENER_SECRET})
    other = Bridge(told, clock=town.clock)
    other.store.migrate()
    town.others["https://listener.test"] = create_app(other)
    town.settings["target_urls"] = {"chain": "https://listener.test/webhooks/publisher"}
    await town.restart()
    await town.publish("0.1.0")
    await town.run()
    await other.worker.turn()
    (notice,) = kept(town)
    assert DeliveryState.HANDLED is notice.state
    (begun,) = other.store.read_now(lambda session: releases.newest(session, 10))
    assert ("0.1.0", "announced") == (begun.version, begun.stage)
    assert town.release("0.1.0").facts.digest == begun.facts.announced_digest
    await other.worker.settle()
    await other.neighbours.close()
    other.store.close()


async def test_what_goes_out_is_shown(listening: WithListener) -> None:
    town, listener = await listening()
    listener.answers = [410]
    await town.publish("0.1.0")
    await town.run()
    page = await get(town.bridge, "/deliveries/out?state=parked")
    assert 200 == page.status_code
    assert "chain wants to be told nothing more (410)." in page.text
    assert f'<a href="/releases/{town.release("0.1.0").key}">verified</a>' in page.text
    twin = (await get(town.bridge, "/api/v1/deliveries/out")).json()
    (told,) = twin["items"]
    assert ("chain", "verified", "parked") == (told["target"], told["about"], told["state"])
    assert "is live" in told["text"]
