"""The loop that keeps everything moving: what it holds, it holds until its step has ended."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest

from bridge.bootstrap import Bridge
from bridge.release import Release
from bridge.store import Store, releases
from bridge.store.releases import SHARE
from bridge.worker import AT_ONCE, LEASE, PAUSE, RENEW_EVERY
from tests.bridge_kit import NOW, begin, settings

MOMENT = timedelta(seconds=1)


class Office:
    """A bridge with a clock that we set and an index that answers when it is open."""

    def __init__(self, folder: Path, url: str) -> None:
        self.now = NOW
        self.is_open = asyncio.Event()
        self.bridge = Bridge(
            settings(folder, database_url=url),
            clock=lambda: self.now,
            transport=lambda _: httpx.MockTransport(self._answer),
        )
        self.bridge.store.migrate()

    @property
    def release(self) -> Release:
        return self.bridge.store.read_now(lambda session: releases.newest(session, 1)[0])

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        await self.is_open.wait()
        return httpx.Response(404)


@pytest.fixture
def office(tmp_path: Path, url: str) -> Iterator[Office]:
    made = Office(tmp_path, url)
    yield made
    made.bridge.store.close()


async def claimed_by_another(store: Store, office: Office) -> int:
    claim = partial(releases.claim, now=office.now, worker="another", lease=LEASE, limit=9)
    return len(await store.write(claim))


async def test_what_runs_here_is_not_claimed_again_after_a_standstill(office: Office) -> None:
    store, worker = office.bridge.store, office.bridge.worker
    await store.write(lambda session: begin(session).key)
    assert 1 == await worker.turn()
    for _ in range(3):
        office.now += LEASE + MOMENT
        assert 0 == await worker.turn()
        assert 0 == await claimed_by_another(store, office), "it is renewed for the others too"
    assert 1 == office.release.fence
    office.is_open.set()
    await worker.settle()
    assert ("waiting_for_index", None) == (office.release.code, office.release.claimed_by)


async def test_a_lease_that_is_long_enough_is_not_written_again(office: Office) -> None:
    store, worker = office.bridge.store, office.bridge.worker
    await store.write(lambda session: begin(session).key)
    await worker.turn()
    ends = office.release.claimed_until
    office.now += RENEW_EVERY - MOMENT
    await worker.turn()
    assert ends == office.release.claimed_until
    office.now += MOMENT
    await worker.turn()
    assert office.now + LEASE == office.release.claimed_until
    office.is_open.set()
    await worker.settle()


async def test_what_has_to_wait_for_its_share_makes_nobody_spin(office: Office) -> None:
    store, worker = office.bridge.store, office.bridge.worker
    for number in range(AT_ONCE):
        await store.write(partial(begin, version=f"0.{number}"))
    assert SHARE == await worker.turn()
    assert PAUSE == await worker._nap()
    office.is_open.set()
    await worker.settle()
    assert AT_ONCE - SHARE == await worker.turn()
    await worker.settle()
