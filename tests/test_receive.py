"""`POST /webhooks/{source}`: what is kept, what is not, and what the sender learns."""

import asyncio
import hmac
import json
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlmodel import Session
from starlette.types import ASGIApp, Message, Scope

import bridge.publisher.webhook as publisher
from bridge.bootstrap import Bridge
from bridge.delivery import Delivery
from bridge.store import deliveries
from bridge.web.app import create_app
from bridge.web.receive import BODY_CAP, DEADLINE
from tests.bridge_kit import NOW, SECRETS, a_bridge
from tests.rehearsal_kit import Skipping

Pairs = list[tuple[str, str]]
BODY = json.dumps({"type": "model.published", "n": 1}).encode()


def signed(body: bytes, identifier: str = "msg-1", key: str = SECRETS["publisher"]) -> Pairs:
    return list(publisher.sign(publisher.key_of(key), identifier, NOW, body).items())


@pytest.fixture
async def bridge(tmp_path: Path, url: str) -> AsyncIterator[Bridge]:
    async with a_bridge(tmp_path, database_url=url) as made:
        yield made


@pytest.fixture
async def on_file(tmp_path: Path) -> AsyncIterator[Bridge]:
    async with a_bridge(tmp_path) as made:
        yield made


async def post(
    bridge: Bridge,
    body: bytes | AsyncIterator[bytes] = BODY,
    headers: Pairs | None = None,
    source: str = "publisher",
) -> httpx.Response:
    transport = httpx.ASGITransport(create_app(bridge))
    async with httpx.AsyncClient(transport=transport, base_url="http://bridge.test") as client:
        pairs = signed(BODY) if headers is None else headers
        return await client.post(f"/webhooks/{source}", content=body, headers=pairs)


def kept(bridge: Bridge) -> list[Delivery]:
    return list(bridge.store.read_now(lambda session: deliveries.newest(session, 99)))


async def test_what_is_signed_is_kept_raw_before_the_answer(bridge: Bridge) -> None:
    answer = await post(bridge)
    assert (202, "stored") == (answer.status_code, answer.json()["status"])
    (row,) = kept(bridge)
    assert ("publisher", "msg-1", BODY) == (row.source, row.delivery_id, row.body)
    assert (NOW, NOW, 0) == (row.received_at, row.due_at, row.attempts)


async def test_the_same_again_is_a_duplicate(bridge: Bridge) -> None:
    assert 202 == (await post(bridge)).status_code
    answer = await post(bridge)
    assert (200, "duplicate") == (answer.status_code, answer.json()["status"])
    again = await post(bridge, headers=signed(BODY, "msg-2"))
    assert 200 == again.status_code, "another id, the same body"
    assert 1 == len(kept(bridge))


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("webhook-id", "msg-1")],
        signed(b"another body"),
        signed(BODY, key="whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
        [*signed(BODY), ("webhook-signature", "v1,AAAA")],
        [*signed(BODY), ("Webhook-Id", "msg-1")],
        [*signed(BODY), ("WEBHOOK-TIMESTAMP", str(int(NOW.timestamp())))],
    ],
)
async def test_what_is_not_signed_leaves_nothing(bridge: Bridge, headers: Pairs) -> None:
    answer = await post(bridge, headers=headers)
    assert (401, "unsigned") == (answer.status_code, answer.json()["status"])
    assert "secret" not in answer.text
    assert [] == kept(bridge)


@pytest.mark.parametrize("source", ["gitlab", "operator", "publisher/x", "", "Publisher"])
async def test_who_is_not_on_the_list_does_not_exist(bridge: Bridge, source: str) -> None:
    assert 404 == (await post(bridge, source=source)).status_code


async def test_without_a_secret_a_source_does_not_exist(tmp_path: Path) -> None:
    async with a_bridge(tmp_path, webhook_secrets={}) as bridge:
        for source in SECRETS:
            assert 404 == (await post(bridge, source=source)).status_code


async def test_other_methods_are_not_answered(bridge: Bridge) -> None:
    transport = httpx.ASGITransport(create_app(bridge))
    async with httpx.AsyncClient(transport=transport, base_url="http://bridge.test") as client:
        for method in ("GET", "PUT", "DELETE"):
            assert 405 == (await client.request(method, "/webhooks/publisher")).status_code


@pytest.mark.parametrize("body", [b"", b"hello", b"[]", b'{"a": 1, "a": 2}', b'{"a": NaN}'])
async def test_signed_nonsense_is_malformed(bridge: Bridge, body: bytes) -> None:
    answer = await post(bridge, body, signed(body))
    assert (400, "malformed") == (answer.status_code, answer.json()["status"])
    assert [] == kept(bridge)


async def test_a_body_at_the_cap_is_kept_and_one_byte_more_is_not(bridge: Bridge) -> None:
    frame = len(b'{"type": ""}')
    for extra, status in ((0, 202), (1, 413)):
        body = b'{"type": "' + b"x" * (BODY_CAP - frame + extra) + b'"}'
        assert status == (await post(bridge, body, signed(body))).status_code
    assert 1 == len(kept(bridge))


