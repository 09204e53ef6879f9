"""The inbox makes way for what comes in, but not for long; a bad delivery is held up alone."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator

import pytest

from bridge.inbox import AT_ONCE, LEAST, LONGEST, PUT_OFF, Inbox
from bridge.store import Store, deliveries
from tests.bridge_kit import NOW, a_store, keep, pipeline, told
from tests.rehearsal_kit import Skipping


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with a_store(url) as made:
        yield made


def play(story: Callable[[Skipping], Coroutine[None, None, None]]) -> None:
    """Run a story in a time that it moves on itself."""
    loop = Skipping()
    try:
        loop.run_until_complete(story(loop))
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


async def came(store: Store, inbox: Inbox, count: int, first: int) -> None:
    """So many deliveries came in."""
    many = [told(f"{number}", f"{number}") for number in range(first, first + count)]
    await asyncio.gather(*(keep(store, one) for one in many))
    for _ in many:
        inbox.heard()


def left(store: Store) -> int:
    return sum(row.state == "new" for row in store.read_now(lambda s: deliveries.newest(s, 9999)))


def test_a_flood_puts_handling_off_and_no_longer_than_said(store: Store) -> None:
    async def story(time: Skipping) -> None:
        inbox = Inbox(store, [pipeline()], lambda: NOW)
        await came(store, inbox, 100, first=0)
        for _ in range(10_000):
            inbox.heard()
        assert AT_ONCE == await inbox.drain()
        assert LONGEST - 1 < inbox.rest() <= LONGEST
        for _ in range(10_000):
            inbox.heard()
        assert 0 == await inbox.drain(), "receiving goes first"
        time.skipped += LONGEST
        assert AT_ONCE == await inbox.drain(), "what came meanwhile does not put it off further"

    play(story)


def test_what_comes_within_a_moment_is_handled_together(store: Store) -> None:
    async def story(time: Skipping) -> None:
        inbox = Inbox(store, [pipeline()], lambda: NOW)
        await came(store, inbox, 1, first=0)
        assert 1 == await inbox.drain(), "the first has nobody to wait for"
        await came(store, inbox, 9, first=1)
        assert 0 == await inbox.drain()
        time.skipped += LEAST
        assert 9 == await inbox.drain()

    play(story)


def test_what_one_drain_can_take_is_not_put_off(store: Store) -> None:
    async def story(time: Skipping) -> None:
        inbox = Inbox(store, [pipeline()], lambda: NOW)
        for turn in range(4):
            await came(store, inbox, AT_ONCE, first=turn * AT_ONCE)
            assert AT_ONCE == await inbox.drain()
            assert 0 == inbox.rest()

    play(story)


def test_the_more_comes_the_longer_handling_rests(store: Store) -> None:
    async def story(time: Skipping) -> None:
        inbox = Inbox(store, [pipeline()], lambda: NOW)
        await came(store, inbox, AT_ONCE + 500, first=0)
        await inbox.drain()
        assert 0 < inbox.rest() <= 500 * PUT_OFF
        time.skipped += 500 * PUT_OFF
        drains = 0
        while await inbox.drain():
            drains += 1
        assert 500 / AT_ONCE == drains, "nothing came, so nothing is put off"
        assert 0 == left(store)

    play(story)


async def test_one_that_cannot_be_handled_is_held_up_alone(store: Store) -> None:
    inbox = Inbox(store, [pipeline()], lambda: NOW)
    await came(store, inbox, 9, first=0)
    await keep(store, told("bad", "bad", body=b"not JSON"))
    await came(store, inbox, 9, first=10)
    await inbox.drain()
    rows = store.read_now(lambda session: deliveries.newest(session, 99))
    assert 18 == sum(row.state == "ignored" for row in rows)
    assert ["bad"] == [row.delivery_id for row in rows if row.state == "parked"]
