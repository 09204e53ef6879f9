"""Several bridges on one PostgreSQL: work is shared, done once, and taken over from the dead."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlmodel import Session

from bridge import audit, ledger
from bridge.errors import Misconfigured, Reason, Unavailable
from bridge.release import Release
from bridge.store import Store, record, releases
from bridge.store.postgresql import SETTINGS
from tests.bridge_kit import NOW, a_store, begin
from tests.postgresql_kit import Server
from tests.stories.town import Town

ROOT = Path(__file__).parent.parent
LEASE = timedelta(seconds=10)
TAKEN_OVER_WITHIN = 15.0


@pytest.fixture
def address(postgresql: Server) -> Iterator[str]:
    with postgresql.database() as made:
        yield made


@pytest.fixture
def pair(address: str) -> Iterator[tuple[Store, Store]]:
    """Two processes' stores."""
    with a_store(address) as one, a_store(address) as two:
        yield one, two


def chain(store: Store) -> audit.Verdict:
    return store.read_now(lambda session: audit.verify(record.chain(session)))


async def test_two_claim_at_once_and_nothing_is_claimed_twice(pair: tuple[Store, Store]) -> None:
    def work(session: Session) -> None:
        for number in range(60):
            begin(session, f"0.{number}", name=f"pipeline-{number % 20}")

    await pair[0].write(work)
    claims = [
        store.write(partial(releases.claim, now=NOW, worker=f"{place}", lease=LEASE, limit=3))
        for _ in range(10)
        for place, store in enumerate(pair)
    ]
    found = [(row.id, row.claimed_by) for rows in await asyncio.gather(*claims) for row in rows]
    assert 60 == len(found) == len({key for key, _ in found})
    assert {"0", "1"} == {by for _, by in found}


async def test_two_append_at_once_and_the_chain_has_no_gap(pair: tuple[Store, Store]) -> None:
    key = await pair[0].write(lambda session: begin(session).key)

    def note(session: Session) -> None:
        ledger.note(session, session.get_one(Release, key), "note", Reason("c", "s"), NOW)

    for _ in range(100):
        await asyncio.gather(*(store.write(note) for store in pair for _ in range(3)))
    verdict = chain(pair[0])
    assert verdict.holds, verdict
    assert 601 == verdict.lines


async def test_what_waits_for_each_other_elsewhere_does_not_here(pair: tuple[Store, Store]) -> None:
    """One appends and then touches the row that the other has touched and now appends to."""

    def both(session: Session) -> list[int]:
        return [begin(session, "0.1.0").key, begin(session, "0.2.0").key]

    keys = await pair[0].write(both)

    def move(mine: int, other: int, session: Session) -> None:
        row = session.get_one(Release, mine)
        row.attempts += 1
        session.add(row)
        ledger.note(session, row, "note", Reason("c", "s"), NOW)
        releases.wake(session, NOW, Release.id == other)  # type: ignore[arg-type]

    for _ in range(50):
        await asyncio.gather(
            pair[0].write(partial(move, keys[0], keys[1])),
            pair[1].write(partial(move, keys[1], keys[0])),
        )
    assert chain(pair[1]).holds


async def test_two_bridges_carry_a_release_once(tmp_path: Path, address: str) -> None:
    town = Town(tmp_path, address)
    other = town._new_bridge()
    mine, theirs = town.bridge.worker, other.worker
    steps = {mine.name: 0, theirs.name: 0}
    turns = mine.turn, theirs.turn
    try:
        await town.publish("0.1.0")
        for _ in range(60):
            letters, town.mail[:] = list(town.mail), []
            for letter in letters:
                await asyncio.gather(town.deliver(letter), town.deliver(letter))
            taken = await asyncio.gather(*(turn() for turn in turns))
            for name, count in zip(steps, taken, strict=True):
                steps[name] += count
            await asyncio.gather(mine.settle(), theirs.settle())
            await town.heroku.settle()
            if not any(taken):
                town.now += timedelta(seconds=5)
            turns = turns[1], turns[0]
            steps = dict(reversed(steps.items()))
        assert "verified" == town.release("0.1.0").stage.value
        mutations = "createRef", "createCommitOnBranch", "createPullRequest", "mergePullRequest"
        assert dict.fromkeys(mutations, 1) == {name: town.mutations(name) for name in mutations}
        assert 1 == len(town.heroku.builds)
        assert all(steps.values()), steps
        town.must_be_sound()
    finally:
        await other.neighbours.close()
        other.store.close()
        await town.close()


