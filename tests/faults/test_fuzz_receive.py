"""Whatever is posted to a webhook: an answer below 500, and an end for everything that is kept."""

import asyncio
import base64
import contextlib
import logging
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session
from starlette.types import ASGIApp, Message, Scope

from bridge.delivery import Delivery, DeliveryState
from bridge.inbox import TRIES, Inbox
from bridge.store import deliveries, releases
from bridge.web.app import create_app
from tests.bridge_kit import SECRETS, a_bridge, pipeline
from tests.faults.fuzz_kit import EXAMPLES, Pairs, odd_bodies, signed

RawPairs = list[tuple[bytes, bytes]]
ANY = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
SIGNING = {
    "publisher": ("webhook-id", "webhook-timestamp", "webhook-signature"),
    "circleci": ("circleci-signature",),
    "github": ("x-hub-signature-256",),
    "heroku": ("heroku-webhook-hmac-sha256",),
}
LONGEST_SENTENCE = 200


class Door:
    """A bridge, and a way to hand it any bytes, as a server would."""

    def __init__(self, folder: Path, **fields: object) -> None:
        self.runner = asyncio.Runner()
        job = {"project": "gh/acme/model-deployment", "workflow": "regression-model"}
        self._made = a_bridge(folder, pipeline=[pipeline(circleci=job)], **fields)
        self.bridge = self.runner.run(self._made.__aenter__())
        self.app = create_app(self.bridge)
        self._senders = 0

    def ask(self, path: str, headers: RawPairs, body: bytes = b"") -> tuple[int, bytes]:
        """Status and body of the answer; every request is of another sender."""
        self._senders += 1
        sender = f"sender-{self._senders}"
        return self.runner.run(asked(self.app, "POST", path, headers, body, sender))

    def look(self, path: str) -> int:
        """The status of a page, for somebody at this machine."""
        here = [(b"host", b"127.0.0.1")]
        return self.runner.run(asked(self.app, "GET", path, here, b"", "127.0.0.1"))[0]

    def post(self, source: str, body: bytes, headers: Pairs) -> int:
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        return self.ask(f"/webhooks/{source}", raw, body)[0]

    def drain(self) -> None:
        """Let the inbox look once."""
        bridge = self.bridge
        inbox = Inbox(bridge.store, bridge.settings.pipeline, bridge.clock)
        self.runner.run(inbox.drain())

    def last(self) -> Delivery:
        def newest(session: Session) -> Delivery:
            return deliveries.newest(session, 1)[0]

        return self.bridge.store.read_now(newest)

    def close(self) -> None:
        self.runner.run(self._made.__aexit__(None, None, None))
        self.runner.close()


async def asked(
    app: ASGIApp, method: str, path: str, headers: RawPairs, body: bytes, sender: str
) -> tuple[int, bytes]:
    told: list[Message] = []
    inside: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return inside.pop() if inside else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        told.append(message)

    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "client": (sender, 1),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    return told[0]["status"], b"".join(message.get("body", b"") for message in told[1:])


@pytest.fixture
def door(tmp_path: Path, url: str) -> Iterator[Door]:
    made = Door(tmp_path, database_url=url)
    yield made
    made.close()


@pytest.mark.parametrize("source", SECRETS)
def test_whatever_is_signed_comes_to_an_end(door: Door, source: str) -> None:
    """Handled, ignored or parked at the first try, in a short sentence; and no page breaks."""
    count = 0

    @ANY
    @given(odd_bodies(source))
    def holds(body: bytes) -> None:
        nonlocal count
        count += 1
        status = door.post(source, body, signed(source, body, f"msg-{count}"))
        assert status in (200, 202, 400)
        if status == 202:
            door.drain()
            row = door.last()
            assert row.state is not DeliveryState.NEW, row.sentence
            assert (1, False) == (row.attempts, f"after {TRIES} tries" in row.sentence)
            assert len(row.sentence) <= LONGEST_SENTENCE

    holds()
    begun = door.bridge.store.read_now(lambda session: releases.newest(session, 9999))
    assert begun or source in ("github", "heroku")
    for release in begun:
        for path in (f"/releases/{release.id}", f"/api/v1/releases/{release.id}"):
            assert 200 == door.look(path), release


