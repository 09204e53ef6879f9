"""The chain's verdict is renewed, not made anew, and nothing that was changed stays unseen."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session

from bridge import audit, ledger
from bridge.errors import Reason
from bridge.store import Store, record
from bridge.store.watchman import EVERY, NEWEST, TOGETHER, Watchman
from tests.bridge_kit import NOW, a_store, begin

MANY = TOGETHER + NEWEST + 50


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with a_store(url) as made:
        yield made


async def written(store: Store, count: int) -> None:
    def work(session: Session) -> None:
        row = begin(session)
        for number in range(count - 1):
            ledger.note(session, row, "note", Reason(f"n{number}", "It waits."), NOW)

    await store.write(work)


async def changed(store: Store, query: str) -> None:
    """As somebody with the keys of the database could."""

    def work(session: Session) -> None:
        if store.is_shared:
            session.execute(text("ALTER TABLE transition DISABLE TRIGGER ALL"))
        else:
            for name in ("update", "delete"):
                session.execute(text(f"DROP TRIGGER transition_no_{name}"))
        session.execute(text(query))

    await store.write(work)


async def walked(store: Store, clock: Clock | None = None) -> Watchman:
    """One that has walked every line."""
    watchman = Watchman(store, clock or Clock())
    for _ in range(9):
        await watchman.walk_on()
    return watchman


async def test_a_short_record_is_whole_at_every_look(store: Store) -> None:
    await written(store, 3)
    watchman = Watchman(store, Clock())
    verdict = store.read_now(watchman.look)
    assert (True, 3, NOW) == (verdict.holds, verdict.lines, watchman.whole_at)
    await changed(store, "UPDATE transition SET sentence = 'never' WHERE seq = 2")
    assert 2 == store.read_now(watchman.look).bad_seq


async def test_a_long_record_is_walked_bit_by_bit(store: Store) -> None:
    await written(store, MANY)
    watchman = Watchman(store, Clock())
    assert (True, 0) == (store.read_now(watchman.look).holds, store.read_now(watchman.look).lines)
    assert await watchman.walk_on() < 60
    assert (TOGETHER, None) == (watchman.verdict.lines, watchman.whole_at)
    watchman = await walked(store)
    assert (MANY, NOW) == (watchman.verdict.lines, watchman.whole_at)
    assert store.read_now(record.head) == watchman.verdict.head


async def test_what_came_since_is_walked_when_somebody_looks(store: Store) -> None:
    await written(store, MANY)
    watchman = await walked(store)

    def more(session: Session) -> None:
        begin(session, "0.2.0")

    await store.write(more)
    assert MANY + 1 == store.read_now(watchman.look).lines


@pytest.mark.parametrize(
    ("query", "seq"),
    [
        (f"UPDATE transition SET sentence = 'never' WHERE seq = {MANY}", MANY),  # noqa: S608
        (f"UPDATE transition SET hash = 'another' WHERE seq = {MANY}", MANY),  # noqa: S608
        (f"DELETE FROM transition WHERE seq >= {MANY - 1}", MANY),  # noqa: S608
    ],
)
async def test_the_end_of_the_record_is_watched_at_every_look(
    store: Store, query: str, seq: int
) -> None:
    await written(store, MANY)
    watchman = await walked(store)
    await changed(store, query)
    verdict = store.read_now(watchman.look)
    assert (False, seq) == (verdict.holds, verdict.bad_seq)


async def test_an_old_line_that_was_changed_is_found_within_a_day(store: Store) -> None:
    await written(store, MANY)
    clock = Clock()
    watchman = await walked(store, clock)
    await changed(store, "UPDATE transition SET sentence = 'never' WHERE seq = 5")
    assert store.read_now(watchman.look).holds
    clock.now += EVERY + timedelta(seconds=1)
    await watchman.walk_on()
    assert (False, 5) == (watchman.verdict.holds, watchman.verdict.bad_seq)
    assert 5 == store.read_now(watchman.look).bad_seq


async def test_a_whole_record_stays_said_to_be_whole_while_it_is_walked_again(
    store: Store,
) -> None:
    await written(store, MANY)
    clock = Clock()
    watchman = await walked(store, clock)
    clock.now += EVERY + timedelta(seconds=1)
    await watchman.walk_on()
    assert (MANY, NOW) == (watchman.verdict.lines, watchman.whole_at)
    for _ in range(3):
        await watchman.walk_on()
    assert clock.now == watchman.whole_at


def test_an_empty_record_is_whole(store: Store) -> None:
    assert audit.Verdict(0, audit.GENESIS) == store.read_now(Watchman(store, Clock()).look)
