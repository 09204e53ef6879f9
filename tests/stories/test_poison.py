"""What cannot be handled stops nobody else, and does not crash-loop a restart."""

import hashlib
import hmac
from datetime import timedelta

from sqlmodel import Session, select

from bridge.delivery import Delivery, DeliveryState
from bridge.inbox import TRIES
from bridge.rehearsal.gate import Fault
from bridge.rehearsal.letters import Letter
from bridge.release import Release, Stage
from bridge.store import releases
from tests.stories.town import GITHUB_SECRET, Town


def signed(body: bytes) -> Letter:
    """A GitHub delivery with this body."""
    claim = hmac.digest(GITHUB_SECRET.encode(), body, hashlib.sha256).hex()
    headers = {"x-hub-signature-256": f"sha256={claim}", "x-github-delivery": "odd-one"}
    return Letter("github", headers, body)


async def states(town: Town) -> dict[str, DeliveryState]:
    """What became of each source's last delivery."""
    rows = town.ask(lambda session: session.exec(select(Delivery)).all())
    return {row.delivery_id: row.state for row in rows}


async def test_an_odd_body_is_parked_and_the_next_release_goes_on(town: Town) -> None:
    town.mail.append(signed(b'{"repository": 7}'))
    await town.publish("0.1.0")
    await town.run()
    assert (await states(town))["odd-one"] is DeliveryState.PARKED
    assert town.release("0.1.0").stage is Stage.VERIFIED


async def test_a_delivery_that_kills_the_process_is_parked_in_the_end(town: Town) -> None:
    await town.deliver(signed(b'{"repository": {"full_name": "acme/model-deployment"}, "sha": ""}'))

    def died(session: Session) -> None:
        row = session.exec(select(Delivery)).one()
        row.attempts = TRIES
        session.add(row)

    await town.bridge.store.write(died)
    await town.restart()
    await town.run()
    assert (await states(town))["odd-one"] is DeliveryState.PARKED


async def found(town: Town, deaths: int) -> None:
    """The sweep begins the release of 0.1.0, and its step has killed the process so often."""
    town.lost = {"publisher"}
    await town.publish("0.1.0")
    for _ in range(2):
        await town.bridge.worker.sweep()

    def died(session: Session) -> None:
        row = session.exec(select(Release)).one()
        row.attempts = deaths
        session.add(row)

    await town.bridge.store.write(died)


async def parked(town: Town) -> Release:
    """The release of 0.1.0 as it is parked, after its step has killed the process 20 times."""
    await found(town, deaths=20)
    await town.turn()
    return town.release("0.1.0")


async def test_a_step_that_kills_the_process_is_parked_and_looked_at_every_hour(town: Town) -> None:
    await parked(town)
    release = town.release("0.1.0")
    assert (release.stage, release.code) == (Stage.ANNOUNCED, "parked")
    assert release.due_at is not None
    assert release.due_at - town.now == timedelta(hours=1)


async def test_what_was_parked_is_really_tried_an_hour_later(town: Town) -> None:
    await parked(town)
    await town.run(patience=timedelta(hours=2))
    assert town.release("0.1.0").stage is Stage.VERIFIED


async def test_what_kills_the_process_once_more_is_parked_again(town: Town) -> None:
    release = await parked(town)
    town.now += timedelta(hours=1)
    await town.bridge.store.write(
        lambda session: releases.claim(session, town.now, "who dies", timedelta(minutes=2), 1)
    )
    await town.restart()
    town.now += timedelta(minutes=3)
    await town.turn()
    again = town.release("0.1.0")
    assert ("parked", release.stage) == (again.code, again.stage)


async def test_deaths_of_the_process_are_no_misses_of_a_neighbour(town: Town) -> None:
    await found(town, deaths=15)
    town.index.before = lambda name: Fault("refuse", 503, {"message": "down"})
    await town.turn()
    waiting = town.release("0.1.0")
    assert ("unavailable", 0, 1) == (waiting.code, waiting.attempts, waiting.failures)
    assert waiting.due_at is not None
    assert waiting.due_at <= town.now + timedelta(seconds=2)


async def test_those_who_wait_for_one_neighbour_come_back_at_different_times(town: Town) -> None:
    names = [f"consumer-{number}" for number in range(20)]
    town.pipelines[:] = [town.pipeline.model_copy(update={"name": name}) for name in names]
    await town.restart()
    await town.publish("0.1.0")
    town.index.before = lambda name: Fault("refuse", 503, {"message": "down"})
    while not all(release.failures for release in town.releases()) or not town.releases():
        await town.turn()
    moments = {release.due_at for release in town.releases()}
    assert 20 == len(town.releases())
    assert len(moments) > 15
    town.index.before = lambda name: None
    town.pipelines[:] = [town.pipeline]
