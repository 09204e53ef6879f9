"""What a person does about deliveries: it happens once, it is refused in words, it is on record."""

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from bridge.bootstrap import Bridge
from bridge.delivery import Delivery, DeliveryState
from bridge.errors import LeaseLost, Refused
from bridge.notice import Notice
from bridge.operator import Act, do, may
from bridge.store import Store, deliveries, outbox
from tests.bridge_kit import NOW, a_bridge, a_store, keep, told
from tests.web_kit import EVIL, Page, get

LEASE = timedelta(seconds=9)
acts = partial(do, who="rosa", why="the sender was mended", now=NOW)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with a_store(url) as made:
        yield made


async def placed(store: Store, state: DeliveryState, body: bytes = b"{}") -> int:
    kept = await keep(store, told("a", "1", event=EVIL, body=body))
    if state is not DeliveryState.NEW:
        (taken,) = await store.write(partial(deliveries.claim, now=NOW, lease=LEASE, limit=9))
        end = deliveries.End(taken, state, EVIL)
        await store.write(lambda session: deliveries.finish(session, [end]))
    return kept.id


def row(store: Store, key: int) -> Delivery:
    return store.read_now(lambda session: session.get_one(Delivery, key))


@pytest.mark.parametrize("state", ["parked", "ignored", "discarded"])
async def test_a_replayed_delivery_is_due_as_if_it_had_just_come(store: Store, state: str) -> None:
    key = await placed(store, DeliveryState(state))
    await store.write(lambda session: acts(session, Act.REPLAY, key))
    (taken,) = await store.write(lambda session: deliveries.claim(session, NOW, LEASE, limit=9))
    assert (key, 1, DeliveryState.NEW) == (taken.id, taken.attempts, taken.state)


@pytest.mark.parametrize("state", ["parked", "new"])
async def test_a_discarded_delivery_is_never_due_again(store: Store, state: str) -> None:
    key = await placed(store, DeliveryState(state))
    await store.write(lambda session: acts(session, Act.DISCARD, key))
    assert DeliveryState.DISCARDED is row(store, key).state
    assert store.read_now(deliveries.next_due) is None


async def test_an_act_is_itself_a_delivery_with_who_and_why(store: Store) -> None:
    key = await placed(store, DeliveryState.PARKED)
    await store.write(lambda session: acts(session, Act.DISCARD, key))
    act, _ = store.read_now(lambda session: deliveries.newest(session, 9))
    told = json.loads(act.body)
    assert ("operator", "discard", DeliveryState.HANDLED) == (act.source, act.event, act.state)
    assert ("rosa", "the sender was mended", key) == (told["who"], told["why"], told["delivery"])


@pytest.mark.parametrize(
    ("act", "state"), [(Act.REPLAY, "new"), (Act.REPLAY, "handled"), (Act.DISCARD, "handled")]
)
async def test_what_makes_no_sense_is_refused_and_leaves_nothing(
    store: Store, act: Act, state: str
) -> None:
    key = await placed(store, DeliveryState(state))
    with pytest.raises(Refused, match=f"is {state}"):
        await store.write(lambda session: acts(session, act, key))
    with pytest.raises(Refused, match="no delivery 99"):
        await store.write(lambda session: acts(session, act, 99))
    assert 1 == len(store.read_now(lambda session: deliveries.newest(session, 9)))


async def test_asking_first_changes_nothing(store: Store) -> None:
    key = await placed(store, DeliveryState.PARKED)
    store.read_now(lambda session: may(session, Act.DISCARD, key, who="rosa", why="x"))
    assert DeliveryState.PARKED is row(store, key).state


async def test_the_page_and_its_twin_show_hostile_words_as_words(tmp_path: Path, url: str) -> None:
    async with a_bridge(tmp_path, database_url=url) as bridge:
        await placed(bridge.store, DeliveryState.PARKED, b"made-up-body")
        for path in ("/deliveries", "/deliveries?state=parked"):
            page = await get(bridge, path)
            assert 200 == page.status_code
            assert "parked" in page.text
            assert 2 == Page(page.text).tags.count("script"), "our own alone"
        await _twin(bridge)


