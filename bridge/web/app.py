"""The web side of a bridge: what receives, what shows, what operations asks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from starlette.middleware.sessions import SessionMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from bridge import __version__
from bridge.bell import Bell
from bridge.bootstrap import Bridge
from bridge.kit.http import Door
from bridge.web.acting import Hand, buttons, programs
from bridge.web.api import operations
from bridge.web.dashboard import pages
from bridge.web.events import events
from bridge.web.files import static
from bridge.web.guard import SIGN_IN, Guard, Sealed
from bridge.web.people.door import door
from bridge.web.people.github import AtGitHub
from bridge.web.people.session import LASTS
from bridge.web.problems import say_problems
from bridge.web.receive import WEBHOOKS, receiver
from bridge.web.suspects import Suspects
from bridge.web.twins import twins

LARGEST_BODY = 64 << 10


async def closed(identifier: int) -> PlainTextResponse:
    """A pull request links to its release's page; say why it is not shown here."""
    return PlainTextResponse(
        "This bridge shows no pages here (web.pages is false).\n"
        f"On its machine: `bridge releases`, and release {identifier} by `bridge show`.\n",
        403,
    )


def create_app(bridge: Bridge, *, with_pages: bool = True, bell: Bell | None = None) -> ASGIApp:
    """The ASGI application: what receives, and beside it the rest. It works while it is served.

    Without `with_pages` it only receives and answers operations. With them, `settings.web` says who
    is let in; nothing set means this machine's own people only. Who closes the `bell` lets go of
    everybody that watches.
    """
    hooks = receiver(bridge.store, bridge.keys(), bridge.clock, lambda: bridge.worker.heard())
    proxy, suspects = bridge.settings.web.proxy, Suspects()
    proxies = [f"{network}" for network in proxy.trusted] if proxy else "127.0.0.1"
    # Only for the address that a bad signature is counted for: who asks is judged by the real one.
    behind = cast(ASGIApp, ProxyHeadersMiddleware(cast(Any, hooks), proxies))
    bell = bell or Bell(bridge.store)
    app = application(bridge, suspects, bell, with_pages=with_pages)
    sealed = Sealed(_guarded(app, bridge, suspects) if with_pages else app)

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        is_hook = scope["type"] == "http" and scope["path"].startswith(WEBHOOKS)
        await (behind if is_hook else sealed)(scope, receive, send)

    return front


def application(
    bridge: Bridge, suspects: Suspects, bell: Bell, *, with_pages: bool = True
) -> FastAPI:
    """Everything but the webhooks, without its guard."""
    github = _at_github(bridge) if with_pages else None

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
        max_body_size=LARGEST_BODY,
        redirect_slashes=False,
    )
    app.include_router(operations(bridge.store, bridge.works))
    say_problems(app, bridge.clock if with_pages else None)
    if not with_pages:
        app.add_api_route("/releases/{identifier}", closed, include_in_schema=False)
    if with_pages:
        app.include_router(twins(bridge))
        app.include_router(events(bell))
        app.include_router(static())
        app.include_router(pages(bridge))
        known = [pipeline.name for pipeline in bridge.settings.pipeline]
        hand = Hand(bridge.store, bridge.clock, lambda: bridge.worker.heard())
        app.include_router(programs(hand, known))
        app.include_router(buttons(hand, known))
        web = bridge.settings.web
        app.include_router(door(web, bridge.store, bridge.clock, github, suspects))
    return app


def _guarded(app: ASGIApp, bridge: Bridge, suspects: Suspects) -> ASGIApp:
    """Behind the guard, which knows the session."""
    settings = bridge.settings
    guard = Guard(
        app,
        web=settings.web,
        store=bridge.store,
        clock=bridge.clock,
        public_url=settings.public_url,
        suspects=suspects,
    )
    is_https = settings.public_url.startswith("https://")
    return SessionMiddleware(
        guard,
        settings.web.key(),
        session_cookie="__Host-bridge" if is_https else "bridge",
        max_age=int(LASTS.total_seconds()),
        https_only=is_https,
    )


def _at_github(bridge: Bridge) -> AtGitHub | None:
    """The way to GitHub, where people sign in there."""
    settings = bridge.settings
    if settings.web.github is None:
        return None
    url, back = settings.github.url, f"{settings.public_url.rstrip('/')}{SIGN_IN}/github/back"

    def way() -> Door:
        return Door(
            "GitHub",
            url,
            clock=bridge.clock,
            secrets=settings.secrets(),
            private_hosts=settings.private_hosts,
        )

    return AtGitHub(settings.web.github, way, url, back)
