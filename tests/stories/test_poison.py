"""What cannot be handled stops nobody else, and does not crash-loop a restart."""

import hashlib
import hmac
from datetime import timedelta

from sqlmodel import Session, select

from bridge.delivery import Delivery, DeliveryState
from bridge.inbox import TRIES
from bridge.rehearsal.letters import Letter
from bridge.release import Release, Stage
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


async def test_a_step_that_kills_the_process_is_parked_and_looked_at_every_hour(town: Town) -> None:
    await town.publish("0.1.0")

    def died(session: Session) -> None:
        row = session.exec(select(Release)).one()
        row.attempts = 20
        session.add(row)

    await town.bridge.worker.sweep()
    await town.bridge.store.write(died)
    await town.turn()
    release = town.release("0.1.0")
    assert (release.stage, release.code) == (Stage.ANNOUNCED, "parked")
    assert release.due_at is not None
    assert release.due_at - town.now == timedelta(hours=1)