async def test_a_bell_wakes_the_others(pair: tuple[Store, Store]) -> None:
    rung = asyncio.Event()
    listening = asyncio.create_task(pair[0].listen(rung.set))
    await asyncio.wait_for(rung.wait(), 10)
    await asyncio.sleep(0.1)
    rung.clear()
    await pair[1].write(lambda session: begin(session).key)
    await asyncio.wait_for(rung.wait(), 3)
    listening.cancel()
    await asyncio.wait([listening])


async def test_nobody_rings_for_what_is_not_due(pair: tuple[Store, Store]) -> None:
    await pair[1].write(lambda session: begin(session).key)
    rung = asyncio.Event()
    listening = asyncio.create_task(pair[0].listen(rung.set))
    await asyncio.wait_for(rung.wait(), 10)
    await asyncio.sleep(0.1)
    rung.clear()
    claim = partial(releases.claim, now=NOW, worker="one", lease=LEASE, limit=1)
    await pair[1].write(claim)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(rung.wait(), 0.5)
    listening.cancel()
    await asyncio.wait([listening])


async def test_a_lost_connection_is_unavailable_and_made_again(address: str) -> None:
    def cut(session: Session) -> None:
        begin(session, "0.1.0")
        session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with a_store(address) as store:
        both = store.write(cut), store.write(lambda session: begin(session, "0.2.0").key)
        told = await asyncio.gather(*both, return_exceptions=True)
        assert isinstance(told[0], Unavailable)
        await store.write(lambda session: begin(session, "0.3.0").key)
        kept = store.read_now(lambda session: releases.versions(session, "house-prices"))
        assert "0.1.0" not in kept
        assert ("0.2.0" in kept) is isinstance(told[1], int)
        assert chain(store).holds


async def test_who_sleeps_in_a_transaction_loses_it(pair: tuple[Store, Store]) -> None:
    def sleeps(session: Session) -> None:
        begin(session, "0.1.0")
        time.sleep(3.5)

    asleep = asyncio.create_task(pair[0].write(sleeps))
    await asyncio.sleep(0.3)
    await pair[1].write(lambda session: begin(session, "0.2.0").key)
    with pytest.raises(Unavailable):
        await asleep
    kept = pair[1].read_now(lambda session: releases.versions(session, "house-prices"))
    assert ["0.2.0"] == list(kept)


@pytest.mark.parametrize("wanted", SETTINGS.items())
async def test_the_writer_has_our_settings(address: str, wanted: tuple[str, str]) -> None:
    with a_store(address) as store:
        told = await store.write(lambda s: s.execute(text(f"SHOW {wanted[0]}")).scalar_one())
    assert wanted[1] == told


def test_a_server_that_may_lose_a_commit_is_refused(postgresql: Server) -> None:
    with postgresql.database() as address:
        with psycopg.connect(postgresql.url("postgres"), autocommit=True) as owner:
            owner.execute("ALTER SYSTEM SET full_page_writes = off")
            owner.execute("SELECT pg_reload_conf()")
            time.sleep(0.5)
        try:
            store = Store(address)
            with pytest.raises(Misconfigured, match="full_page_writes"):
                store.migrate()
            store.close()
        finally:
            with psycopg.connect(postgresql.url("postgres"), autocommit=True) as owner:
                owner.execute("ALTER SYSTEM RESET full_page_writes")
                owner.execute("SELECT pg_reload_conf()")
            time.sleep(0.5)


