"""From merge webhook to build request, and from build finished to first reading, when the
neighbours answer at once: the story town with the real clock and the real worker."""

import asyncio
import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from bridge.kit.log import configure
from bridge.rehearsal.letters import Letter
from bridge.release import ENDS, Stage
from tests.stories.town import Town

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "30"))
TARGET_MS = 300.0
PATIENCE = 60.0
LOOK_EVERY = 0.05


class Witness(httpx.AsyncBaseTransport):
    """Notes when each request is made."""

    def __init__(self, inner: httpx.AsyncBaseTransport, seen: list[tuple[str, float]]) -> None:
        self._inner, self._seen = inner, seen

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._seen.append((f"{request.method} {request.url.path}", time.perf_counter()))
        return await self._inner.handle_async_request(request)


class LiveTown(Town):
    """The same town, by the clock of this machine, whose post is delivered at once."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[tuple[str, float]] = []
        self.sent: list[tuple[Letter, float]] = []
        policy = {"merge": "human", "verify": {"every": "200ms", "within": "1m"}}
        super().__init__(folder, policy=policy, line=lambda inner: Witness(inner, self.asked))

    def clock(self) -> datetime:
        return datetime.now(UTC)

    async def pump(self) -> None:
        """Deliver every letter as soon as it is written."""
        while True:
            while self.mail:
                letter = self.mail.pop(0)
                self.sent.append((letter, time.perf_counter()))
                await self.deliver(letter)
            await asyncio.sleep(0.001)

    async def until(self, version: str, *stages: Stage) -> None:
        """Wait until the version stands there; raises TimeoutError."""
        async with asyncio.timeout(PATIENCE):
            for known in iter(self.releases, None):
                if any(one.version == version and one.stage in stages for one in known):
                    return
                await asyncio.sleep(LOOK_EVERY)

    def told(self, words: bytes) -> float:
        """When the last webhook with these words was sent."""
        return max(at for letter, at in self.sent if words in letter.body.replace(b" ", b""))

    def first(self, request: str, since: float) -> float:
        """Milliseconds until the first such request."""
        return 1000 * (
            next(at for name, at in self.asked if name == request and at > since) - since
        )


@contextlib.asynccontextmanager
async def living() -> AsyncIterator[LiveTown]:
    with tempfile.TemporaryDirectory() as folder:
        town = LiveTown(Path(folder))
        async with town.bridge.running():
            post = asyncio.create_task(town.pump())
            yield town
            post.cancel()
            await asyncio.wait([post])
        await town.heroku.close()


async def measured() -> dict[str, list[float]]:
    """Each round one version on its way; milliseconds."""
    building, reading = [], []
    async with living() as town:
        for number in range(ROUNDS):
            version = f"0.1.{number}"
            town.now = town.clock()
            await town.publish(version)
            await town.until(version, Stage.PROPOSED)
            town.github.merge(number + 1, "rosa")
            await town.until(version, *ENDS)
            merged = town.told(b'"action":"closed"')
            building.append(town.first("POST /apps/house-prices-api/builds", merged))
            built = town.told(b'"status":"succeeded"')
            reading.append(town.first("GET /api/v1/health", built))
    return {"merge webhook to build request": building, "build finished to first reading": reading}


def main() -> int:
    """Print the table; 1 when a median misses its target."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
        configure(json=True)
        found = asyncio.run(measured())
    out = Console()
    out.print(f"{os.cpu_count()} cores, {ROUNDS} versions, neighbours in this process")
    table = Table("milliseconds", "median", "p90", "slowest", "target")
    for name, times in found.items():
        ninth = statistics.quantiles(times, n=10)[-1]
        figures = [f"{one:.0f}" for one in (statistics.median(times), ninth, max(times))]
        table.add_row(name, *figures, f"below {TARGET_MS:.0f}")
    out.print(table)
    return 1 if any(statistics.median(times) > TARGET_MS for times in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
