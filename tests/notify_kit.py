"""Who is told in the tests: a program behind a webhook, which checks what it hears."""

import json
from datetime import datetime
from typing import Any

from standardwebhooks import Webhook
from starlette.types import Receive, Scope, Send

LISTENER_SECRET = "whsec_bWFkZS11cCBsaXN0ZW5lciBzZWNyZXQgMDA="
OLD_SECRET = "whsec_bWFkZS11cCBsaXN0ZW5lciBzZWNyZXQgMDE="
PATH = "made-up-path-of-the-listener-0001"
EVERYTHING = ["verified", "failed", "rolled_back", "waiting", "drift", "alarm", "parked"]


class Listener:
    """Takes what the reference library of Standard Webhooks calls signed; `answers` are the next
    status codes, 204 follows."""

    def __init__(self, secret: str = LISTENER_SECRET) -> None:
        self._reference = Webhook(secret)
        self.answers: list[int] = []
        self.heard: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.tries: list[str] = []
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        body = message.get("body", b"")
        while message.get("more_body"):
            message = await receive()
            body += message.get("body", b"")
        headers = {key.decode(): value.decode() for key, value in scope["headers"]}
        self.must_be_signed(headers, body)
        self.tries.append(headers["webhook-id"])
        status = self.answers.pop(0) if self.answers else 204
        if status < 300:
            self.headers.append(headers)
            self.bodies.append(body)
            self.ids.append(headers["webhook-id"])
            self.heard.append(json.loads(body))
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def must_be_signed(self, headers: dict[str, str], body: bytes) -> None:
        """By the reference, at the moment that the headers tell: time stands still in a story."""
        at = datetime.fromtimestamp(int(headers["webhook-timestamp"]))
        made = self._reference.sign(headers["webhook-id"], at, body.decode())
        assert made in headers["webhook-signature"].split(" ")

    @property
    def said(self) -> list[str]:
        """What it was told of."""
        return [str(one["type"]) for one in self.heard]

    @property
    def lines(self) -> list[str]:
        """What a person would read."""
        return [str(one["data"]["text"]) for one in self.heard]
