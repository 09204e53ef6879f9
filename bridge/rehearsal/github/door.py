"""The door of the simulated GitHub's API: every call is let in, answered and written down here.

What GitHub would refuse gets GitHub's error body; a bug of ours stays an exception.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from bridge.rehearsal.gate import Fault, LostReply
from bridge.rehearsal.github.access import Access
from bridge.rehearsal.github.accounts import Json
from bridge.rehearsal.github.state import Before, Call, Refusal

CODES = {"UNAUTHENTICATED": 401, "NOT_FOUND": 404, "UNPROCESSABLE": 422}
LIMIT = 5000  # calls an hour


@dataclass(frozen=True)
class Asked:
    """A call on its way in."""

    path: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What a handler says, JSON unless it is bytes, and what the call has changed.

    A fault that came up on the way overrules it.
    """

    body: object = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    effects: tuple[str, ...] = ()
    fault: Fault | None = None


Handler = Callable[[Asked], Answer]
Endpoint = Callable[[Request], Awaitable[Response]]
Key = Literal["token", "app", "none"]


class Door:
    """`calls` is the journal that it keeps, `before` is asked for a fault by operation name."""

    def __init__(
        self, access: Access, clock: Callable[[], datetime], calls: list[Call], before: Before
    ) -> None:
        self.access, self.clock, self.calls, self.before = access, clock, calls, before
        self._used, self._reset = 0, clock() + timedelta(hours=1)

    def endpoint(
        self, operation: str | Callable[[bytes], str], do: Handler, key: Key = "token"
    ) -> Endpoint:
        """An operation that names itself by the body, GraphQL's, stands so in the journal, too."""

        async def serve(request: Request) -> Response:
            body = await request.body()
            name = operation if isinstance(operation, str) else operation(body)
            path = {one: str(value) for one, value in request.path_params.items()}
            answer = self._answer(
                name, do, key, Asked(path, request.headers, body, request.query_params)
            )
            title = request.url.path if isinstance(operation, str) else name
            self.calls.append(Call(request.method, title, answer.effects, answer.status))
            lost = answer.fault is not None and answer.fault.kind == "lost_reply"
            return LostReply() if lost else self._response(answer)

        return serve

    def _answer(self, name: str, do: Handler, key: Key, asked: Asked) -> Answer:
        fault = self.before(name)
        if fault and fault.kind == "refuse":
            return Answer(fault.body, fault.status, fault.headers)
        try:
            if key == "token":
                self.access.check_token(asked.headers.get("authorization", ""))
            elif key == "app":
                self.access.check_app(asked.headers.get("authorization", ""))
            answer = do(asked)
        except Refusal as refusal:
            answer = refused(refusal)
        fault = fault or answer.fault
        if fault and fault.kind == "refuse":
            return Answer(fault.body, fault.status, fault.headers, answer.effects)
        return Answer(answer.body, answer.status, answer.headers, answer.effects, fault)

    def _response(self, answer: Answer) -> Response:
        plain = isinstance(answer.body, bytes)
        kind = "application/octet-stream" if plain else "application/json; charset=utf-8"
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body)
        headers = {"content-type": kind} | self._rate() | dict(answer.headers)
        return Response(body, answer.status, headers)

    def _rate(self) -> dict[str, str]:
        now = self.clock()
        if now >= self._reset:
            self._used, self._reset = 0, now + timedelta(hours=1)
        self._used += 1
        return {
            "x-ratelimit-limit": str(LIMIT),
            "x-ratelimit-remaining": str(max(0, LIMIT - self._used)),
            "x-ratelimit-reset": str(int(self._reset.timestamp())),
            "x-ratelimit-resource": "core",
            "x-ratelimit-used": str(self._used),
        }


def refused(refusal: Refusal) -> Answer:
    status = CODES.get(refusal.kind, 422)
    documentation = "https://docs.github.com/rest"
    body: Json = {"message": refusal.message, "documentation_url": documentation}
    return Answer(body | {"status": str(status)}, status)