async def _twin(bridge: Bridge) -> None:
    twin = await get(bridge, "/api/v1/deliveries?state=parked")
    (item,) = twin.json()["items"]
    assert ("github", "parked", EVIL) == (item["source"], item["state"], item["sentence"])
    assert "made-up-body" not in twin.text
    assert [] == (await get(bridge, "/api/v1/deliveries?state=new")).json()["items"]


async def test_who_has_a_delivery_when_it_is_discarded_can_write_nothing(store: Store) -> None:
    key = await placed(store, DeliveryState.NEW)
    (taken,) = await store.write(partial(deliveries.claim, now=NOW, lease=LEASE, limit=9))
    await store.write(lambda session: acts(session, Act.DISCARD, key))
    end = deliveries.End(taken, DeliveryState.HANDLED, "Done.")
    with pytest.raises(LeaseLost):
        await store.write(lambda session: deliveries.finish(session, [end]))
    assert DeliveryState.DISCARDED is row(store, key).state


def test_the_new_schema_still_keeps_a_delivery_once(store: Store) -> None:
    key = asyncio.run(placed(store, DeliveryState.NEW))
    columns = "source, sha256, event, body, received_at, state, sentence, attempts"
    again = f"INSERT INTO delivery (delivery_id, {columns}) SELECT 'b', {columns} FROM delivery"  # noqa: S608
    with pytest.raises(IntegrityError, match=r"(?i)unique"):
        asyncio.run(store.write(lambda session: session.execute(text(again))))
    indexes = "SELECT sql FROM sqlite_master WHERE name = 'delivery_due'"
    if store.is_shared:
        indexes = "SELECT indexdef FROM pg_indexes WHERE indexname = 'delivery_due'"
    (due,) = store.read_now(lambda session: session.execute(text(indexes)).one())
    assert 1 == key
    assert "due_at IS NOT NULL" in due.replace("due_at NOT NULL", "due_at IS NOT NULL")


async def sent(store: Store, state: DeliveryState) -> int:
    """A notice that became this."""

    def work(session: Session) -> int:
        notice = Notice(
            target="chain",
            message_id="msg_1",
            about="failed",
            body="{}",
            created_at=NOW,
            state=state,
            attempts=10,
            due_at=NOW if state is DeliveryState.NEW else None,
        )
        outbox.put(session, notice)
        return notice.key

    return await store.write(work)


async def test_a_notice_is_sent_again_as_if_it_was_new(store: Store) -> None:
    key = await sent(store, DeliveryState.PARKED)
    done = await store.write(lambda session: acts(session, Act.REPLAY, key, of=Notice))
    assert f"rosa had delivery {key} (out) handled again: the sender was mended" == done.sentence
    (due,) = store.read_now(lambda session: outbox.due(session, NOW, 9, []))
    assert (key, 0, DeliveryState.NEW) == (due.key, due.attempts, due.state)
    (act,) = store.read_now(lambda session: deliveries.newest(session, 9))
    assert {"notice": key, "act": "replay"}.items() <= json.loads(act.body).items()


async def test_a_discarded_notice_is_never_due_again(store: Store) -> None:
    key = await sent(store, DeliveryState.NEW)
    await store.write(lambda session: acts(session, Act.DISCARD, key, of=Notice))
    assert store.read_now(outbox.next_due) is None


async def test_a_notice_that_was_sent_is_not_sent_again(store: Store) -> None:
    key = await sent(store, DeliveryState.HANDLED)
    with pytest.raises(Refused) as refused:
        await store.write(lambda session: acts(session, Act.REPLAY, key, of=Notice))
    assert "no_replay" == refused.value.reason.code
    with pytest.raises(Refused) as refused:
        await store.write(lambda session: acts(session, Act.REPLAY, key + 1, of=Notice))
    assert "no_notice" == refused.value.reason.code
