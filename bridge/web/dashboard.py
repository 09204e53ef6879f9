"""The pages: a shape is read, its view makes HTML. They can be read without JavaScript.

Each carries a weak ETag of the database's revision, as its twin does, and of the minute, so that a
page that looks again and again costs one statement.
"""

import hashlib
from collections.abc import Callable, Sequence

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session

from bridge import __version__, meter
from bridge.bootstrap import Bridge
from bridge.columns import written
from bridge.delivery import Delivery, DeliveryState
from bridge.notice import Notice
from bridge.release import Release
from bridge.store import news, pauses
from bridge.web import acts, looking, rows, turning, views
from bridge.web.acting import person_of
from bridge.web.acts import Act, Message
from bridge.web.asked import wanted, words
from bridge.web.shapes import DeliveryRow, NoticeRow
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
        """`about` is what the page depends on beside the database, the person and the time."""
        person = person_of(request)
        whose = hashlib.sha256(f"{person.by} {person.role} {person.id}".encode()).hexdigest()[:8]
        minute = written(bridge.clock())[:16]  # it tells how long ago things were
        told = f"-{__version__}-{whose}-{minute}{about}"
        done = wanted(request).done
        asked = request.headers.get("if-none-match", "").split(",")
        seen = {one.strip().removeprefix("W/").strip('"').removesuffix(told) for one in asked}

        def framed(session: Session) -> str:
            now = bridge.clock()
            seq, flash = news.newest(session), done and acts.just_done(session, done, now)
            return draw(session, Frame(now, person=person, flash=flash or None, seq=seq))

        revision, html = await bridge.store.look(seen, framed)
        headers = {"etag": f'W/"{revision}{told}"', "cache-control": "private, no-cache"}
        if html is None:
            return Response(status_code=304, headers=headers)
        return HTMLResponse(html, headers=headers)

    @router.get("/")
    async def now(request: Request) -> Response:
        def draw(session: Session, frame: Frame) -> str:
            of_all, *of_each = (
                acts.of_line(session, name, names, frame.person, frame.now)
                for name in (None, *names)
            )
            page = looking.now(session, pipelines, frame.now)
            return views.now(frame, page, of_all, dict(zip(names, of_each, strict=True)))

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
            row = session.get(Release, identifier)
            if page is None or row is None:
                raise HTTPException(404, NOT_THERE.format(identifier=identifier))
            offered = acts.of_release(session, row, frame.person, frame.now)
            return views.release(frame, page, offered)

        return await answer(request, draw)

    @router.get("/deliveries")
    async def inbox(request: Request) -> Response:
        asked = wanted(request)

        def draw(session: Session, frame: Frame) -> str:
            told = [rows.meter(one) for one in meter.read(session)]
            page = turning.deliveries(session, asked.state, asked.turn)
            offered = _offered(session, frame, page.items, Delivery)
            return views.deliveries(frame, page, words(request), told, offered)

        return await answer(request, draw)

    @router.get("/deliveries/out")
    async def outgoing(request: Request) -> Response:
        asked = wanted(request)

        def draw(session: Session, frame: Frame) -> str:
            page = turning.notices(session, asked.state, asked.turn)
            offered = _offered(session, frame, page.items, Notice)
            return views.outgoing(frame, page, words(request), offered)

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

        return await answer(request, draw)

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


def _offered(
    session: Session,
    frame: Frame,
    items: Sequence[DeliveryRow] | Sequence[NoticeRow],
    of: type[Delivery] | type[Notice],
) -> dict[int, list[Act]]:
    """What can be done about those that wait for a person, by their number."""
    parked = [row.id for row in items if row.state is DeliveryState.PARKED]
    return {
        number: acts.of_message(session, Message(number, of), frame.person, frame.now)
        for number in parked
    }
