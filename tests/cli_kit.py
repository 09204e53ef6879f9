"""What the tests of the command line share: a bridge that says over HTTP what it is told to."""

import asyncio
import contextlib
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel

from bridge.drift import Gap
from bridge.errors import Reason
from bridge.rehearsal.hosting import Hosting
from bridge.release import Stage
from bridge.web.shapes import (
    AuditAt,
    AuditLine,
    AuditPage,
    Board,
    Boards,
    ChainVerdict,
    Compared,
    Comparison,
    DeliveryRow,
    Evidence,
    Meter,
    NoticeRow,
    Now,
    Page,
    Pause,
    ReleasePage,
    ReleaseRow,
    ServedAt,
    Serving,
    Stop,
    Tile,
    Unblock,
    UnderWay,
    Waiting,
)
from tests.bridge_kit import NOW, PACKAGE

TOKEN = "made-up-operator-token-00000000"
LATER = NOW + timedelta(seconds=90)
MARKS = {Stage.VERIFIED: "✓", Stage.FAILED: "✗"}
RAIL = [Stage.ANNOUNCED, Stage.CONFIRMED, Stage.PROPOSED, Stage.MERGED, Stage.DEPLOYED]


def row(version: str, stage: Stage, says: str, words: str = "", **fields: Any) -> dict[str, Any]:
    """The fields of a release in a list; `words` are put into each that others choose."""
    return {
        "id": 7,
        "pipeline": words or "house-prices",
        "package": PACKAGE,
        "version": version,
        "stage": stage,
        "mark": MARKS.get(stage, "…"),
        "reason": Reason("because", says),
        "since": NOW,
        "created_at": NOW,
        "actor": words or "bridge",
        **fields,
    }


def rail(stage: Stage) -> list[Stop]:
    """The way up to `stage`."""
    here = RAIL.index(stage) if stage in RAIL else len(RAIL)
    states = ["done" if at < here else "now" if at == here else "ahead" for at in range(len(RAIL))]
    return [
        Stop.model_validate({"stage": one, "state": state, "took_s": 2.5 if at else None})
        for at, (one, state) in enumerate(zip(RAIL, states, strict=True))
    ]


def page(version: str, stage: Stage, says: str, words: str = "", **fields: Any) -> ReleasePage:
    """Everything about a release."""
    named = dict.fromkeys(
        ("previous_version", "digest", "model_digest", "file", "commit", "tag", "merge_sha"), words
    )
    nothing = dict.fromkeys(
        ("reason_since", "due_at", "ci", "merged_by", "heroku", "rollback", "quarantine")
    )
    line = {
        "seq": 1,
        "kind": "move",
        "from": None,
        "to": "announced",
        "reason": Reason("announced", says),
        "actor": words or "bridge",
        "occurred_at": NOW,
        "recorded_at": NOW,
        "delivery": None,
        "evidence": [],
        "hash": "0" * 64,
    }
    compared = Compared(
        name=words or "rmse", old=2.0, new=2.1, change=0.05, verdict="broken", rule=words or "2 %"
    )
    comparison = Comparison(
        old_version=words or "0.1.0",
        new_version=version,
        headline=Reason("compared", says),
        metrics=[compared],
        features_added=[],
        features_removed=[],
        libraries_changed=[],
    )
    return ReleasePage.model_validate(
        {
            **row(version, stage, says, words),
            **named,
            **nothing,
            "unblock": None
            if stage is Stage.VERIFIED
            else Unblock(who=words or "a reviewer", what=words or "Approve it."),
            "readings": [],
            "later_readings": [],
            "provenance": None,
            "metrics": None,
            "rail": rail(stage),
            "comparison": comparison,
            "evidence_links": [Evidence(name=words or "tag", text=words or "v0.1.1")],
            "transitions": [line],
            **fields,
        }
    )


def now(says: str, words: str = "") -> Now:
    """One pipeline with everything that a tile may have."""
    waits = Waiting(who=words or "a reviewer", what=words or "Approve it.", since=NOW)
    pause = Pause(pipeline=None, who=words, why=words, since=NOW, sentence=says)
    board = boards(says, words).items[0]
    under_way = {**row("0.1.1", Stage.PROPOSED, says, words), "waits_for": waits}
    tile = Tile(
        pipeline=words or "house-prices",
        package=words or PACKAGE,
        api_url="http://api.test",
        app=words or "house-prices-api",
        repository="acme/model-deployment",
        serving=Serving(
            release_id=1, version=words or "0.1.0", since=NOW, proven=True, sentence=says
        ),
        under_way=[UnderWay.model_validate({**under_way, "rail": rail(Stage.PROPOSED)})],
        last_failure=ReleaseRow.model_validate(row("0.0.9", Stage.FAILED, says, words)),
        drift=board,
        paused=pause,
    )
    meter = Meter(about="github", came=1, lost=1, reason=Reason("some_deliveries_lost", says))
    return Now(at=LATER, tiles=[tile], pauses=[pause], webhooks=[meter], parked=2)


def boards(says: str, words: str = "") -> Boards:
    """One board with a surprise."""
    four = dict.fromkeys(("newest", "pinned", "deployed", "serving"), words or "0.1.0")
    gap = Gap(between=words or "index and branch", verdict="surprise", sentence=says)
    return Boards(items=[Board(pipeline=words or "house-prices", at=NOW, gaps=[gap], **four)])


