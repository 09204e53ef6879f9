"""`POST /webhooks/{source}`: cap, deadline, verify, one write, answer. Everything else is later."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bridge.delivery import Delivery
from bridge.errors import Forged, Malformed, Unavailable
from bridge.kit.clock import Clock
from bridge.kit.signature import optional
from bridge.sources import SOURCES
from bridge.store import Store, deliveries

log = structlog.get_logger()
BODY_CAP = 1 << 20
DEADLINE = 10.0


class TooLarge(Exception):
    """The body is over the cap."""


def receiver(
    store: Store, keys: Mapping[str, Sequence[bytes]], clock: Clock, ring: Callable[[], None]
) -> Route:
    """The route that keeps what is signed and nothing else. A source without a key is 404."""

    async def receive(request: Request) -> Response:
        name = request.path_params["source"]
        source, active = SOURCES.get(name), keys.get(name)
        if source is None or not active:
            return _say(404, "off", "No secret is configured for this source.")
        try:
            async with asyncio.timeout(DEADLINE):
                body = await _body(request)
        except TooLarge:
            return _say(413, "too large", f"The body is over {BODY_CAP >> 20} MiB.")
        except (TimeoutError, ClientDisconnect):
            return _say(408, "too slow", f"The body took longer than {DEADLINE:.0f} seconds.")
        headers, now = request.headers.items(), clock()
        try:
            source.verify(headers, body, active, now)
            identifier = source.identify(headers, body)
        except Forged as error:
            log.warning("forged", source=name, why=str(error))
            return _say(401, "unsigned", "The signature does not hold.")
        except Malformed as error:
            return _say(400, "malformed", f"Signed, but {error}.")
        delivery = Delivery(
            source=name,
            delivery_id=identifier,
            sha256=hashlib.sha256(body).hexdigest(),
            event=optional(headers, source.event_header or "") or "",
            body=body,
            received_at=now,
            due_at=now,
        )
        try:
            kept = await store.write(lambda session: deliveries.keep(session, delivery))
        except Unavailable as error:
            log.error("not kept", source=name, why=str(error))
            return _say(503, "busy", "Nothing was kept; send it again.", {"retry-after": "5"})
        ring()
        if not kept.is_new:
            return _say(200, "duplicate", f"Delivery {kept.id} has this already.")
        return _say(202, "stored", f"Delivery {kept.id}.")

    return Route("/webhooks/{source}", receive, methods=["POST"])


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_CAP:
            raise TooLarge
    return bytes(body)


def _say(
    status: int, verdict: str, detail: str, headers: Mapping[str, str] | None = None
) -> Response:
    content = {"status": verdict, "detail": detail}
    return JSONResponse(
        content,
        status,
        {"connection": "close", **(headers or {})} if status in (408, 413) else headers,
    )
