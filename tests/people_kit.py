"""What the tests of who may share: people with made-up tokens, and browsers and programs that
ask."""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

from bridge.bootstrap import Bridge
from bridge.store import deliveries
from bridge.web.app import create_app

ROSA, CAROL = "made-up-operator-token-of-rosa", "made-up-viewer-token-of-carol"
TOKENS = {"operator_tokens": {"rosa": ROSA}, "viewer_tokens": {"carol": CAROL}}
HERE = "http://localhost:8000"
OWN_PAGE = {"sec-fetch-site": "same-origin"}
"""What a browser says when one of our own pages sends a form."""


def carrying(token: str) -> dict[str, str]:
    """The header of a program."""
    return {"authorization": f"Bearer {token}"}


@contextlib.asynccontextmanager
async def asking(
    bridge: Bridge,
    headers: Mapping[str, str] | None = None,
    *,
    at: str = HERE,
    peer: str = "127.0.0.1",
) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody at the address `peer` who asks the bridge by the name `at`."""
    transport = httpx.ASGITransport(create_app(bridge), client=(peer, 4711))
    async with httpx.AsyncClient(transport=transport, base_url=at, headers=headers) as client:
        yield client


async def signs_in(client: httpx.AsyncClient, token: str, next_page: str = "/") -> httpx.Response:
    """As the form of the sign-in page does it."""
    form = {"token": token, "next": next_page}
    return await client.post("/sign-in", data=form, headers=OWN_PAGE)


async def acts_of(bridge: Bridge) -> list[dict[str, Any]]:
    """What people did, as it is kept."""
    kept = await bridge.store.read(lambda session: deliveries.newest(session, 9))
    return [json.loads(one.body) for one in kept if one.source == "operator"]
