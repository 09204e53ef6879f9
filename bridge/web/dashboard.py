"""The pages, readable without JavaScript."""

from importlib.resources import files
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from bridge import audit, meter
from bridge.columns import written
from bridge.delivery import DeliveryState
from bridge.kit.clock import Clock
from bridge.release import Release
from bridge.sentences import span
from bridge.store import Store, boards, deliveries, outbox, pauses, record, releases
from bridge.web.api import LAST_ID, Identifier
from bridge.web.present import ago, how_on, lead_time, mark, rail, standing_since

PAGE = 50
STYLE = files("bridge.web").joinpath("static/bridge.css").read_text()


def pages(store: Store, clock: Clock) -> APIRouter:
    """The list of releases, and one page per release."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    templates = Environment(
        loader=PackageLoader("bridge.web"), autoescape=True, undefined=StrictUndefined
    )
    templates.filters.update(written=written, mark=mark, span=span, lead_time=lead_time)

    def render(name: str, **words: object) -> HTMLResponse:
        now = clock()
        page = templates.get_template(name)
        return HTMLResponse(page.render(now=now, ago=lambda moment: ago(moment, now), **words))

    @router.get("/")
    @router.get("/releases")
    async def history(
        before: Annotated[int | None, Query(ge=1, le=LAST_ID)] = None,
    ) -> HTMLResponse:
        shown = await store.read(lambda session: releases.newest(session, PAGE + 1, before))
        more = shown[PAGE - 1].id if len(shown) > PAGE else None
        paused = await store.read(pauses.all_of_them)
        return render(
            "releases.html", releases=shown[:PAGE], before=before, more=more, pauses=paused
        )

    @router.get("/releases/{identifier}")
    async def one(identifier: Identifier) -> HTMLResponse:
        release = await store.read(lambda session: session.get(Release, identifier))
        if release is None:
            raise HTTPException(404, f"There is no release {identifier}.")
        lines = await store.read(lambda session: record.of_release(session, identifier))
        why = {"ahead": how_on(release), "standing": standing_since(release, lines)}
        return render(
            "release.html", release=release, lines=lines, rail=rail(release, lines), **why
        )

    @router.get("/deliveries")
    async def inbox(
        after: Annotated[int | None, Query(ge=1, le=LAST_ID)] = None,
        state: DeliveryState | None = None,
    ) -> HTMLResponse:
        shown = await store.read(lambda s: deliveries.newest(s, PAGE + 1, after, state))
        more = shown[PAGE - 1].id if len(shown) > PAGE else None
        meters = await store.read(meter.read)
        return render(
            "deliveries.html", deliveries=shown[:PAGE], more=more, state=state, meters=meters
        )

    @router.get("/deliveries/out")
    async def outgoing(
        after: Annotated[int | None, Query(ge=1, le=LAST_ID)] = None,
        state: DeliveryState | None = None,
    ) -> HTMLResponse:
        shown = await store.read(lambda s: outbox.newest(s, PAGE + 1, after, state))
        more = shown[PAGE - 1].id if len(shown) > PAGE else None
        return render("outgoing.html", notices=shown[:PAGE], more=more, state=state)

    @router.get("/drift")
    async def drift() -> HTMLResponse:
        return render("drift.html", boards=await store.read(boards.all_of_them))

    @router.get("/audit")
    async def chain() -> HTMLResponse:
        verdict = await store.read(lambda session: audit.verify(record.chain(session)))
        return render("audit.html", verdict=verdict)

    @router.get("/static/bridge.css")
    async def style() -> HTMLResponse:
        return HTMLResponse(STYLE, media_type="text/css", headers={"cache-control": "max-age=300"})

    return router