class SlowIndex(ThreadingHTTPServer):
    """An index on which every request waits until it is open, and then it is unavailable."""

    daemon_threads = True

    def __init__(self) -> None:
        self.is_open = threading.Event()
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                outer.is_open.wait(60)
                with contextlib.suppress(OSError):
                    self.send_error(503)

            def log_message(self, *words: object) -> None:
                """Quiet."""

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


@pytest.fixture
def index() -> Iterator[SlowIndex]:
    server = SlowIndex()
    yield server
    server.is_open.set()
    server.shutdown()
    server.server_close()


class Replica:
    """A real `bridge serve`."""

    def __init__(self, folder: Path, address: str, index: SlowIndex) -> None:
        folder.mkdir()
        (folder / "bridge.toml").write_text(
            f"""sweep_every = "1h"
[[pipeline]]
name = "house-prices"
package = "regression-model"
index = "http://127.0.0.1:{index.server_port}/acme/"
repository = "acme/model-deployment"
app = "house-prices-api"
api_url = "http://127.0.0.1:{index.server_port}/api"
"""
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bridge", "serve", "--port", str(port)],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), "BRIDGE_DATABASE_URL": address},
                stdout=log,
                stderr=log,
            )

    def end(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()


def until(wanted: Callable[[], bool], within: float) -> float:
    """Seconds until it is so."""
    began = time.monotonic()
    while not wanted():
        assert time.monotonic() - began < within, f"not within {within} s"
        time.sleep(0.05)
    return time.monotonic() - began


class Scene:
    """Two replicas, one of which is at work on a release, while the other has nothing to do."""

    def __init__(self, folder: Path, address: str, index: SlowIndex) -> None:
        self.store = Store(address)
        self.replicas = [Replica(folder / name, address, index) for name in ("one", "two")]
        self.holder = ""

    def play(self) -> None:
        """Begin a release when both are up, and see who takes it."""
        listening = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'bridge listen'"
        until(lambda: self._ask(listening) == 2, 60)
        asyncio.run(self._begin())
        until(lambda: self.row.claimed_by is not None, 10)
        self.holder = self.row.claimed_by or ""
        pid = int(self.holder.split(":")[1])
        (self.at_work,) = (one for one in self.replicas if one.process.pid == pid)

    @property
    def row(self) -> Release:
        return self.store.read_now(lambda session: releases.newest(session, 1)[0])

    def is_taken_over(self) -> bool:
        return self.row.claimed_by not in (self.holder, None)

    def end(self) -> None:
        for replica in self.replicas:
            replica.end()
        self.store.close()

    def _ask(self, statement: str) -> object:
        return self.store.read_now(lambda session: session.execute(text(statement)).scalar_one())

    async def _begin(self) -> None:
        def due_now(session: Session) -> None:
            begin(session)
            releases.wake(session, self.store.clock())

        await self.store.write(due_now)


@pytest.fixture
def scene(tmp_path: Path, address: str, index: SlowIndex) -> Iterator[Scene]:
    made = Scene(tmp_path, address, index)
    try:
        made.play()
        yield made
    finally:
        made.end()


def test_a_killed_replicas_work_is_taken_over(scene: Scene) -> None:
    time.sleep(LEASE.total_seconds() + 2)
    assert (scene.holder, 1) == (scene.row.claimed_by, scene.row.fence), "the living renew"
    scene.at_work.process.kill()
    took = until(scene.is_taken_over, TAKEN_OVER_WITHIN)
    print(f"taken over after {took:.1f} s")


def test_a_paused_replica_cannot_write(scene: Scene, index: SlowIndex) -> None:
    sweeps = 1
    until(lambda: len(index.asked) > sweeps, 10)
    scene.at_work.process.send_signal(signal.SIGSTOP)
    until(scene.is_taken_over, TAKEN_OVER_WITHIN)
    index.is_open.set()
    scene.at_work.process.send_signal(signal.SIGCONT)
    until(lambda: b"lease lost" in scene.at_work.log.read_bytes(), 60)
    verdict = chain(scene.store)
    assert verdict.holds, verdict
