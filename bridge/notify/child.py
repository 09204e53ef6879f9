"""`python -m bridge.notify.child`: sends one message by apprise, in a process of its own.

Asked on standard input with JSON, answers on standard output with JSON. Apprise speaks to a
hundred services with libraries of their own, so what they may connect to is judged where Python
opens a connection, whoever asks for it. See https://docs.python.org/3/library/audit_events.html
"""

import json
import logging
import os
import signal
import sys
from typing import TypedDict

from bridge.kit.outbound import is_inside, is_public, literal

NOT_ALLOWED = "an address that is not public"
CONNECTIONS = ("socket.connect", "socket.sendto", "socket.sendmsg")
WITHIN = 20


class Asked(TypedDict):
    """What is to be said, and to whom; `inside` where the operator allowed a private address."""

    url: str
    inside: bool
    title: str
    body: str
    kind: str
    app_url: str


class Answered(TypedDict):
    """Whether it was taken, and if not, what was said about it."""

    ok: bool
    known: bool
    why: str


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


def guard(inside: bool) -> list[str]:
    """Let Python connect to public addresses only, for as long as the process lives; the list
    grows by every address that it would not."""
    refused: list[str] = []

    def judge(event: str, arguments: tuple[object, ...]) -> None:
        if event in CONNECTIONS and not _may(arguments[1], inside):
            refused.append(NOT_ALLOWED)
            raise ConnectionRefusedError(NOT_ALLOWED)

    sys.addaudithook(judge)
    return refused


def _may(told: object, inside: bool) -> bool:
    """Whether to connect there: not to a name that nobody has looked up, nor to a socket file."""
    if told is None:
        return True  # it is connected already
    host = told[0] if isinstance(told, tuple) and told else ""
    address = literal(str(host).partition("%")[0])
    return address is not None and (is_public(address) or (inside and is_inside(address)))


def send(asked: Asked) -> Answered:
    """Say it. A redirect is not followed, and nothing is kept on the disk."""
    import apprise

    heard = _Heard()
    logger = logging.getLogger("apprise")
    logger.addHandler(heard)
    logger.propagate = False
    asset = apprise.AppriseAsset(
        app_id="Bridge",
        app_desc="Bridge",
        app_url=asked["app_url"],
        image_url_mask="",
        image_url_logo="",
        async_mode=False,
        http_redirects=False,
        storage_mode=apprise.PersistentStoreMode.MEMORY,
    )
    teller = apprise.Apprise(asset=asset)
    if not teller.add(asked["url"]):
        return {"ok": False, "known": False, "why": "it is no address that apprise knows"}
    refused = guard(asked["inside"])
    ok = bool(
        teller.notify(
            body=asked["body"],
            title=asked["title"],
            notify_type=apprise.NotifyType(asked["kind"]),
            body_format=apprise.NotifyFormat.TEXT,
        )
    )
    why = refused[-1] if refused else (heard.said[-1] if heard.said else "apprise says no more")
    return {"ok": ok, "known": True, "why": "" if ok else why}


def main() -> None:
    """Answer one question, and end soon, even if nobody waits any more."""
    signal.alarm(WITHIN)
    answer = send(json.load(sys.stdin))
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()
    os._exit(0)  # apprise's threads may wait for a service that does not answer


if __name__ == "__main__":
    main()
