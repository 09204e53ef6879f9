"""`POST /webhooks/{source}`: cap, deadline, verify, one write, answer. Everything else is later.

Bare ASGI, beside the framework of the pages: nothing stands between the server and this.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.errors import Forged, Malformed, Unavailable
from bridge.kit.clock import Clock
from bridge.kit.signature import Headers, optional
from bridge.sources import SOURCES, Source
from bridge.store import Store, deliveries
from bridge.web.suspects import Suspects

log = structlog.get_logger()
WEBHOOKS = "/webhooks/"
BODY_CAP = 1 << 20
DEADLINE = 10.0
BUSY_FOR = 5
ALWAYS = ((b"content-type", b"application/json"), (b"x-content-type-options", b"nosniff"))
CLOSE = {"connection": "close"}


class TooLarge(Exception):
    """The body is over the cap."""


class HungUp(Exception):
    """The sender left before the body was whole."""


def receiver(
    store: Store, keys: Mapping[str, Sequence[bytes]], clock: Clock, ring: Callable[[], None]
) -> ASGIApp:
    """Keeps what is signed and nothing else. A source without a key is 404."""
    suspects = Suspects()

    async def receive(scope: Scope, receive: Receive, send: Send) -> None:
        name = scope["path"].removeprefix(WEBHOOKS)
        source, active = SOURCES.get(name), keys.get(name)
        if scope["method"] != "POST":
            return await _say(send, 405, "wrong method", "Only POST.", {"allow": "POST"})
        if source is None or not active:
            return await _say(send, 404, "off", "No secret is configured for this source.")
        try:
            body = await _in_time(_body(scope, receive))
        except TooLarge:
            told = f"The body is over {BODY_CAP >> 20} MiB."
            return await _say(send, 413, "too large", told, CLOSE)
        except (TimeoutError, HungUp):
            told = f"The body took longer than {DEADLINE:.0f} seconds."
            return await _say(send, 408, "too slow", told, CLOSE)
        headers = [
            (key.decode("latin-1"), text.decode("latin-1")) for key, text in scope["headers"]
        ]
        try:
            told_by = _verified(name, source, headers, body, active, clock)
        except Forged as error:
            return await _doubt(send, suspects, scope, name, error)
        except Malformed as error:
            return await _say(send, 400, "malformed", f"Signed, but {error}.")
        try:
            kept = await store.write_together(deliveries.keep, told_by)
        except Unavailable as error:
            log.error("not kept", source=name, why=str(error))
            busy = {"retry-after": str(BUSY_FOR)}
            return await _say(send, 503, "busy", "Nothing was kept; send it again.", busy)
        ring()
        if not kept.is_new:
            return await _say(send, 200, "duplicate", f"Delivery {kept.id} has this already.")
        return await _answer(send, 202, b'{"status": "stored", "detail": "Delivery %d."}' % kept.id)

    return receive


def _verified(
    name: str, source: Source, headers: Headers, body: bytes, keys: Sequence[bytes], clock: Clock
) -> deliveries.Told:
    """What was told, once its signature holds; raises Forged or Malformed."""
    now = clock()
    source.verify(headers, body, keys, now)
    identifier = source.identify(headers, body)
    event = optional(headers, source.event_header or "") or ""
    if not (identifier + event).isprintable():
        raise Malformed("its id or its event is no text")  # PostgreSQL has no word for NUL
    return {
        "source": name,
        "delivery_id": identifier,
        "sha256": hashlib.sha256(body).hexdigest(),
        "event": event,
        "body": body,
        "received_at": now,
    }


async def _in_time(body: Awaitable[bytes]) -> bytes:
    """What `asyncio.timeout` does, for a third of its cost; raises TimeoutError."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine runs in a task
    deadline = loop.call_later(DEADLINE, task.cancel)
    try:
        return await body
    except asyncio.CancelledError:
        if loop.time() < deadline.when() or task.uncancel():
            raise
        raise TimeoutError from None
    finally:
        deadline.cancel()


async def _body(scope: Scope, receive: Receive) -> bytes:
    """The whole body; raises TooLarge as soon as that is known, and reads no further."""
    announced = next((text for key, text in scope["headers"] if key == b"content-length"), b"0")
    if len(announced) > 9 or (announced.isdigit() and int(announced) > BODY_CAP):
        raise TooLarge
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HungUp
        chunk = message.get("body", b"")
        chunks.append(chunk)
        size += len(chunk)
        if size > BODY_CAP:
            raise TooLarge
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _doubt(send: Send, suspects: Suspects, scope: Scope, source: str, why: Forged) -> None:
    """Not signed. Who does that too often is told so, and not written down each time."""
    address = (scope.get("client") or ("",))[0]
    wait = suspects.wait(address)
    if wait is not None:
        later = {"retry-after": str(wait)}
        return await _say(send, 429, "too often", "Too many signatures that do not hold.", later)
    log.warning("forged", source=source, why=str(why), address=address)
    return await _say(send, 401, "unsigned", "The signature does not hold.")


async def _say(
    send: Send,
    status: int,
    verdict: str,
    detail: str,
    extra: Mapping[str, str] | None = None,
) -> None:
    body = json.dumps({"status": verdict, "detail": detail}).encode()
    await _answer(send, status, body, extra)


async def _answer(
    send: Send, status: int, body: bytes, extra: Mapping[str, str] | None = None
) -> None:
    headers = [*ALWAYS, (b"content-length", b"%d" % len(body))]
    headers += [(key.encode(), text.encode()) for key, text in (extra or {}).items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
