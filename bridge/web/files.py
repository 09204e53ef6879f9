"""The few files that every page needs, each under an address that changes with its content."""

import hashlib
from importlib.resources import files

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

KINDS = {
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
    "LICENSE": "text/plain",
}
FILES = {
    one.name: one.read_bytes()
    for one in files("bridge.web").joinpath("static").iterdir()
    if one.name.rpartition(".")[2] in KINDS
}
FOR_EVER = "public, max-age=31536000, immutable"


def _digest(name: str) -> str:
    return hashlib.sha256(FILES[name]).hexdigest()[:12]


DIGESTS = {name: _digest(name) for name in FILES}


def address(name: str) -> str:
    """Where a file is: it may be kept for ever, as another content has another address."""
    return f"/static/{name}?{DIGESTS[name]}"


def static() -> APIRouter:
    """The files."""
    router = APIRouter(include_in_schema=False)

    @router.get("/static/{name}")
    async def one(request: Request, name: str) -> Response:
        if name not in FILES:
            raise HTTPException(404, f"There is no file {name}.")
        kind = KINDS[name.rpartition(".")[2]]
        kept = FOR_EVER if request.url.query == DIGESTS[name] else "no-cache"
        return Response(FILES[name], media_type=kind, headers={"cache-control": kept})

    return router
