"""The load of `bench.ingest`, a process of its own: signed deliveries, as fast as they are
acknowledged or so many a second. Prints what it saw as JSON.
"""

import asyncio
import hmac
import json
import os
import resource
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import cast

import httptools
import uvloop

CONNECTIONS = 64
SIZE = 8192
HOME = "https://api.github.test/repos/acme/model-deployment"
PLACES: tuple[str, ...] = (
    "archive",
    "assignees",
    "blobs",
    "branches",
    "collaborators",
    "comments",
    "commits",
)
PLACES += ("compare", "contents", "contributors", "deployments", "downloads", "events", "forks")
PLACES += ("git_commits", "git_refs", "git_tags", "hooks", "issue_comment", "issues", "keys")
PLACES += ("labels", "languages", "merges", "milestones", "notifications", "pulls", "releases")
PLACES += ("stargazers", "statuses", "subscribers", "subscription", "tags", "teams", "trees")
PEOPLE = ("avatar", "events", "followers", "gists", "html", "organizations", "repos")


@dataclass
class Seen:
    """What came back, and how long each took in seconds."""

    statuses: dict[int, int] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)


class Sender(asyncio.Protocol):
    """One connection: sends a request, tells when the answer is whole."""

    def __init__(self, seen: Seen, idle: Callable[["Sender"], None]) -> None:
        self._seen, self._idle = seen, idle
        self._began = 0.0
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass of it

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def on_message_complete(self) -> None:
        self._seen.took.append(time.perf_counter() - self._began)
        status = self._parser.get_status_code()
        self._seen.statuses[status] = self._seen.statuses.get(status, 0) + 1
        self._parser = httptools.HttpResponseParser(self)
        self._idle(self)

    def send(self, request: bytes) -> None:
        if self._transport is None:
            raise SystemExit("the receiver closed a connection")
        self._began = time.perf_counter()
        self._transport.write(request)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def check_run(identifier: str) -> dict[str, object]:
    """A check that ended, in the shape that GitHub sends: small objects, and many addresses."""
    person = {"login": "rosa", "id": 583231, "type": "User", "site_admin": False}
    person |= {f"{one}_url": f"https://api.github.test/users/rosa/{one}" for one in PEOPLE}
    repository = {"id": 186853002, "full_name": "acme/model-deployment", "private": True}
    repository |= {f"{one}_url": f"{HOME}/{one}{{/sha}}" for one in PLACES}
    suite = {"id": 118578147, "head_branch": "main", "head_sha": "0" * 40, "status": "completed"}
    run = {"id": 128620228, "status": "completed", "conclusion": "success", "check_suite": suite}
    return {
        "action": "completed",
        "check_run": run | {"external_id": identifier, "head_sha": "0" * 40, "app": person},
        "repository": repository | {"owner": person, "topics": [], "watchers_count": 1},
        "sender": person,
    }


def requests(path: str, secret: bytes, count: int) -> list[bytes]:
    """Deliveries of 8 KiB as GitHub signs them, each with an id and a body of its own."""
    made = []
    for _ in range(count):
        identifier = str(uuid.uuid4())
        told = json.dumps(check_run(identifier) | {"text": ""}).encode()
        body = told[:-2] + b"x" * (SIZE - len(told)) + b'"}'
        head = (
            f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: GitHub-Hookshot/made-up\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
            f"x-github-event: check_run\r\nx-github-delivery: {identifier}\r\n"
            f"x-hub-signature-256: sha256={hmac.digest(secret, body, 'sha256').hex()}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


async def flat_out(port: int, waiting: list[bytes], seen: Seen) -> float:
    """Every connection sends its next one as soon as it is answered; the seconds it took."""
    left = len(waiting)
    done = asyncio.get_running_loop().create_future()

    def idle(sender: Sender) -> None:
        nonlocal left
        left -= 1
        if waiting:
            sender.send(waiting.pop())
        elif not left:
            done.set_result(None)

    senders = await connect(port, seen, idle)
    began = time.perf_counter()
    for sender in senders:
        sender.send(waiting.pop())
    await done
    took = time.perf_counter() - began
    for sender in senders:
        sender.close()
    return took


def at_rate(rate: float) -> Callable[[int, list[bytes], Seen], Coroutine[None, None, float]]:
    """So many a second, whether or not the last ones have been answered."""

    async def run(port: int, waiting: list[bytes], seen: Seen) -> float:
        free: list[Sender] = []
        senders = await connect(port, seen, free.append)
        free += senders
        count, began = len(waiting), time.perf_counter()
        for number in range(count):
            late = began + number / rate - time.perf_counter()
            if late > 0:
                await asyncio.sleep(late)
            while not free:  # noqa: ASYNC110 - an event would cost what is measured
                await asyncio.sleep(0)
            free.pop(0).send(waiting.pop())  # in turn, so that none is idle for long
        while len(free) < len(senders):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        for sender in senders:
            sender.close()
        return time.perf_counter() - began

    return run


async def connect(port: int, seen: Seen, idle: Callable[[Sender], None]) -> list[Sender]:
    """All connections."""
    loop = asyncio.get_running_loop()
    return [
        (await loop.create_connection(lambda: Sender(seen, idle), "127.0.0.1", port))[1]
        for _ in range(CONNECTIONS)
    ]


def main() -> None:
    """`python -m bench.load PORT PATH COUNT RATE`; rate 0 is flat out. The secret is in SECRET."""
    port, path, count, rate = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    waiting, seen = requests(path, os.environ["SECRET"].encode(), count), Seen()
    how = at_rate(rate) if rate else flat_out
    before = resource.getrusage(resource.RUSAGE_SELF)
    took = uvloop.run(how(port, waiting, seen))
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    told = {
        "rate": count / took,
        "statuses": seen.statuses,
        "median": statistics.median(seen.took) * 1000,
        "p99": statistics.quantiles(seen.took, n=100)[98] * 1000,
        "busy": cpu / took,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
