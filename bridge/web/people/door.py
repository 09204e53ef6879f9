"""The door: where people sign in, by a token or at GitHub, and out."""

import re
from datetime import datetime, timedelta

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, ValidationError
from starlette.responses import Response

from bridge.errors import Reason, Refused, Unavailable
from bridge.kit.clock import Clock
from bridge.person import Person
from bridge.sentences import say
from bridge.sign_in import Web
from bridge.store import Store
from bridge.web.guard import SIGN_IN, SIGN_OUT, peer
from bridge.web.people import session
from bridge.web.people.github import AtGitHub
from bridge.web.people.who import by_token
from bridge.web.refusals import TEMPLATES
from bridge.web.suspects import Suspects
from bridge.web.wish import form_of

log = structlog.get_logger()
OWN_PATH = re.compile(r"/(?![/\\])[\w\-./~?&=%+:]*", re.ASCII)
BEGUN = "begun"
BEGUN_LASTS = timedelta(minutes=10)
SEE_OTHER = 303
FORGET = {"clear-site-data": '"cache"'}
"""A page that the browser has kept shows somebody else's buttons."""


class Begun(BaseModel):
    """A sign-in at GitHub that is under way, in this browser only."""

    state: str
    verifier: str
    next: str
    until: datetime


def door(
    web: Web, store: Store, clock: Clock, github: AtGitHub | None, suspects: Suspects
) -> APIRouter:
    """The pages at which somebody signs in and out."""
    router = APIRouter(include_in_schema=False)

    def asks(next_page: str, reason: Reason | None = None, status: int = 200) -> HTMLResponse:
        page = TEMPLATES.get_template("sign_in.html").render(
            next=next_page,
            sentence=reason.sentence if reason else "",
            has_tokens=web.has_tokens,
            has_github=github is not None,
        )
        return HTMLResponse(page, status)

    def lets_in(request: Request, person: Person, next_page: str) -> Response:
        session.begin(request.session, person, clock())
        log.info("signed in", person=person.id, by=person.by.value, role=person.role.value)
        return RedirectResponse(next_page, SEE_OTHER, FORGET)

    @router.get(SIGN_IN)
    async def sign_in(request: Request) -> Response:
        next_page = own(request.query_params.get("next"))
        if not web.has_tokens and github is None:
            return RedirectResponse(next_page, SEE_OTHER)
        return asks(next_page)

    @router.post(SIGN_IN)
    async def with_token(request: Request) -> Response:
        try:
            form = await form_of(request)
        except Refused as error:
            return asks("/", error.reason, 408)
        told, next_page = f"{form.get('token', '')}", own(f"{form.get('next', '')}")
        if person := by_token(told.strip().encode(errors="surrogatepass"), web):
            return lets_in(request, person, next_page)
        log.warning("wrong token", address=peer(request.scope))
        if wait := suspects.wait(peer(request.scope)):
            return asks(next_page, say("too_many_tries", seconds=wait), 429)
        return asks(next_page, say("wrong_token"), 401)

    @router.get(f"{SIGN_IN}/github")
    async def at_github(request: Request) -> Response:
        if github is None:
            return RedirectResponse(SIGN_IN, SEE_OTHER)
        address, state, verifier = github.begin()
        begun = Begun(
            state=state,
            verifier=verifier,
            next=own(request.query_params.get("next")),
            until=clock() + BEGUN_LASTS,
        )
        request.session[BEGUN] = begun.model_dump(mode="json")
        return RedirectResponse(address, SEE_OTHER)

    @router.get(f"{SIGN_IN}/github/back")
    async def from_github(request: Request) -> Response:
        begun = _begun(request.session.pop(BEGUN, None), clock())
        if github is None or begun is None:
            return asks("/", say("not_begun_here"), 403)
        try:
            person = await github.person(request.url.query, begun.state, begun.verifier)
        except Refused as error:
            log.warning("not let in", why=error.reason.code)
            return asks(begun.next, error.reason, 403)
        except Unavailable as error:
            return asks(begun.next, say("github_away", why=error), 503)
        return lets_in(request, person, begun.next)

    @router.post(SIGN_OUT)
    async def sign_out(request: Request) -> Response:
        if known := request.state.session:
            await store.write(lambda transaction: session.end(transaction, known, clock()))
            log.info("signed out", person=known.id)
        request.session.clear()
        return RedirectResponse(SIGN_IN, SEE_OTHER, FORGET)

    return router


def own(path: str | None) -> str:
    """A page of ours to go on to; never somebody else's."""
    return path if path and OWN_PATH.fullmatch(path) else "/"


def _begun(told: object, now: datetime) -> Begun | None:
    try:
        found = Begun.model_validate(told)
    except ValidationError:
        return None
    return found if now < found.until else None
