"""Every request to a simulated neighbour passes a gate, which notes it and may make it fail."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Call:
    """One request that was answered; the status of a lost reply is that of the reply."""

    operation: str
    path: str
    status: int


@dataclass(frozen=True)
class Fault:
    """What goes wrong: the reply is lost after the effect, or the call is refused without one.

    `body` is sent as JSON. It, `status` and `headers` count for "refuse" only.
    """

    kind: Literal["lost_reply", "refuse"]
    status: int = 503
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Gate:
    """A neighbour with a gate: `calls` is its journal, `before` says whether an operation fails."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.before: Callable[[str], Fault | None] = lambda operation: None

    def route(self, method: str, path: str, operation: str, handler: Handler) -> Route:
        """The Starlette route of `handler`, seen by the gate as `operation`."""

        async def passed(request: Request) -> Response:
            fault = self.before(operation)
            if fault and fault.kind == "refuse":
                response: Response = JSONResponse(fault.body, fault.status, dict(fault.headers))
            else:
                response = await handler(request)
            self.calls.append(Call(operation, request.url.path, response.status_code))
            return LostReply() if fault and fault.kind == "lost_reply" else response

        return Route(path, passed, methods=[method], name=operation)


class LostReply(Response):
    """The connection drops in mid-reply.

    A server that has promised more bytes than it sent can only hang up, so this is an
    `httpx.TransportError` over a real socket and through `httpx.ASGITransport` alike.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        raise httpx.ReadError("the rehearsal dropped this connection")