async def test_a_body_without_end_is_not_read_on(bridge: Bridge) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b"x" * (BODY_CAP // 4)

    answer = await raw(create_app(bridge), endless())
    assert 413 == answer["status"]
    assert (b"connection", b"close") in answer["headers"]
    assert 5 == sent


async def raw(app: ASGIApp, chunks: AsyncIterator[bytes], hangs_up: bool = False) -> Message:
    """The first message of the answer to a body that comes in chunks, as a server hands it over."""
    told: list[Message] = []

    async def receive() -> Message:
        async for chunk in chunks:
            return {"type": "http.request", "body": chunk, "more_body": True}
        if hangs_up:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        told.append(message)

    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/webhooks/publisher",
        "raw_path": b"/webhooks/publisher",
        "query_string": b"",
        "headers": [],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    return told[0]


@pytest.fixture
def loop() -> Iterator[Skipping]:
    made = Skipping()
    yield made
    made.run_until_complete(made.shutdown_asyncgens())
    made.run_until_complete(made.shutdown_default_executor())
    made.close()


def test_a_body_that_takes_too_long_is_not_waited_for(tmp_path: Path, loop: Skipping) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        loop.skipped += DEADLINE + 1
        for _ in range(9):
            await asyncio.sleep(0)
        yield b"}"

    async def story() -> None:
        async with a_bridge(tmp_path) as bridge:
            answer = await raw(create_app(bridge), slow())
            assert [] == kept(bridge)
            assert 408 == answer["status"]
            assert (b"connection", b"close") in answer["headers"]

    loop.run_until_complete(story())


async def test_a_sender_that_hangs_up_leaves_nothing(bridge: Bridge) -> None:
    async def half() -> AsyncIterator[bytes]:
        yield BODY[:5]

    assert 408 == (await raw(create_app(bridge), half(), hangs_up=True))["status"]
    assert [] == kept(bridge)


async def test_a_full_disk_asks_the_sender_to_come_again(on_file: Bridge) -> None:
    def fill(session: Session) -> None:
        pages = session.execute(text("PRAGMA page_count")).scalar_one()
        session.execute(text(f"PRAGMA max_page_count = {pages}"))

    await on_file.store.write(fill)
    body = b'{"type": "' + b"x" * 200_000 + b'"}'
    answer = await post(on_file, body, signed(body))
    assert (503, "5") == (answer.status_code, answer.headers.get("retry-after"))


async def test_a_locked_database_asks_the_sender_to_come_again(
    bridge: Bridge, tmp_path: Path, url: str
) -> None:
    impatient = "SET lock_timeout = 1" if bridge.store.is_shared else "PRAGMA busy_timeout = 1"
    async with a_bridge(tmp_path, database_url=url) as another:
        await bridge.store.write(lambda session: session.execute(text(impatient)))
        locked = asyncio.Event()
        loop, release = asyncio.get_running_loop(), threading.Event()

        def hold(session: Session) -> None:
            loop.call_soon_threadsafe(locked.set)
            assert release.wait(5)

        holding = asyncio.create_task(another.store.write(hold))
        await locked.wait()
        answer = await post(bridge)
        release.set()
        await holding
    assert (503, "busy") == (answer.status_code, answer.json()["status"])
    assert 202 == (await post(bridge)).status_code


async def test_an_id_that_cannot_be_written_down_is_no_crash(bridge: Bridge) -> None:
    body = b'{"id": "\\ud800"}'
    made = hmac.digest(SECRETS["circleci"].encode(), body, "sha256").hex()
    answer = await post(bridge, body, [("circleci-signature", f"v1={made}")], "circleci")
    assert answer.status_code in (202, 400)


@pytest.mark.parametrize("character", ["\0", "\x1b"])
async def test_what_is_no_text_is_refused_in_an_id_and_in_an_event(
    bridge: Bridge, character: str
) -> None:
    assert (await post(bridge, headers=signed(BODY, f"msg{character}"))).status_code in (400, 401)
    made = hmac.digest(SECRETS["github"].encode(), BODY, "sha256").hex()
    signature = ("X-Hub-Signature-256", f"sha256={made}")
    for identifier, event in (("a", f"ping{character}"), (f"a{character}", "ping")):
        headers = [signature, ("X-GitHub-Delivery", identifier), ("X-GitHub-Event", event)]
        answer = await post(bridge, BODY, headers, "github")
        assert answer.status_code in (400, 401)
    assert [] == kept(bridge)


async def test_the_label_of_a_delivery_is_the_senders(bridge: Bridge) -> None:
    body = b'{"zen": "Keep it logically awesome."}'
    made = hmac.digest(SECRETS["github"].encode(), body, "sha256").hex()
    headers = [
        ("X-Hub-Signature-256", f"sha256={made}"),
        ("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
        ("X-GitHub-Event", "ping"),
    ]
    assert 202 == (await post(bridge, body, headers, "github")).status_code
    assert "ping" == kept(bridge)[0].event


async def test_many_at_once_share_a_write_and_each_is_told_its_own(bridge: Bridge) -> None:
    bodies = [json.dumps({"n": number}).encode() for number in range(40)]
    answers = await asyncio.gather(
        *(post(bridge, body, signed(body, f"id-{body.decode()[6:-1]}")) for body in bodies * 2)
    )
    assert 40 == len(kept(bridge))
    assert [200] * 40 + [202] * 40 == sorted(answer.status_code for answer in answers)