@st.composite
def forged(draw: st.DrawFn, source: str) -> tuple[bytes, RawPairs]:
    """A body with headers that were right before one that signs was changed, lost or doubled."""
    body = draw(odd_bodies(source))
    pairs = [(name.encode(), value.encode()) for name, value in signed(source, body)]
    which = draw(st.sampled_from(SIGNING[source])).encode()
    at = next(place for place, (name, _) in enumerate(pairs) if name == which)
    value = pairs[at][1]
    match draw(st.integers(0, 4)):
        case 0:
            pairs.pop(at)
        case 1:
            pairs.insert(draw(st.integers(0, len(pairs))), (which.title(), draw(st.binary())))
        case 2:
            where = draw(st.integers(0, len(value) - 1))
            other = draw(st.integers(0, 255).filter(lambda byte: byte != value[where]))
            pairs[at] = (which, value[:where] + bytes([other]) + value[where + 1 :])
        case 3:
            pairs[at] = (which, draw(st.binary(max_size=300)))
        case _:
            pairs[at] = (which, value * draw(st.sampled_from([2, 100, 1000])))
    noise = st.tuples(st.binary(max_size=20), st.binary(max_size=60))
    return body, pairs + draw(st.lists(noise, max_size=3))


@pytest.mark.parametrize("source", SECRETS)
def test_whatever_is_not_signed_is_401_and_leaves_nothing(tmp_path: Path, source: str) -> None:
    with contextlib.closing(Door(tmp_path)) as door:

        @ANY
        @given(forged(source))
        def holds(sent: tuple[bytes, RawPairs]) -> None:
            status, answer = door.ask(f"/webhooks/{source}", sent[1], sent[0])
            assert 401 == status
            assert SECRETS[source].encode() not in answer

        holds()
        assert [] == door.bridge.store.read_now(lambda session: deliveries.newest(session, 1))


LINES = [
    b"Heroku-Webhook-Hmac-SHA256: " + base64.b64encode(b"x" * 32),
    b"Host: bridge.test",
    b"Host: [::1",
    b"Content-Length: 2",
    b"Content-Length: 3",
    b"Content-Length: -1",
    b"Content-Length: 99999999999999999999",
    b"Content-Length: 2\r\nContent-Length: 3",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Expect: 100-continue",
    b"Connection: upgrade\r\nUpgrade: websocket",
    b"Connection: close",
    b"X-Folded: a\r\n b",
    b"X-Nul: a\0b",
    b"X-Control: \x01\x7f",
    b"X-Latin: \xff\xfe",
    b"X-Huge: HUGE",
    b"no colon at all",
    b": no name",
    b"",
]
TARGETS = [b"/webhooks/heroku", b"/webhooks/%00", b"/webhooks/\xff", b"*", b"//", b"/livez?\0", b""]
ENDS = [b"{}", b"0\r\n\r\n", b"2\r\n{}\r\n0\r\n\r\n", b"zz\r\n", b"ffffffffffffffffff\r\n", b""]
requests = st.builds(
    lambda method, target, version, host, lines, body, noise: (
        method
        + (b" " + target + b" " + version + b"\r\n")
        + b"\r\n".join([*host, *lines, b"", body, noise])
    ),
    st.sampled_from([b"POST", b"GET"]) | st.sampled_from([b"PO ST", b"post", b"PRI", b""]),
    st.just(TARGETS[0]) | st.sampled_from(TARGETS) | st.binary(max_size=12).map(b"/".__add__),
    st.sampled_from([b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/9", b""]),
    st.sampled_from([[b"Host: 127.0.0.1"], []]),
    st.lists(st.sampled_from(LINES) | st.binary(max_size=40), max_size=5),
    st.sampled_from(ENDS),
    st.binary(max_size=8),
)


@contextlib.contextmanager
def serving(app: ASGIApp) -> Iterator[int]:
    """The port of a real server; its log goes where pytest sees it."""
    config = uvicorn.Config(app, port=0, http="httptools", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def answers(port: int, raw: bytes, patience: float) -> list[int]:
    """The status of every answer to these bytes, after which the sender hangs up.

    One that is missed, because the machine was busy, is still in the server's log if it was a 500.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as line:
        told = b""
        with contextlib.suppress(OSError):
            line.sendall(raw)
            while part := line.recv(65536):
                told += part
    return [int(part[:3]) for part in told.split(b"HTTP/1.1 ")[1:]]


def test_a_real_server_answers_any_bytes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with contextlib.closing(Door(tmp_path)) as door, serving(door.app) as port:
        seen: set[int] = set()

        @settings(ANY, max_examples=EXAMPLES * 5)
        @given(requests)
        def holds(raw: bytes) -> None:
            told = answers(port, raw.replace(b"HUGE", b"x" * 70_000), patience=0.3)
            assert all(100 <= status < 500 for status in told), raw
            seen.update(told)

        holds()
        alive = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        assert [200] == answers(port, alive, patience=5)
    assert {401, 404, 405} <= seen, "the requests hardly reach the application"
    assert [] == [record for record in caplog.records if record.levelno >= logging.ERROR]
