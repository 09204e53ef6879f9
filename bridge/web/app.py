"""The web side of a bridge: what receives, what shows, what operations asks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge import __version__
from bridge.bell import Bell
from bridge.bootstrap import Bridge
from bridge.web.api import operations
from bridge.web.dashboard import pages
from bridge.web.events import events
from bridge.web.files import static
from bridge.web.problems import say_problems
from bridge.web.receive import WEBHOOKS, receiver
from bridge.web.twins import twins

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


async def closed(identifier: int) -> PlainTextResponse:
    """A pull request links to its release's page; say why it is not shown here."""
    return PlainTextResponse(
        "Pages are only shown on the machine that the bridge runs on, as nobody can sign in yet.\n"
        f"There: `bridge releases`, or the page /releases/{identifier}.\n",
        403,
    )


def create_app(bridge: Bridge, *, with_pages: bool = True, bell: Bell | None = None) -> ASGIApp:
    """The ASGI application: what receives, and beside it the rest. It works while it is served.

    Without `with_pages` it only receives and answers operations: nobody can sign in yet, so
    nothing is shown beyond this machine. Who closes the `bell` lets go of everybody that watches.
    """
    bell = bell or Bell(bridge.store)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with bridge.running():
            yield

    app = FastAPI(
        title="Bridge",
        version=__version__,
        lifespan=lifespan,
        openapi_url="/api/v1/openapi.json" if with_pages else None,
        docs_url=None,
        redoc_url=None,
    )
    hooks = receiver(bridge.store, bridge.keys(), bridge.clock, lambda: bridge.worker.heard())
    app.include_router(operations(bridge.store, bridge.works))
    say_problems(app, bridge.clock if with_pages else None)
    if not with_pages:
        app.add_api_route("/releases/{identifier}", closed, include_in_schema=False)
    if with_pages:
        app.include_router(twins(bridge))
        app.include_router(events(bell))
        app.include_router(static())
        app.include_router(pages(bridge))

    async def guard(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        response.headers.update(HEADERS)
        return response

    app.add_middleware(BaseHTTPMiddleware, dispatch=guard)

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        is_hook = scope["type"] == "http" and scope["path"].startswith(WEBHOOKS)
        await (hooks if is_hook else app)(scope, receive, send)

    return front
