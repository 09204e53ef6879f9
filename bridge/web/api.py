"""What operations asks for."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from bridge import __version__
from bridge.errors import Unavailable
from bridge.store import Store, record


class State(BaseModel):
    """Whether the bridge is ready, and if not, why."""

    status: str
    detail: str = ""


NOT_READY: dict[int | str, dict[str, Any]] = {503: {"model": State, "description": "Not ready"}}


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
