"""The acts over HTTP: POST from a page's form, and the same under /api/v1 as JSON for programs.

The guard has let in an operator; what an act means, and when it makes no sense, is decided where
the command line asks too.
"""

from collections.abc import Callable, Collection
from functools import partial
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse
from pydantic import BaseModel
from sqlmodel import Session, col, func, select
from starlette.responses import Response

from bridge.delivery import Delivery
from bridge.errors import Reason, Refused, Unavailable
from bridge.kit.clock import Clock
from bridge.notice import Notice
from bridge.operator import OPERATOR
from bridge.person import Person
from bridge.release import Release
from bridge.sentences import say
from bridge.store import Store
from bridge.web.acts import MESSAGE_ACTS, PAUSE, RELEASE_ACTS, RESUME, Doing, Line, Message, Said
from bridge.web.problems import MEDIA_TYPE
from bridge.web.refusals import refusal
from bridge.web.twins import PROBLEM, Identifier
from bridge.web.wish import Done, Wish, form_of, of_form

T = TypeVar("T")
Find = Callable[[Session], T]
STATUS = {
    **dict.fromkeys(("no_release_here", "no_delivery", "no_notice", "no_such_pipeline"), 404),
    "not_acted": 422,
    "form_too_slow": 408,
}
"""Of the reasons that are not a plain conflict with how things stand."""
SEE_OTHER = 303
ON_RELEASE = {doing.name: doing for doing in RELEASE_ACTS}
ON_LINE = {doing.name: doing for doing in (PAUSE, RESUME)}
ON_MESSAGE = {doing.name: doing for doing in MESSAGE_ACTS}
ReleaseAct = Literal["retry", "rollback", "quarantine", "release-quarantine"]
LineAct = Literal["pause", "resume"]
MessageAct = Literal["replay", "discard"]


class No(BaseModel):
    """Why nothing was done: RFC 9457, with the code of the reason."""

    type: str
    title: str
    status: int
    detail: str
    code: str


SAID_NO = {"content": {MEDIA_TYPE: {"schema": No.model_json_schema()}}}
NOT_READ = {"anyOf": [PROBLEM, No.model_json_schema()]}
REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"description": "No JSON"},
    413: {"description": "Too large"},
    403: {"description": "Not this person, or not from here", **SAID_NO},
    404: {"description": "There is no such thing", **SAID_NO},
    409: {"description": "It makes no sense now", **SAID_NO},
    422: {"description": "Cannot be read", "content": {MEDIA_TYPE: {"schema": NOT_READ}}},
    503: {"description": "Nothing can be written just now", **SAID_NO},
}


def person_of(request: Request) -> Person:
    """Who acts; the guard lets nobody through who is not known."""
    person: Person = request.state.person
    return person


Operator = Annotated[Person, Depends(person_of)]


class Hand:
    """Does one act; `ring` wakes who works."""

    def __init__(self, store: Store, clock: Clock, ring: Callable[[], None]) -> None:
        self._store, self._clock, self._ring = store, clock, ring

    async def do(self, doing: Doing[T], find: Find[T], wish: Wish, who: Person) -> Done:
        """Do it, or say what would be done. Raises Refused and Unavailable."""
        asked = {ask.name for ask in doing.asks}
        if wish.model_fields_set - asked - {"reason", "dry_run"}:
            raise Refused(say("not_asked", act=doing.name))
        said = Said(who, wish.reason, self._clock(), wish.until, tuple(wish.allow))

        def work(session: Session) -> tuple[Reason, int | None]:
            target = find(session)
            if wish.dry_run:
                return doing.may(session, target, said), None
            return doing.do(session, target, said), _number(session)

        if wish.dry_run:
            told, number = await self._store.read(work)
        else:
            told, number = await self._store.write(work)
            self._ring()
        return Done(
            done=number is not None, code=told.code, sentence=told.sentence, delivery=number
        )

    async def answer(
        self, request: Request, doing: Doing[T], find: Find[T], wish: Wish, who: Person
    ) -> Done | Response:
        """For programs."""
        try:
            return await self.do(doing, find, wish, who)
        except (Refused, Unavailable) as error:
            return _no(request, error)

    async def press(
        self, request: Request, doing: Doing[T], find: Find[T], who: Person, back: str
    ) -> Response:
        """For a page's button: done, and `back` to the page."""
        try:
            wish = of_form(await form_of(request))
            done = await self.do(doing, find, wish, who)
        except (Refused, Unavailable) as error:
            return _no(request, error, back)
        return RedirectResponse(f"{back}?done={done.delivery}" if done.done else back, SEE_OTHER)


