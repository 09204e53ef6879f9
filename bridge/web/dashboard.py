"""The pages: a shape is read, its view makes HTML. They can be read without JavaScript.

Each carries a weak ETag of the database's revision, as its twin does, so that a page that looks
again and again costs one statement.
"""

from collections.abc import Callable

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session

from bridge import __version__, meter
from bridge.bootstrap import Bridge
from bridge.store import news, pauses
from bridge.web import looking, rows, turning, views
from bridge.web.asked import wanted, words
from bridge.web.twins import NOT_THERE, Identifier
from bridge.web.views import Frame

Draw = Callable[[Session, Frame], str]
"""Reads what a page shows and draws it; off the event loop, which has webhooks to answer."""


def pages(bridge: Bridge) -> APIRouter:
    """Every page."""
    router = APIRouter(include_in_schema=False)
    pipelines = bridge.settings.pipeline
    names = [pipeline.name for pipeline in pipelines]

    async def answer(request: Request, draw: Draw, about: str = "") -> Response:
        """`about` is what the page depends on beside the database, as the day."""
        told = f"-{__version__}{about}"
        asked = request.headers.get("if-none-match", "").split(",")
        seen = {one.strip().removeprefix("W/").strip('"').removesuffix(told) for one in asked}
        revision, html = await bridge.store.look(
            seen, lambda s: draw(s, Frame(bridge.clock(), seq=news.newest(s)))
        )
        headers = {"etag": f'W/"{revision}{told}"', "cache-control": "private, no-cache"}
        if html is None:
            return Response(status_code=304, headers=headers)
        return HTMLResponse(html, headers=headers)

    @router.get("/")
    async def now(request: Request) -> Response:
        def draw(session: Session, frame: Frame) -> str:
            return views.now(frame, looking.now(session, pipelines, frame.now))

        return await answer(request, draw)

    @router.get("/releases")
    async def history(request: Request) -> Response:
        asked = wanted(request)
        filters = asked.filters("pipeline", "stage", "actor", "version")

        def draw(session: Session, frame: Frame) -> str:
            held = [rows.pause(one) for one in pauses.all_of_them(session)]
            page = turning.release_rows(session, filters, asked.turn)
            return views.releases(frame, page, words(request), names, held)

        return await answer(request, draw)

    @router.get("/releases/{identifier}")
    async def one(request: Request, identifier: Identifier) -> Response:
        def draw(session: Session, frame: Frame) -> str:
            page = turning.release(session, identifier, pipelines)
            if page is None:
                raise HTTPException(404, NOT_THERE.format(identifier=identifier))
            return views.release(frame, page)

        return await answer(request, draw)

    @router.get("/deliveries")
    async def inbox(request: Request) -> Response:
        asked = wanted(request)

        def draw(session: Session, frame: Frame) -> str:
            told = [rows.meter(one) for one in meter.read(session)]
            page = turning.deliveries(session, asked.state, asked.turn)
            return views.deliveries(frame, page, words(request), told)

        return await answer(request, draw)

    @router.get("/deliveries/out")
    async def outgoing(request: Request) -> Response:
        asked = wanted(request)

        def draw(session: Session, frame: Frame) -> str:
            page = turning.notices(session, asked.state, asked.turn)
            return views.outgoing(frame, page, words(request))

        return await answer(request, draw)

    @router.get("/drift")
    async def drift(request: Request) -> Response:
        return await answer(request, lambda s, frame: views.drift(frame, turning.boards(s)))

    @router.get("/metrics-board")
    async def numbers(request: Request) -> Response:
        asked, today = wanted(request), bridge.clock().date()

        def draw(session: Session, frame: Frame) -> str:
            page = turning.numbers(session, asked.days, asked.pipeline, today)
            return views.numbers(frame, page, names)

        return await answer(request, draw, f"-{today}")

    @router.get("/audit")
    async def record(request: Request) -> Response:
        asked = wanted(request)

        def draw(session: Session, frame: Frame) -> str:
            page = turning.audit(
                session,
                watchman=bridge.watchman,
                pipelines=names,
                asked=asked.filters("actor", "code", "kind", "version", "release"),
                turn=asked.turn,
                at=asked.at,
            )
            return views.audit(frame, page, words(request))

        return await answer(request, draw, f"-{bridge.watchman.verdict.lines}")

    return router
