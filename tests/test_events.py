"""The stream of the record: resumed exactly, one look for all, and no hindrance to an end."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, event, text
from sqlmodel import Session

from bridge.bell import Bell
from bridge.bootstrap import Bridge
from bridge.release import Evidence, Transition
from bridge.store import Store
from bridge.store.news import News
from bridge.web.app import create_app
from bridge.web.events import KEEP_ALIVE, told_of
from bridge.web.events import event as told_as
from tests.bridge_kit import NOW, a_bridge, a_store, begin
from tests.faults.nursery import Bridge as Process
from tests.rehearsal_kit import served

SOON = 5.0
CONFIGURATION = """
[[pipeline]]
name = "house-prices"
package = "regression-model"
index = "http://127.0.0.1:9/acme/"
repository = "acme/model-deployment"
app = "house-prices-api"
api_url = "http://127.0.0.1:9"
"""


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with a_store(url) as made:
        yield made


@pytest.fixture
async def bridge(tmp_path: Path) -> AsyncIterator[Bridge]:
    async with a_bridge(tmp_path) as made:
        yield made


async def announced(store: Store, *versions: str) -> None:
    """One line for each."""

    def work(session: Session) -> None:
        for version in versions:
            begin(session, version)

    await store.write(work)


def numbers(text: str) -> list[int]:
    return [int(line[4:]) for line in text.splitlines() if line.startswith("id: ")]


async def first(bell: Bell, after: int | None, count: int) -> list[int]:
    """The numbers of so many lines as they come."""
    seen: list[int] = []
    async with asyncio.timeout(SOON), contextlib.aclosing(told_of(bell, after)) as stream:
        async for text in stream:
            seen += numbers(text)
            if len(seen) >= count:
                break
    return seen


async def test_a_stream_goes_on_after_the_line_that_was_seen(store: Store) -> None:
    await announced(store, *(f"0.{number}" for number in range(450)))
    assert [*range(3, 451)] == await first(Bell(store), 2, 448)


async def test_a_stream_without_a_line_begins_now(store: Store) -> None:
    await announced(store, "0.1", "0.2")
    bell = Bell(store, every=0.01)
    watching = asyncio.create_task(first(bell, None, 2))
    await asyncio.sleep(0.1)
    await announced(store, "0.3")
    await announced(store, "0.4")
    assert [3, 4] == await watching


async def test_who_looks_while_lines_are_written_sees_each_once(store: Store) -> None:
    bell = Bell(store, every=0.001)

    async def write() -> None:
        for number in range(60):
            await announced(store, f"0.{number}")

    async def watch(delay: float) -> list[int]:
        await asyncio.sleep(delay)
        return await first(bell, 0, 60)

    writing = asyncio.create_task(write())
    seen = await asyncio.gather(*(watch(number / 200) for number in range(8)))
    await writing
    assert [[*range(1, 61)]] * 8 == seen


async def test_what_memory_has_not_comes_from_the_record(store: Store) -> None:
    await announced(store, "0.1", "0.2", "0.3")
    bell = Bell(store, every=0.01)
    watching = asyncio.create_task(first(bell, None, 3))
    await asyncio.sleep(0.1)
    await announced(store, "0.4")
    await asyncio.sleep(0.1)
    assert [[*range(after + 1, 5)] for after in range(4)] == [
        await first(bell, after, 4 - after) for after in range(4)
    ]
    await announced(store, "0.5", "0.6")
    assert [4, 5, 6] == await watching


async def test_a_number_beyond_the_record_is_now(store: Store) -> None:
    await announced(store, "0.1")
    bell = Bell(store, every=0.01)
    watching = asyncio.create_task(first(bell, 10**9, 1))
    await asyncio.sleep(0.1)
    await announced(store, "0.2")
    assert [2] == await watching


async def test_fifty_watch_and_one_looks(store: Store) -> None:
    await announced(store, "0.1")
    bell = Bell(store, every=0.05)
    asked: list[str] = []

    @event.listens_for(Engine, "before_cursor_execute")
    def count(_: object, __: object, statement: str, *___: object) -> None:
        asked.append(statement)

    watching = [asyncio.create_task(first(bell, 1, 1)) for _ in range(50)]
    await asyncio.sleep(0.3)
    asked.clear()
    try:
        await asyncio.sleep(0.5)
    finally:
        event.remove(Engine, "before_cursor_execute", count)
    looks = [statement for statement in asked if "transition" in statement]
    assert 1 <= len(looks) <= 11
    await announced(store, "0.2")
    assert [[2]] * 50 == await asyncio.gather(*watching)


async def test_a_look_that_fails_is_not_the_last_one(store: Store) -> None:
    await announced(store, "0.1")
    watching = asyncio.create_task(first(Bell(store, every=0.01), None, 1))
    await asyncio.sleep(0.1)

    def rename(session: Session, was: str, now: str) -> None:
        session.connection().execute(text(f"ALTER TABLE {was} RENAME TO {now}"))

    for was, now in (("transition", "hidden"), ("hidden", "transition")):
        await store.write(partial(rename, was=was, now=now))
        await asyncio.sleep(0.1)
    await announced(store, "0.2")
    assert [2] == await watching


async def test_nobody_looks_when_nobody_watches(store: Store) -> None:
    bell = Bell(store, every=0.01)
    await announced(store, "0.1")
    assert [1] == await first(bell, 0, 1)
    await asyncio.sleep(0)
    assert not [task for task in asyncio.all_tasks() if "_look_for_ever" in f"{task.get_coro()}"]


async def test_silence_is_broken(store: Store) -> None:
    stream = told_of(Bell(store), None, beat=0.05)
    async with asyncio.timeout(SOON), contextlib.aclosing(stream):
        assert [KEEP_ALIVE] * 3 == [await anext(stream) for _ in range(3)]


async def test_a_stream_ends_so_that_the_guard_can_ask_again_who_watches(store: Store) -> None:
    """Somebody who signed out, or whose time is over, would be told everything for ever."""
    async with asyncio.timeout(SOON):
        told = [text async for text in told_of(Bell(store), None, beat=0.01, lasts=0.05)]
    assert {KEEP_ALIVE} == set(told)


def test_an_event_is_one_however_hostile_its_words() -> None:
    line = Transition(
        seq=7,
        release_id=1,
        kind="note",
        from_stage="",
        to_stage="announced",
        code="announced",
        sentence="So.\n\nid: 99\r\nevent: line\rdata: {}",
        actor="ana",
        occurred_at=NOW,
        recorded_at=NOW,
        evidence=Evidence({}),
        prev_hash="",
        hash="",
    )
    text = told_as(News(7, line, "house-prices", "regression-model", "0.1"))
    assert ["id", "event", "data"] == [one.partition(":")[0] for one in text.splitlines() if one]
    assert text.endswith("\n\n")
    told = json.loads(text.splitlines()[2].removeprefix("data: "))
    wanted = {"seq": 7, "release": 1, "pipeline": "house-prices", "to": "announced"}
    assert wanted.items() <= told.items()
    assert "regression-model 0.1: So." == told["said"][:25]


async def test_when_all_seats_are_taken_one_is_told_to_come_back(store: Store) -> None:
    bell = Bell(store, seats=1)
    stream = told_of(bell, None, beat=0.01)
    async with asyncio.timeout(SOON), contextlib.aclosing(stream):
        assert bell.has_room
        [await anext(stream) for _ in range(2)]
        assert not bell.has_room
        assert [KEEP_ALIVE] == [text async for text in told_of(bell, None)]
    assert bell.has_room


async def test_the_stream_over_http(bridge: Bridge) -> None:
    await announced(bridge.store, "0.1", "0.2", "0.3")
    bell = Bell(bridge.store)
    async with (
        served(create_app(bridge, bell=bell)) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        for query, headers in (("?after=1", {}), ("?after=0", {"last-event-id": "1"})):
            async with client.stream("GET", f"/api/v1/events{query}", headers=headers) as answer:
                assert "text/event-stream" in answer.headers["content-type"]
                assert "no-store" == answer.headers["cache-control"]
                lines = answer.aiter_lines()
                ids = [line async for line in _until(lines, "id: 3")]
                assert ["id: 2", "id: 3"] == [line for line in ids if line.startswith("id")]
        for bad in ("?after=x", "?after=-1"):
            assert 422 == (await client.get(f"/api/v1/events{bad}")).status_code
        bell.close()
        assert 503 == (await client.get("/api/v1/events")).status_code


async def _until(lines: AsyncIterator[str], last: str) -> AsyncIterator[str]:
    async for line in lines:
        yield line
        if line == last:
            return


def test_open_streams_do_not_hold_up_an_end(tmp_path: Path) -> None:
    config = tmp_path / "bridge.toml"
    config.write_text(CONFIGURATION)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    environment = {
        "BRIDGE_CONFIG": str(config),
        "BRIDGE_DATABASE_URL": f"sqlite:///{tmp_path / 'bridge.db'}",
    }
    process = Process(tmp_path, port, environment)
    process.start()
    try:
        process.wait()
        with contextlib.ExitStack() as held, httpx.Client(trust_env=False, timeout=20) as client:
            streams = [
                held.enter_context(client.stream("GET", f"{process.url}/api/v1/events"))
                for _ in range(8)
            ]
            begun = [stream.iter_text() for stream in streams]
            assert all("nothing new" in next(text) for text in begun)
            code, took = process.stop()
            ends = ["".join(text) for text in begun]  # raises where a stream was torn
        assert (0, True) == (code, took < 2.0), f"it took {took:.1f} s"
        assert [""] * 8 == ends
        assert "Cancel" not in Path(process.log).read_text()
    finally:
        process.kill()
