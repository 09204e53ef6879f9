"""What a sender sees on the wire: a real server, real sockets, and a sender who behaves badly."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlmodel import Session

import bridge.publisher.webhook as publisher
from bridge.bootstrap import Bridge
from bridge.store import deliveries
from bridge.web.app import create_app
from bridge.web.receive import BODY_CAP, DEADLINE
from tests.bridge_kit import NOW, SECRETS, a_bridge
from tests.rehearsal_kit import Skipping, served

HEAD = b"POST /webhooks/publisher HTTP/1.1\r\nhost: x\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
NEXT = "whsec_bWFkZS11cCBuZXh0IHB1Ymxpc2hlciBzZWNyZXQ="
NUMBERS = itertools.count()


@contextlib.asynccontextmanager
async def door(bridge: Bridge) -> AsyncIterator[httpx.AsyncClient]:
    """A client at the served bridge."""
    async with (
        served(create_app(bridge)) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        yield client


async def send(
    client: httpx.AsyncClient, key: str = SECRETS["publisher"], size: int = 0
) -> httpx.Response:
    """One more delivery, signed with `key`."""
    number = next(NUMBERS)
    body = json.dumps({"n": number, "filler": "x" * size}).encode()
    headers = publisher.sign(publisher.key_of(key), f"msg-{number}", NOW, body)
    return await client.post("/webhooks/publisher", content=body, headers=headers)


async def shout(bridge: Bridge, first: bytes, then: bytes = b"", on: Skipping | None = None) -> str:
    """What comes back to these bytes, until the server closes; `then` follows at the deadline."""
    async with served(create_app(bridge)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(first)
        await writer.drain()
        if on:
            await asyncio.sleep(0.05)
            on.skipped += DEADLINE - 1
            writer.write(then)
            await asyncio.sleep(0.05)
            on.skipped += 1
        told = await asyncio.wait_for(reader.read(), 20)
        writer.close()
    return told.decode().lower()


def kept(bridge: Bridge) -> int:
    return len(bridge.store.read_now(lambda session: deliveries.newest(session, 999)))


@pytest.fixture
def loop() -> Iterator[Skipping]:
    made = Skipping()
    yield made
    made.run_until_complete(made.shutdown_asyncgens())
    made.run_until_complete(made.shutdown_default_executor())
    made.close()


async def test_a_chunked_body_over_the_cap_is_not_read_on(tmp_path: Path) -> None:
    """The rest of it never comes, and nobody waits for it."""
    chunk = f"{BODY_CAP:x}\r\n".encode() + b"x" * BODY_CAP + b"\r\n"
    async with a_bridge(tmp_path) as bridge:
        told = await shout(bridge, CHUNKED + chunk + b"1\r\nx\r\n")
        assert 0 == kept(bridge)
    assert told.startswith("http/1.1 413 ")
    assert "connection: close" in told


async def test_an_announced_body_over_the_cap_is_not_even_begun(tmp_path: Path) -> None:
    async with a_bridge(tmp_path) as bridge:
        told = await shout(bridge, HEAD + f"content-length: {BODY_CAP + 1}\r\n\r\n".encode())
    assert told.startswith("http/1.1 413 ")


def test_a_body_that_drips_is_given_up_at_the_deadline(tmp_path: Path, loop: Skipping) -> None:
    """Each drop comes in time, the whole does not."""

    async def story() -> None:
        async with a_bridge(tmp_path) as bridge:
            told = await shout(bridge, CHUNKED + b"1\r\n{\r\n", b"1\r\n \r\n", on=loop)
            assert 0 == kept(bridge)
        assert told.startswith("http/1.1 408 ")
        assert "connection: close" in told

    loop.run_until_complete(story())


async def test_after_twenty_bad_signatures_a_minute_only_bad_ones_are_turned_away(
    tmp_path: Path, url: str
) -> None:
    async with a_bridge(tmp_path, database_url=url) as bridge, door(bridge) as client:
        bad = [(await send(client, NEXT)).status_code for _ in range(20)]
        told = await send(client, NEXT)
        good = [(await send(client)).status_code for _ in range(30)]
        assert 30 == kept(bridge)
    assert [401] * 20 == bad
    assert 429 == told.status_code
    assert 1 <= int(told.headers["retry-after"]) <= 60
    assert [202] * 30 == good


async def test_a_rotation_rejects_no_delivery(tmp_path: Path, url: str) -> None:
    """The bridge learns the new secret, then the sender signs with it, then the old one goes."""
    old = SECRETS["publisher"]
    answers = []
    for active, signers in ((old, [old]), (f"{old},{NEXT}", [old, NEXT] * 5), (NEXT, [NEXT])):
        secrets = {"publisher": active}
        async with (
            a_bridge(tmp_path, database_url=url, webhook_secrets=secrets) as bridge,
            door(bridge) as client,
        ):
            answers += [(await send(client, key)).status_code for key in signers]
            gone = (await send(client, old)).status_code
            assert (401 if active == NEXT else 202) == gone
    assert [202] * 12 == answers


async def test_a_full_disk_is_503_and_says_when_to_come_again(tmp_path: Path) -> None:
    async with a_bridge(tmp_path) as bridge, door(bridge) as client:

        async def room(pages: int) -> None:
            def limit(session: Session) -> None:
                used = session.execute(text("PRAGMA page_count")).scalar_one()
                session.execute(text(f"PRAGMA max_page_count = {used + pages}"))

            await bridge.store.write(limit)

        assert 202 == (await send(client)).status_code
        await room(8)
        told = [await send(client, size=8192) for _ in range(9)]
        full = [answer for answer in told if answer.status_code == 503]
        assert full
        assert {"5"} == {answer.headers["retry-after"] for answer in full}
        assert 1 + len(told) - len(full) == kept(bridge)
        await room(10_000)
        assert 202 == (await send(client, size=8192)).status_code
