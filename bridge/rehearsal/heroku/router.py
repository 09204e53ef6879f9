"""The one stable address of the app: passes each request to the dyno of the moment.

Heroku's router answers for an app that does not: 503 and an error page (H10 crashed, H20 boot,
H12 too slow). See https://devcenter.heroku.com/articles/error-codes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from bridge.rehearsal.heroku import Heroku

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
# Of one connection, not of the message (RFC 9110, 7.6.1); the length is said anew.
OF_THE_CONNECTION = {"connection", "host", "keep-alive", "te", "trailer", "upgrade"} | {
    "transfer-encoding",
    "content-length",
}
FIRST_BYTE_WITHIN = httpx.Timeout(30)
ERROR_PAGE = """<!DOCTYPE html>
<html><head><title>Application Error</title></head><body><h1>Application error</h1>
<p>An error occurred in the application and your page could not be served.</p></body></html>
"""


def application(heroku: Heroku) -> Starlette:
    """The router; it asks `heroku.dynos` anew for every request."""

    async def forward(request: Request) -> Response:
        dyno, said_by = heroku.dynos.pick(request.url.path)
        if dyno is None:
            return HTMLResponse(ERROR_PAGE, 503)
        client = dyno.client
        asked = client.build_request(
            request.method,
            httpx.URL(path=request.url.path, query=request.url.query.encode()),
            headers=_passed_on(request),
            content=await request.body(),
            timeout=FIRST_BYTE_WITHIN,
        )
        try:
            answer = await client.send(asked, stream=True)
        except httpx.TransportError:
            return HTMLResponse(ERROR_PAGE, 503)
        if said_by:
            told = json.loads(await answer.aread())
            health = (await said_by.client.get("/api/v1/health")).json()
            return JSONResponse({**told, "version": health["model_version"]})
        response = StreamingResponse(
            answer.aiter_raw(), answer.status_code, background=BackgroundTask(answer.aclose)
        )
        response.raw_headers = [
            (key, value)
            for key, value in answer.headers.raw
            if key.lower().decode() not in OF_THE_CONNECTION - {"content-length"}
        ]
        return response

    return Starlette(routes=[Route("/{path:path}", forward, methods=METHODS)])


def _passed_on(request: Request) -> dict[str, str]:
    asked = {key: value for key, value in request.headers.items() if key not in OF_THE_CONNECTION}
    # Unsaid, our own client would accept gzip in the name of a caller who may not.
    return {"accept-encoding": "identity", "via": "1.1 heroku-router"} | asked
