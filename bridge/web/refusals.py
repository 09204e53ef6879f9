"""How the bridge says no: a page for people, problem details (RFC 9457) for programs."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi.responses import HTMLResponse, JSONResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import Response

from bridge.errors import Reason
from bridge.web.files import address

API = "/api/"
TEMPLATES = Environment(
    loader=PackageLoader("bridge.web"), autoescape=True, undefined=StrictUndefined
)
TEMPLATES.globals["file"] = address


def refusal(
    path: str,
    status: int,
    reason: Reason,
    headers: Mapping[str, str] | None = None,
    way: tuple[str, str] | None = None,
) -> Response:
    """What whoever asked for `path` gets. `way` leads a person on: an address and its word."""
    title = HTTPStatus(status).phrase
    if path.startswith(API):
        body = {"type": "about:blank", "title": title, "status": status}
        told = {**body, "detail": reason.sentence, "code": reason.code}
        return JSONResponse(told, status, headers, "application/problem+json")
    address, word = way or ("", "")
    page = TEMPLATES.get_template("refusal.html").render(
        title=title, sentence=reason.sentence, way=address, word=word
    )
    return HTMLResponse(page, status, headers)
