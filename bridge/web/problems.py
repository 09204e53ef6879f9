"""Why there is no answer, for programs: RFC 9457."""

from collections.abc import Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exception_handlers import (
    http_exception_handler,
    request_validation_exception_handler,
)
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from bridge.errors import Unavailable
from bridge.web.shapes import Problem, Wrong

API = "/api/"
MEDIA_TYPE = "application/problem+json"


def problem(status: int, detail: str = "", errors: Sequence[Wrong] = ()) -> Response:
    """A problem as it is sent."""
    title = HTTPStatus(status).phrase
    told = Problem(
        title=title,
        status=status,
        detail=detail if detail != title else "",
        errors=list(errors),
    )
    return Response(told.model_dump_json(), status, media_type=MEDIA_TYPE)


def wrongs(error: RequestValidationError) -> list[Wrong]:
    """What is wrong with which parameter; never its value."""
    return [
        Wrong(name=".".join(str(part) for part in one["loc"][1:]), problem=one["msg"])
        for one in error.errors()
    ]


def say_problems(app: FastAPI) -> None:
    """Under /api every refusal is a problem; elsewhere nothing changes."""

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        if not request.url.path.startswith(API):
            return await http_exception_handler(request, error)
        response = problem(error.status_code, str(error.detail))
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(RequestValidationError)
    async def not_read(request: Request, error: RequestValidationError) -> Response:
        if not request.url.path.startswith(API):
            return await request_validation_exception_handler(request, error)
        return problem(422, "What was asked for cannot be read.", wrongs(error))

    @app.exception_handler(Unavailable)
    async def away(request: Request, error: Unavailable) -> Response:
        return problem(503, str(error))
