"""`/api/v1/events`: the record as it grows, as server-sent events whose id is the line's `seq`."""

import json
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.responses import PlainTextResponse, Response, StreamingResponse

from bridge.bell import Bell
from bridge.columns import written
from bridge.sentences import say
from bridge.store.news import News

LAST_ID = 2**63 - 1
BEAT = 15.0
"""Seconds after which silence is broken: proxies hang up on who says nothing for long."""
LASTS = 600.0
"""Seconds after which a stream ends: the browser asks for it anew, and the guard who that is, for
whoever has signed out meanwhile shall hear no more."""
KEEP_ALIVE = ": nothing new\nevent: beat\ndata: 0\n\n"
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}
LATER = 30
Seq = Annotated[int | None, Query(ge=0, le=LAST_ID, description="The last line that was seen")]
Seen = Annotated[int | None, Header(ge=0, le=LAST_ID, alias="last-event-id")]


def events(bell: Bell) -> APIRouter:
    """The stream. It begins after `Last-Event-ID`, else after `after`, else now."""
    router = APIRouter(prefix="/api/v1", include_in_schema=False)

    @router.get("/events")
    async def stream(after: Seq = None, last_event_id: Seen = None) -> Response:
        if not bell.has_room:
            told = say("too_many_watch").sentence
            return PlainTextResponse(told, 503, {"retry-after": str(LATER)})
        seq = after if last_event_id is None else last_event_id
        return StreamingResponse(
            told_of(bell, seq), media_type="text/event-stream", headers=HEADERS
        )

    return router


async def told_of(
    bell: Bell, after: int | None, beat: float = BEAT, lasts: float = LASTS
) -> AsyncGenerator[str, None]:
    """The stream's text, until the bell is closed or its time is over."""
    end = time.monotonic() + lasts
    yield KEEP_ALIVE  # the headers travel at once, and a proxy has something to pass on
    async with aclosing(bell.watch(after, beat)) as watched:
        async for lines in watched:
            yield "".join(map(event, lines)) or KEEP_ALIVE
            if time.monotonic() >= end:
                return


def event(news: News) -> str:
    """One line of the record as an event: `said` is for people, the rest for programs."""
    line = news.line
    where = {"package": news.package, "version": news.version}
    told = {
        "seq": news.seq,
        "release": line.release_id,
        "pipeline": news.pipeline,
        **where,
        "kind": line.kind,
        "from": line.from_stage or None,
        "to": line.to_stage,
        "reason": {"code": line.code, "sentence": line.sentence},
        "actor": line.actor,
        "recorded_at": written(line.recorded_at),
        "said": say("news", sentence=line.sentence, **where).sentence,
    }
    return f"id: {news.seq}\nevent: line\ndata: {json.dumps(told)}\n\n"