def deliveries(says: str, words: str = "") -> Page[DeliveryRow]:
    """One parked delivery, and more to come."""
    one = {
        "id": 17,
        "source": words or "github",
        "delivery_id": words,
        "event": words or "push",
        "sha256": words,
        "received_at": NOW,
        "state": "parked",
        "sentence": says,
        "attempts": 5,
        "due_at": None,
        "verdict": "parked",
    }
    return Page[DeliveryRow](items=[DeliveryRow.model_validate(one)], after=words or "c-17")


def notices(says: str, words: str = "") -> Page[NoticeRow]:
    """One notice."""
    one = {
        "id": 3,
        "target": words or "chain",
        "message_id": words,
        "about": words or "failed",
        "release": 7,
        "text": says,
        "created_at": NOW,
        "state": "new",
        "sentence": says,
        "attempts": 0,
        "due_at": NOW,
    }
    return Page[NoticeRow](items=[NoticeRow.model_validate(one)])


def audit(says: str, words: str = "") -> AuditPage:
    """One line, a whole chain, and what served."""
    line = page("0.1.1", Stage.PROPOSED, says, words).transitions[0]
    of = {"release": 7, "pipeline": words, "package": words or PACKAGE, "version": "0.1.1"}
    served = ServedAt(
        pipeline=words or "house-prices",
        version=words or "0.1.0",
        release_id=1,
        proven=True,
        since=NOW,
        until=None,
        sentence=says,
    )
    verdict = ChainVerdict(
        holds=True,
        lines=1,
        head="0" * 64,
        bad_seq=None,
        problem=None,
        checked_at=NOW,
        whole_at=NOW,
    )
    lines = [AuditLine.model_validate({**line.model_dump(by_alias=True), **of})]
    return AuditPage(
        lines=Page[AuditLine](items=lines),
        verdict=verdict,
        at=AuditAt(time=NOW, seq=1, serving=[served]),
    )


class Told:
    """A bridge that says what it is told to: `answers` by path. `asked` is what it heard, `lines`
    how many lines of its record it tells of.

    It answers 404 to what it knows nothing of and, with a `token`, 401 to whoever has not got it.
    """

    def __init__(self, token: str = "") -> None:
        self.answers: dict[str, BaseModel | JSONResponse] = {}
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self.token = token
        self.url = ""
        self.lines = 0
        self.app = FastAPI()
        self.app.add_api_route("/api/v1/events", self._events)
        self.app.add_api_route("/api/v1/{path:path}", self._answer, methods=["GET", "POST"])

    async def _answer(self, path: str, request: Request) -> JSONResponse:
        words = dict(request.query_params) if request.method == "GET" else await request.json()
        self.asked.append((request.method, f"/{path}", words))
        if self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            return problem(401, "It is not known who asks.")
        answer = self.answers.get(f"/{path}", problem(404, f"There is no {path}."))
        if isinstance(answer, JSONResponse):
            return answer
        return JSONResponse(answer.model_dump(mode="json"))

    async def _events(self) -> StreamingResponse:
        async def lines() -> AsyncIterator[str]:
            yield ": listening\n\n"
            told = 0
            for _ in range(1000):
                while told < self.lines:
                    told += 1
                    yield f"id: {told}\nevent: line\ndata: {{}}\n\n"
                await asyncio.sleep(0.02)

        return StreamingResponse(lines(), media_type="text/event-stream")


def problem(status: int, detail: str) -> JSONResponse:
    """How a bridge says no."""
    told = {"type": "about:blank", "title": "No", "status": status, "detail": detail}
    return JSONResponse(told, status, media_type="application/problem+json")


@contextlib.contextmanager
def a_told_bridge(token: str = "") -> Iterator[Told]:
    """One on a free port of this machine."""
    told, hosting = Told(token), Hosting()
    at, told.url = hosting.reserve()
    hosting.serve(told.app, at)
    yield told
    hosting.stop()


def a_process(told: "Told", *words: str, **environment: str) -> subprocess.Popen[str]:
    """`bridge` as a process of its own, which asks that bridge and heeds Ctrl-C, also where these
    tests run in the background."""
    return subprocess.Popen(
        [sys.executable, "-m", "bridge", *words],
        env={**_around(told), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )


def a_terminal(told: "Told", width: int, *words: str, **environment: str) -> tuple[int, str]:
    """The same on a terminal of this width; its exit code, and what was written there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "bridge", *words],
        env={**_around(told), "TERM": "xterm-256color", **environment},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # Linux says so when the last writer has gone
        while chunk := os.read(ours, 65536):
            shown += chunk
    os.close(ours)
    return process.wait(timeout=60), shown.decode()


def _around(told: "Told") -> dict[str, str]:
    root = str(Path(__file__).parent.parent)
    not_ours = ("NO_COLOR", "TERM", "COLUMNS", "LINES")
    kept = {name: value for name, value in os.environ.items() if name not in not_ours}
    return {**kept, "PYTHONPATH": root, "BRIDGE_URL": told.url, "BRIDGE_TOKEN": told.token}
