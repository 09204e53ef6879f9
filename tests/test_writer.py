"""The one writer: whoever waits is committed together, and nobody pays for another's failure."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import Session

from bridge.errors import LeaseLost, Unavailable
from bridge.release import Release
from bridge.store import Store, releases
from tests.bridge_kit import a_store, begin

PATIENCE = 5


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with a_store(url) as made:
        yield made


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Store]:
    """Where only SQLite has what is tried."""
    with a_store(f"sqlite:///{tmp_path / 'bridge.db'}") as made:
        yield made


def versions(store: Store) -> list[str]:
    """Every version that is on disk, sorted."""
    return sorted(store.read_now(lambda session: releases.versions(session, "house-prices")))


class Held:
    """Work that keeps the writer busy until it is let go, so that others have to wait together."""

    def __init__(self) -> None:
        self.began, self.go = threading.Event(), threading.Event()

    def __call__(self, session: Session) -> None:
        self.began.set()
        assert self.go.wait(PATIENCE)


async def busy(store: Store) -> tuple[Held, "asyncio.Task[None]"]:
    """The writer at work on something long."""
    held = Held()
    task = asyncio.create_task(store.write(held))
    assert await asyncio.to_thread(held.began.wait, PATIENCE)
    return held, task


def adds(version: str) -> Callable[[Session], int]:
    return lambda session: begin(session, version).key


async def test_returned_means_on_disk(store: Store, url: str) -> None:
    assert 1 == await store.write(adds("0.1.0"))
    with a_store(url) as another:
        assert ["0.1.0"] == versions(another)


async def test_many_at_once_are_all_written(store: Store) -> None:
    wanted = [f"0.{number}" for number in range(300)]
    keys = await asyncio.gather(*(store.write(adds(version)) for version in wanted))
    assert sorted(wanted) == versions(store)
    assert 300 == len(set(keys))


async def test_a_caller_that_fails_takes_nobody_with_it(store: Store) -> None:
    def fails(session: Session) -> None:
        begin(session, "9.9.9")
        raise LeaseLost("release 1")

    def breaks(session: Session) -> None:
        session.execute(text("INSERT INTO delivery (id) VALUES (1)"))

    held, first = await busy(store)
    together = asyncio.gather(
        store.write(adds("0.1.0")),
        store.write(fails),
        store.write(breaks),
        store.write(adds("0.1.1")),
        return_exceptions=True,
    )
    await asyncio.sleep(0)
    held.go.set()
    one, lost, broken, two = await together
    await first
    assert isinstance(one, int)
    assert isinstance(two, int)
    assert 1 == one < two, "a sequence may leave gaps"
    assert isinstance(lost, LeaseLost)
    assert "IntegrityError" == type(broken).__name__
    assert ["0.1.0", "0.1.1"] == versions(store)


async def test_a_caller_who_gave_up_does_not_stop_the_writer(store: Store) -> None:
    held, first = await busy(store)
    gone = asyncio.create_task(store.write(adds("0.1.0")))
    await asyncio.sleep(0)
    gone.cancel()
    held.go.set()
    await first
    assert 1 <= await asyncio.wait_for(store.write(adds("0.1.1")), PATIENCE)


async def test_a_database_that_is_locked_is_unavailable_and_then_not(
    store: Store, url: str
) -> None:
    impatient = "SET lock_timeout = 1" if store.is_shared else "PRAGMA busy_timeout = 1"
    with a_store(url) as another:
        await store.write(lambda session: session.execute(text(impatient)))
        held, first = await busy(another)
        with pytest.raises(Unavailable, match="does not take writes"):
            await store.write(adds("0.1.0"))
        held.go.set()
        await first
    assert [] == versions(store)
    await store.write(adds("0.1.0"))
    assert ["0.1.0"] == versions(store)


async def test_a_failed_commit_is_told_to_everybody_in_it(file: Store) -> None:
    store = file

    def dangling(session: Session) -> None:
        session.execute(text("PRAGMA defer_foreign_keys = 1"))
        session.execute(
            text(
                "INSERT INTO transition VALUES (99, 77, 'note', '', '', 'c', 's', 'a', NULL, "
                "'2026', '2026', '{}', '0', '0')"
            )
        )

    held, first = await busy(store)
    together = asyncio.gather(
        store.write(adds("0.1.0")), store.write(dangling), return_exceptions=True
    )
    await asyncio.sleep(0)
    held.go.set()
    told = await together
    await first
    assert [True, True] == [isinstance(one, Exception) for one in told]
    assert [] == versions(store)
    assert 1 == await store.write(adds("0.1.1"))


async def test_a_full_disk_is_unavailable(file: Store) -> None:
    store = file

    def fill(session: Session) -> None:
        pages = session.execute(text("PRAGMA page_count")).scalar_one()
        session.execute(text(f"PRAGMA max_page_count = {pages}"))

    def much(session: Session) -> None:
        session.execute(
            text(
                "INSERT INTO delivery VALUES (1, 'a', 'b', 'c', '', :body, '', 'new', '', 0, NULL)"
            ),
            {"body": b"x" * 100_000},
        )

    await store.write(fill)
    with pytest.raises(Unavailable):
        await store.write(much)


async def test_what_a_caller_gets_can_be_read_later(store: Store) -> None:
    release = await store.write(lambda session: begin(session))
    assert ("0.1.0", "announced") == (release.version, release.stage.value)
    read = await store.read(lambda session: session.get_one(Release, release.key))
    assert release.facts == read.facts


async def test_closing_writes_what_waits(url: str) -> None:
    store = Store(url)
    store.migrate()
    held, first = await busy(store)
    waiting = [asyncio.create_task(store.write(adds(f"0.{number}"))) for number in range(5)]
    await asyncio.sleep(0)
    held.go.set()
    await asyncio.to_thread(store.close)
    await asyncio.gather(first, *waiting)
    with a_store(url) as again:
        assert 5 == len(versions(again))


async def test_readers_do_not_wait_for_the_writer(store: Store) -> None:
    held, first = await busy(store)
    found = await asyncio.wait_for(store.read(lambda s: releases.newest(s, 9)), PATIENCE)
    assert [] == list(found)
    held.go.set()
    await first
