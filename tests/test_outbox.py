"""The outbox: a notice belongs to one worker at a time, and a slow target holds up no other."""

import asyncio
import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from bridge import ledger
from bridge.configuration import Tell
from bridge.delivery import DeliveryState
from bridge.errors import LeaseLost, Reason
from bridge.notice import About, Notice
from bridge.notify.outbox import LOOK_AT, SHARE, Outbox
from bridge.notify.target import Target
from bridge.notify.tell import LINES, Teller
from bridge.release import Stage
from bridge.store import Store, outbox
from tests.bridge_kit import NOW, a_store, begin, pipeline

LATER = NOW + timedelta(minutes=1)
URL = "https://bridge.example.com"


class Ear:
    """A target that listens for as long as `speak` is not set."""

    def __init__(self, is_slow: bool = False) -> None:
        self.heard: list[str] = []
        self.begun = 0
        self.speak = asyncio.Event()
        if not is_slow:
            self.speak.set()

    async def send(self, message_id: str, body: str) -> None:
        self.begun += 1
        await self.speak.wait()
        self.heard.append(json.loads(body)["data"]["version"])

    async def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with a_store(url) as made:
        yield made


def telling(store: Store, now: datetime = NOW, **targets: Target) -> Outbox:
    """An outbox that tells every target of what failed."""
    tells = [Tell(to=name, about=(About.FAILED,)) for name in targets]
    return Outbox(store, Teller([pipeline(notify=tells)], URL), targets, lambda: now, lambda: 1.0)


async def fail(store: Store, *versions: str) -> None:
    def work(session: Session) -> None:
        for version in versions:
            ledger.transit(session, begin(session, version), Stage.FAILED, Reason("x", "Y."), NOW)

    await store.write(work)


def states(store: Store) -> list[DeliveryState]:
    return [row.state for row in store.read_now(lambda s: s.exec(select(Notice)).all())]


async def test_a_notice_is_sent_by_one_of_two_workers(store: Store) -> None:
    ear = Ear(is_slow=True)
    one, other = telling(store, ear=ear), telling(store, ear=ear)
    await one.begin()
    await fail(store, "0.1.0")
    assert [1, 0] == [await one.turn(), await other.turn()]
    ear.speak.set()
    await one.settle()
    assert (["0.1.0"], [DeliveryState.HANDLED]) == (ear.heard, states(store))


async def test_who_slept_past_the_lease_cannot_say_what_became_of_it(store: Store) -> None:
    slow, quick = Ear(is_slow=True), Ear()
    sleeper, other = telling(store, ear=slow), telling(store, LATER, ear=quick)
    await sleeper.begin()
    await fail(store, "0.1.0")
    await sleeper.turn()
    await asyncio.sleep(0)
    (taken,) = store.read_now(lambda session: session.exec(select(Notice)).all())
    assert 1 == await other.turn()
    await other.settle()
    with pytest.raises(LeaseLost):
        await store.write(lambda s: outbox.finish(s, taken, DeliveryState.PARKED, "late"))
    with pytest.raises(LeaseLost):
        await store.write(lambda s: outbox.retry(s, taken, LATER, "late"))
    assert [DeliveryState.HANDLED] == states(store)
    slow.speak.set()
    await sleeper.settle()
    assert [DeliveryState.HANDLED] == states(store)


async def test_another_attempt_fences_the_one_before(store: Store) -> None:
    """Also while the later one is still under way."""
    slow = Ear(is_slow=True)
    sleeper, other = telling(store, ear=slow), telling(store, LATER, ear=slow)
    await sleeper.begin()
    await fail(store, "0.1.0")
    await sleeper.turn()
    (taken,) = store.read_now(lambda session: session.exec(select(Notice)).all())
    await other.turn()
    with pytest.raises(LeaseLost):
        await store.write(lambda s: outbox.finish(s, taken, DeliveryState.PARKED, "late"))
    slow.speak.set()
    await sleeper.settle()
    await other.settle()
    assert [DeliveryState.HANDLED] == states(store)


async def test_a_target_that_does_not_answer_holds_up_no_other(store: Store) -> None:
    slow, quick = Ear(is_slow=True), Ear()
    told = telling(store, slow=slow, quick=quick)
    await told.begin()
    versions = [f"0.1.{number}" for number in range(LOOK_AT + 10)]
    await fail(store, *versions)
    for _ in range(2000):
        await told.turn()
        await asyncio.sleep(0.01)
        if len(quick.heard) == len(versions):
            break
    assert set(versions) == set(quick.heard)
    assert SHARE == slow.begun
    slow.speak.set()
    await told.settle()
    while await told.turn():
        await told.settle()
    assert set(versions) == set(slow.heard)


async def test_the_record_is_read_once_however_often_it_is_looked_at(store: Store) -> None:
    ear = Ear()
    told = telling(store, ear=ear)
    await told.begin()
    await fail(store, "0.1.0")
    for _ in range(3):
        await telling(store, ear=ear).begin()
        await told.turn()
        await told.settle()
    assert ["0.1.0"] == ear.heard


async def test_more_lines_than_are_read_at_once_are_all_read(store: Store) -> None:
    ear = Ear()
    told = telling(store, ear=ear)
    await told.begin()
    versions = [f"0.1.{number}" for number in range(LINES + 5)]
    await fail(store, *versions)
    stop = asyncio.create_task(told.run())
    for _ in range(6000):
        await asyncio.sleep(0.01)
        if len(ear.heard) == len(versions):
            break
    stop.cancel()
    await asyncio.gather(stop, return_exceptions=True)
    assert set(versions) == set(ear.heard)


async def test_what_is_under_way_at_the_end_is_told_by_the_next_process(store: Store) -> None:
    slow, quick = Ear(is_slow=True), Ear()
    told = telling(store, ear=slow)
    await told.begin()
    await fail(store, "0.1.0")
    running = asyncio.create_task(told.run())
    for _ in range(500):
        await asyncio.sleep(0.01)
        if slow.begun:
            break
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (1, []) == (slow.begun, slow.heard)
    await asyncio.wait_for(told.settle(), 1)
    following = telling(store, LATER, ear=quick)
    await following.begin()
    await following.turn()
    await following.settle()
    assert ["0.1.0"] == quick.heard


async def test_a_line_that_cannot_be_told_silences_no_other(store: Store) -> None:
    ear = Ear()
    told = telling(store, ear=ear)
    await told.begin()
    await fail(store, "0.1.0", "0.1.1")
    odd = text("UPDATE release SET facts = '{\"size\": \"odd\"}' WHERE version = '0.1.0'")
    await store.write(lambda session: session.execute(odd) and None)
    while await told.turn():
        await told.settle()
    assert ["0.1.1"] == ear.heard
