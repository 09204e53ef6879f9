"""Five neighbours, fifteen faults: each is waited out, nothing is done twice, no secret is told.

The story goes on as soon as the fault is over. A slow drip needs no patience here: the loop's
clock is pushed by whoever drips.
"""

import asyncio
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from bridge.release import Stage
from tests.stories.town import Town

NEIGHBOURS = {
    "GitHub": ("github.test", "/graphql"),
    "its tarballs": ("github.test", "/repos/"),
    "the index": ("index.test", ""),
    "Heroku": ("heroku.test", ""),
    "the API": ("api.test", ""),
}
METADATA = "http://169.254.169.254/latest/meta-data/"
PAGE = b"<html><body>Please sign in</body></html>"


class SkewedLoop(asyncio.SelectorEventLoop):
    """A loop whose clock can be pushed."""

    skew = 0.0

    def time(self) -> float:
        return super().time() + self.skew


class Drip(httpx.AsyncByteStream):
    """A byte every ten seconds, for ever."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SkewedLoop)
        while True:
            yield b" "
            loop.skew += 10
            await asyncio.sleep(0)


def dies(error: Exception) -> Callable[[httpx.Request], httpx.Response]:
    def die(request: httpx.Request) -> httpx.Response:
        raise error

    return die


def says(
    status: int, body: bytes = b"{}", **headers: str
) -> Callable[[httpx.Request], httpx.Response]:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: httpx.Response(status, content=body, headers=told)


FAULTS: dict[str, Callable[[httpx.Request], httpx.Response]] = {
    "refused": dies(httpx.ConnectError("connection refused")),
    "no such host": dies(httpx.ConnectError("Name or service not known")),
    "bad certificate": dies(httpx.ConnectError(str(ssl.SSLError("certificate verify failed")))),
    "connect timeout": dies(httpx.ConnectTimeout("too slow")),
    "read timeout": dies(httpx.ReadTimeout("too slow")),
    "500": says(500),
    "502": says(502, PAGE, content_type="text/html"),
    "503 with Retry-After": says(503, retry_after="7"),
    "429": says(429, retry_after="7"),
    "403, a secondary limit": says(403, retry_after="7"),
    "404": says(404),
    "a page with 200": says(200, PAGE, content_type="text/html"),
    "half an answer": says(200, b'{"data": {"vie', content_type="application/json"),
    "a slow drip": lambda request: httpx.Response(200, stream=Drip()),
    "a redirect to the metadata": says(302, location=METADATA),
}
NOT_THERE = {"404", "a page with 200"}
"""What an index says of a package that it does not have: no fault, it may come."""
LATER = {"503 with Retry-After", "429", "403, a secondary limit"}


@dataclass
class Line:
    """The lines to all neighbours: `fault` is what happens to those who ask `host` for `path`."""

    host: str
    path: str
    fault: Callable[[httpx.Request], httpx.Response] | None = None
    lost_replies: int = 0
    hits: int = 0
    asked: set[str] = field(default_factory=set)

    def concerns(self, request: httpx.Request) -> bool:
        self.asked.add(request.url.host)
        return request.url.host == self.host and request.url.path.startswith(self.path)


class Faulty(httpx.AsyncBaseTransport):
    """The way to a neighbour while something is wrong with it."""

    def __init__(self, inner: httpx.AsyncBaseTransport, line: Line) -> None:
        self._inner, self._line = inner, line

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self._line.concerns(request):
            return await self._inner.handle_async_request(request)
        if self._line.fault:
            self._line.hits += 1
            return self._line.fault(request)
        answer = await self._inner.handle_async_request(request)
        if self._line.lost_replies:
            self._line.lost_replies -= 1
            self._line.hits += 1
            raise httpx.ReadError("the reply was lost")
        return answer


async def reach(town: Town, line: Line) -> None:
    """Play until the release's next step asks the neighbour, which fails."""
    fence, line.hits = town.releases()[0].fence if town.releases() else 0, 0
    for _ in range(200):
        await town.run(patience=timedelta())
        if line.hits and town.release("0.1.0").fence > fence:
            return
        town.now += timedelta(seconds=1)
    raise AssertionError("nobody asked")


async def wait_out(neighbour: str, url: str) -> None:
    """One journey through every fault of one neighbour, and the end that it was meant to have."""
    with tempfile.TemporaryDirectory() as folder:
        line = Line(*NEIGHBOURS[neighbour])
        town = Town(Path(folder), url, line=lambda inner: Faulty(inner, line))
        line.fault = FAULTS["refused"]
        await town.publish("0.1.0")
        await reach(town, line)
        for name, fault in FAULTS.items():
            line.fault = fault
            stage = town.release("0.1.0").stage
            await reach(town, line)
            must_wait(town, neighbour, name, stage)
        line.fault, line.lost_replies = None, 3
        await town.run(patience=timedelta(hours=1))
        assert 0 == line.lost_replies
        assert METADATA.split("/")[2] not in line.asked
        assert Stage.VERIFIED is town.release("0.1.0").stage, town.release("0.1.0").sentence
        assert [1, 1, 1, 1] == [
            len(town.github.pulls),
            town.mutations("createCommitOnBranch"),
            town.mutations("mergePullRequest"),
            len(town.heroku.builds),
        ]
        town.must_be_sound()
        await town.close()


def must_wait(town: Town, neighbour: str, fault: str, stage: Stage) -> None:
    """It stands where it stood, and says why in a sentence that names the neighbour."""
    release = town.release("0.1.0")
    assert stage is release.stage, f"{fault}: {release.sentence}"
    assert release.due_at is not None
    assert release.due_at > town.now, fault
    if neighbour == "the API":
        assert "unknown" == release.facts.readings[-1].verdict, fault
        return
    missing = neighbour == "the index" and fault in NOT_THERE
    wanted = "waiting_for_index" if missing else "unavailable"
    assert wanted == release.code, f"{fault}: {release.sentence}"
    if fault in LATER:
        assert release.due_at - town.now >= timedelta(seconds=6)


@pytest.mark.parametrize("neighbour", NEIGHBOURS)
def test_every_fault_of_a_neighbour_is_waited_out(url: str, neighbour: str) -> None:
    with asyncio.Runner(loop_factory=SkewedLoop) as runner:
        runner.run(wait_out(neighbour, url))
