"""The pages' JSON twins: `/api/v1/…`, each the shape that its page is made of.

An answer carries a weak ETag of the database's revision, so that who asks again and again gets 304,
which costs one statement, until something was written.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request
from fastapi.responses import Response
from pydantic import BeforeValidator, WithJsonSchema
from sqlmodel import Session

from bridge.bootstrap import Bridge
from bridge.delivery import DeliveryState
from bridge.release import Stage
from bridge.store.history import Asked
from bridge.store.looks import ENDLESS, Turn
from bridge.web import examples, looking, shapes, turning
from bridge.web.problems import MEDIA_TYPE

LAST_ID = ENDLESS
YEARS = range(1970, 9000)
CURSOR = r"^[0-9]{1,18}$"


def in_utc(text: str) -> datetime:
    """A moment as ISO 8601 writes it, or a day; in UTC, if no zone is given. Raises ValueError.

    Years in which there was no bridge are moved to where every database can compare them.
    """
    moment = datetime.fromisoformat(text)
    if moment.year not in YEARS:
        return datetime(min(max(moment.year, YEARS.start), YEARS.stop), 1, 1, tzinfo=UTC)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


Identifier = Annotated[int, Path(ge=-LAST_ID, le=LAST_ID)]
Text = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")]
Time = Annotated[
    datetime,
    BeforeValidator(in_utc),
    WithJsonSchema({"type": "string", "format": "date-time"}),
    Query(description="in UTC, if no zone is given"),
]
Days = Annotated[int, Query(ge=1, le=366, description="of how many days, today included")]
State = Annotated[DeliveryState | None, Query()]
S = TypeVar("S", bound=shapes.Shape)
PROBLEM = shapes.Problem.model_json_schema()
PROBLEM["properties"]["errors"]["items"] = PROBLEM.pop("$defs")["Wrong"]
NOT_THERE = "There is no release {identifier}."


def told(shape: type[shapes.Shape], example: object, *problems: int) -> dict[str, Any]:
    """How an operation is described: its shape, an example, 304, and the problems it may have."""
    said = {422: "Cannot be read", 404: "Not there", 503: "The database does not answer"}
    refusals = {
        status: {
            "description": said[status],
            "content": {MEDIA_TYPE: {"schema": PROBLEM}},
        }
        for status in (*problems, 503)
    }
    answer = {"content": {"application/json": {"example": example}}}
    return {
        "response_model": shape,
        "responses": {200: answer, 304: {"description": "Nothing was written since"}, **refusals},
    }


def turn(
    after: Annotated[str | None, Query(pattern=CURSOR, description="go on from here")] = None,
    before: Annotated[str | None, Query(pattern=CURSOR, description="back again")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Turn:
    """Which part of a list."""
    return Turn(limit, int(after) if after else None, int(before) if before else None)


Turned = Annotated[Turn, Depends(turn)]


def twins(bridge: Bridge) -> APIRouter:
    """Every page's twin."""
    router = APIRouter(prefix="/api/v1", tags=["pages"])
    store, pipelines = bridge.store, bridge.settings.pipeline
    names = [pipeline.name for pipeline in pipelines]

    async def answer(
        request: Request, look: Callable[[Session], S | None], about: str = ""
    ) -> Response:
        """`about` is what the answer depends on beside the database, as the day."""
        asked = request.headers.get("if-none-match", "").split(",")
        seen = {one.strip().removeprefix("W/").strip('"').removesuffix(about) for one in asked}
        revision, shape = await store.look(seen, look)
        headers = {"etag": f'W/"{revision}{about}"', "cache-control": "private, no-cache"}
        if revision in seen:
            return Response(status_code=304, headers=headers)
        if shape is None:
            raise HTTPException(404, NOT_THERE.format(**request.path_params))
        return Response(shape.model_dump_json(), headers=headers, media_type="application/json")

    @router.get("/now", **told(shapes.Now, examples.NOW))
    async def now(request: Request) -> Response:
        """What is live, what is on its way, why not."""
        return await answer(request, lambda s: looking.now(s, pipelines, bridge.clock()))

    @router.get("/releases", **told(shapes.Page[shapes.ReleaseRow], examples.RELEASES, 422))
    async def history(
        request: Request,
        turned: Turned,
        pipeline: Text = None,
        stage: Stage | None = None,
        actor: Text = None,
        version: Text = None,
        since: Annotated[Time | None, Query(alias="from")] = None,
        until: Annotated[Time | None, Query(alias="to")] = None,
    ) -> Response:
        """Releases, newest first. `actor` moved it last; it was announced in the time given."""
        asked = Asked(
            pipeline=pipeline,
            stage=stage,
            actor=actor,
            version=version,
            since=since,
            until=until,
        )
        return await answer(request, lambda s: turning.release_rows(s, asked, turned))

    @router.get("/releases/{identifier}", **told(shapes.ReleasePage, examples.RELEASE, 404, 422))
    async def one(request: Request, identifier: Identifier) -> Response:
        """One release with all its lines."""
        return await answer(request, lambda s: turning.release(s, identifier, pipelines))

    @router.get("/deliveries", **told(shapes.Page[shapes.DeliveryRow], examples.DELIVERIES, 422))
    async def inbox(request: Request, turned: Turned, state: State = None) -> Response:
        """Deliveries, newest first, without their bodies."""
        return await answer(request, lambda s: turning.deliveries(s, state, turned))

    @router.get("/deliveries/out", **told(shapes.Page[shapes.NoticeRow], examples.NOTICES, 422))
    async def outgoing(request: Request, turned: Turned, state: State = None) -> Response:
        """What the bridge tells others, newest first, and what became of it."""
        return await answer(request, lambda s: turning.notices(s, state, turned))

    @router.get("/drift", **told(shapes.Boards, examples.BOARDS))
    async def drift(request: Request) -> Response:
        """What index, branch, Heroku and API have, and whether the gaps are meant."""
        return await answer(request, turning.boards)

    @router.get("/metrics", **told(shapes.Numbers, examples.NUMBERS, 422))
    async def numbers(request: Request, days: Days = 30, pipeline: Text = None) -> Response:
        """DORA's five, how long releases stand at which stage, and the lost-webhook meter."""
        today = bridge.clock().date()
        return await answer(
            request, lambda s: turning.numbers(s, days, pipeline, today), f"-{today}"
        )

    @router.get("/audit", **told(shapes.AuditPage, examples.AUDIT, 422))
    async def record(
        request: Request,
        turned: Turned,
        actor: Text = None,
        code: Text = None,
        kind: Text = None,
        version: Text = None,
        release: Annotated[int | None, Query(ge=1, le=LAST_ID)] = None,
        since: Annotated[Time | None, Query(alias="from")] = None,
        until: Annotated[Time | None, Query(alias="to")] = None,
        at: Time | None = None,
    ) -> Response:
        """Lines of the record, whether its chain is whole, and what was serving `at` a time."""
        asked = Asked(
            actor=actor,
            code=code,
            kind=kind,
            version=version,
            release=release,
            since=since,
            until=until,
        )
        watchman = bridge.watchman
        look = partial(turning.audit, watchman=watchman, asked=asked, turn=turned, at=at)
        return await answer(request, partial(look, pipelines=names), f"-{watchman.verdict.lines}")

    return router
