"""Why there is no answer: for programs RFC 9457, for people a page."""

from collections.abc import Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

from bridge.errors import Unavailable
from bridge.kit.clock import Clock
from bridge.person import Person
from bridge.sentences import say
from bridge.web import views
from bridge.web.shapes import Problem, Wrong
from bridge.web.trouble import trouble
from bridge.web.views import Frame

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


def say_problems(app: FastAPI, clock: Clock | None) -> None:
    """Every refusal is a problem for programs, and a page for people; without a `clock` there are
    no pages."""

    def answer(
        request: Request, status: int, detail: str, errors: Sequence[Wrong] = ()
    ) -> Response:
        person: Person | None = getattr(request.state, "person", None)
        if clock is None or person is None or request.url.path.startswith(API):
            return problem(status, detail, errors)
        page = views.problem(Frame(clock(), person), trouble(status, detail, errors))
        return HTMLResponse(page, status)

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        response = answer(request, error.status_code, str(error.detail))
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(RequestValidationError)
    async def not_read(request: Request, error: RequestValidationError) -> Response:
        return answer(request, 422, say("page_not_read").sentence, wrongs(error))

    @app.exception_handler(Unavailable)
    async def away(request: Request, error: Unavailable) -> Response:
        return answer(request, 503, str(error))

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> Response:
        return answer(request, 500, say("page_broken").sentence)
