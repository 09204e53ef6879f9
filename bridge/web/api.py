"""The pages' JSON twins, and what operations asks for."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, JsonValue

from bridge import __version__, audit, meter
from bridge.delivery import DeliveryState
from bridge.errors import Unavailable
from bridge.release import Release
from bridge.store import Store, boards, deliveries, outbox, pauses, record, releases
from bridge.web.present import (
    board_json,
    delivery_json,
    notice_json,
    pause_json,
    release_json,
)

LAST_ID = 2**63 - 1
Identifier = Annotated[int, Path(ge=-LAST_ID, le=LAST_ID)]


class Why(BaseModel):
    """Why there is nothing to show."""

    detail: str


class State(BaseModel):
    """Whether the bridge is ready, and if not, why."""

    status: str
    detail: str = ""


NOT_THERE: dict[int | str, dict[str, Any]] = {404: {"model": Why, "description": "No such release"}}
NOT_READY: dict[int | str, dict[str, Any]] = {503: {"model": State, "description": "Not ready"}}


def twins(store: Store) -> APIRouter:
    """Releases and the record as JSON."""
    router = APIRouter(prefix="/api/v1", tags=["releases"])

    @router.get("/releases")
    async def history(
        after: Annotated[
            int | None, Query(ge=1, le=LAST_ID, description="id of the last one seen")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, JsonValue]:
        """Releases, newest first."""
        shown = await store.read(lambda session: releases.newest(session, limit, after))
        items: list[JsonValue] = [release_json(release, []) for release in shown]
        held: list[JsonValue] = [pause_json(one) for one in await store.read(pauses.all_of_them)]
        after = shown[-1].id if len(shown) == limit else None
        return {"items": items, "after": after, "pauses": held}

    @router.get("/releases/{identifier}", responses=NOT_THERE)
    async def one(identifier: Identifier) -> dict[str, JsonValue]:
        """One release with all its lines."""
        release = await store.read(lambda session: session.get(Release, identifier))
        if release is None:
            raise HTTPException(404, f"There is no release {identifier}.")
        lines = await store.read(lambda session: record.of_release(session, identifier))
        return release_json(release, lines)

    @router.get("/deliveries")
    async def inbox(
        after: Annotated[int | None, Query(ge=1, le=LAST_ID)] = None,
        state: DeliveryState | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, JsonValue]:
        """Deliveries, newest first, without their bodies; how many came, and how many never did."""
        shown = await store.read(lambda s: deliveries.newest(s, limit, after, state))
        items: list[JsonValue] = [delivery_json(delivery) for delivery in shown]
        told: list[JsonValue] = [one.as_json() for one in await store.read(meter.read)]
        after = shown[-1].id if len(shown) == limit else None
        return {"items": items, "after": after, "meter": told}

    @router.get("/deliveries/out")
    async def outgoing(
        after: Annotated[int | None, Query(ge=1, le=LAST_ID)] = None,
        state: DeliveryState | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, JsonValue]:
        """What the bridge tells others, newest first, and what became of it."""
        shown = await store.read(lambda s: outbox.newest(s, limit, after, state))
        items: list[JsonValue] = [notice_json(notice) for notice in shown]
        return {"items": items, "after": shown[-1].id if len(shown) == limit else None}

    @router.get("/drift")
    async def drift() -> dict[str, JsonValue]:
        """What index, branch, Heroku and API have, and whether the gaps are meant."""
        items: list[JsonValue] = [board_json(one) for one in await store.read(boards.all_of_them)]
        return {"items": items}

    @router.get("/audit")
    async def chain() -> dict[str, JsonValue]:
        """Whether the chain of audit lines is whole."""
        verdict = await store.read(lambda session: audit.verify(record.chain(session)))
        return {
            "holds": verdict.holds,
            "lines": verdict.lines,
            "head": verdict.head,
            "bad_seq": verdict.bad_seq,
            "problem": verdict.problem,
        }

    return router


def operations(store: Store, works: Callable[[], bool]) -> APIRouter:
    """Alive, ready, and which version."""
    router = APIRouter(tags=["operations"])

    @router.get("/livez")
    async def alive() -> dict[str, str]:
        """The process answers."""
        return {"status": "alive"}

    @router.get("/readyz", responses=NOT_READY, response_model=State)
    @router.get("/healthz", responses=NOT_READY, response_model=State)
    async def ready() -> JSONResponse:
        """The database takes writes and the worker works; no neighbour is asked."""
        try:
            await store.write(lambda session: record.head(session))
        except Unavailable as error:
            return JSONResponse({"status": "not ready", "detail": str(error)}, 503)
        if not works():
            return JSONResponse({"status": "not ready", "detail": "the worker stands still"}, 503)
        return JSONResponse({"status": "ready"})

    @router.get("/version")
    async def version() -> dict[str, str]:
        """This bridge's version."""
        return {"version": __version__}

    return router