def programs(hand: Hand, known: Collection[str]) -> APIRouter:
    """The acts as JSON; `known` are the pipelines' names."""
    router = APIRouter(prefix="/api/v1", tags=["acts"])
    post = partial(router.post, response_model=Done, responses=REFUSALS)

    @post("/releases/{identifier}/{act}")
    async def on_release(
        request: Request, identifier: Identifier, act: ReleaseAct, wish: Wish, who: Operator
    ) -> Done | Response:
        """Retry a version, roll it back, put it into quarantine, or lift that."""
        find = partial(_release, identifier)
        return await hand.answer(request, ON_RELEASE[act], find, wish, who)

    @post("/pipelines/{name}/{act}")
    async def on_pipeline(
        request: Request, name: str, act: LineAct, wish: Wish, who: Operator
    ) -> Done | Response:
        """Pause one pipeline, or resume it."""
        find = partial(_line, name, known)
        return await hand.answer(request, ON_LINE[act], find, wish, who)

    @post("/everything/{act}")
    async def on_everything(
        request: Request, act: LineAct, wish: Wish, who: Operator
    ) -> Done | Response:
        """Pause all pipelines, or resume them."""
        find = partial(_line, None, known)
        return await hand.answer(request, ON_LINE[act], find, wish, who)

    @post("/deliveries/{identifier}/{act}")
    async def on_delivery(
        request: Request, identifier: Identifier, act: MessageAct, wish: Wish, who: Operator
    ) -> Done | Response:
        """Have a delivery handled again, or put it aside."""
        find = partial(_message, identifier, Delivery)
        return await hand.answer(request, ON_MESSAGE[act], find, wish, who)

    @post("/deliveries/out/{identifier}/{act}")
    async def on_notice(
        request: Request, identifier: Identifier, act: MessageAct, wish: Wish, who: Operator
    ) -> Done | Response:
        """Have a notice that goes out sent again, or put it aside."""
        find = partial(_message, identifier, Notice)
        return await hand.answer(request, ON_MESSAGE[act], find, wish, who)

    return router


def buttons(hand: Hand, known: Collection[str]) -> APIRouter:
    """The acts as the pages' forms send them."""
    router = APIRouter(include_in_schema=False)

    @router.post("/releases/{identifier}/{act}")
    async def on_release(
        request: Request, identifier: Identifier, act: ReleaseAct, who: Operator
    ) -> Response:
        find, back = partial(_release, identifier), f"/releases/{identifier}"
        return await hand.press(request, ON_RELEASE[act], find, who, back)

    @router.post("/pipelines/{name}/{act}")
    async def on_pipeline(request: Request, name: str, act: LineAct, who: Operator) -> Response:
        return await hand.press(request, ON_LINE[act], partial(_line, name, known), who, "/")

    @router.post("/everything/{act}")
    async def on_everything(request: Request, act: LineAct, who: Operator) -> Response:
        return await hand.press(request, ON_LINE[act], partial(_line, None, known), who, "/")

    @router.post("/deliveries/{identifier}/{act}")
    async def on_delivery(
        request: Request, identifier: Identifier, act: MessageAct, who: Operator
    ) -> Response:
        find = partial(_message, identifier, Delivery)
        return await hand.press(request, ON_MESSAGE[act], find, who, "/deliveries")

    @router.post("/deliveries/out/{identifier}/{act}")
    async def on_notice(
        request: Request, identifier: Identifier, act: MessageAct, who: Operator
    ) -> Response:
        find = partial(_message, identifier, Notice)
        return await hand.press(request, ON_MESSAGE[act], find, who, "/deliveries/out")

    return router


def _release(identifier: int, session: Session) -> Release:
    row = session.get(Release, identifier)
    if row is None:
        raise Refused(say("no_release_here", id=identifier))
    return row


def _line(name: str | None, known: Collection[str], _: Session) -> Line:
    return Line(name, known)


def _message(identifier: int, of: type[Delivery] | type[Notice], _: Session) -> Message:
    return Message(identifier, of)


def _number(session: Session) -> int | None:
    """The act that was kept last: in this very transaction, for one writes at a time."""
    last = select(func.max(col(Delivery.id))).where(Delivery.source == OPERATOR)
    return session.exec(last).one()


def _no(request: Request, error: Refused | Unavailable, back: str = "") -> Response:
    path, way = request.url.path, (back, "Back") if back else None
    if isinstance(error, Unavailable):
        reason = Reason("unavailable", f"{error}")
        return refusal(path, 503, reason, {"retry-after": "5"}, way)
    return refusal(path, STATUS.get(error.reason.code, 409), error.reason, way=way)
