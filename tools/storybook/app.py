"""The storybook as an ASGI application."""

from collections.abc import Mapping

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from starlette.middleware.base import RequestResponseEndpoint

from bridge.web.files import static
from bridge.web.guard import HEADERS
from tools.storybook.states import STATES, State


def storybook(states: Mapping[str, State] = STATES) -> FastAPI:
    """Under the same headers as the pages of a bridge."""
    app = FastAPI(openapi_url=None)
    app.include_router(static())

    @app.get("/", response_class=HTMLResponse)
    async def index() -> str:
        links = "".join(f'<li><a href="/state/{name}">{name}</a>' for name in states)
        return f"<!doctype html><title>Storybook</title><h1>Every state</h1><ul>{links}</ul>"

    @app.get("/state/{name}", response_class=HTMLResponse)
    async def one(name: str) -> str:
        return states[name].html()

    @app.middleware("http")
    async def guard(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        response.headers.update(HEADERS)
        return response

    return app
