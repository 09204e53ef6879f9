"""What releases cost that only wait: processor time and memory of an idle `bridge serve`.

Bridges that differ only in how many releases wait in their database are idle side by side, so that
whatever else the machine does falls on all of them. The releases are of one pipeline, due in a
month, and arrive while the bridge serves: at its start a bridge looks at everything once. It
sweeps ten times as often as it would, so that the sweep is in what is measured.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from sqlmodel import Session
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bench.rows import release
from bridge.kit.clock import system_clock
from bridge.rehearsal.hosting import Hosting, free_port
from bridge.rehearsal.process import BridgeProcess
from bridge.store import Store

LASTS = 60.0
SETTLES = 10.0
TOGETHER = 1_000
CONFIGURATION = """\
sweep_every = "30s"

[[pipeline]]
name = "model-0"
package = "regression-model"
index = "{index}"
repository = "acme/model-deployment"
app = "app-0"
api_url = "{index}"
"""


@dataclass(frozen=True)
class Cost:
    """Percent of one core, and the memory in MB at the end."""

    percent: float
    memory: float


def costs(folder: Path, waiting: Sequence[tuple[int, str]]) -> list[Cost]:
    """Of one bridge for each number of waiting releases and the address of its database."""
    with contextlib.ExitStack() as closing:
        hosting = Hosting()
        closing.callback(hosting.stop)
        listening, index = hosting.reserve()
        published: set[int] = set()
        hosting.serve(index_of(published), listening)
        bridges: list[BridgeProcess] = []
        for count, url in waiting:
            home = folder / f"{len(bridges)}"
            home.mkdir()
            (home / "bridge.toml").write_text(CONFIGURATION.format(index=f"{index}/{count}/"))
            bridges.append(BridgeProcess(home, free_port(), {"BRIDGE_DATABASE_URL": url}))
            closing.callback(bridges[-1].stop)
            bridges[-1].start()
            asyncio.run(_fill(url, count))
            published.add(count)
        time.sleep(SETTLES)
        before = [processor_seconds(bridge.pid) for bridge in bridges]
        began = time.monotonic()
        time.sleep(LASTS)
        took = time.monotonic() - began
        return [
            Cost(100 * (processor_seconds(bridge.pid) - spent) / took, memory(bridge.pid))
            for bridge, spent in zip(bridges, before, strict=True)
        ]


def index_of(published: Container[int]) -> Starlette:
    """An index that lists the last one of so many releases, once they are there."""

    async def page(request: Request) -> Response:
        count = request.path_params["count"]
        last = f"regression_model-1.0.{count - 1}-py3-none-any.whl"
        files = [{"filename": last, "url": last}] if count and count in published else []
        return JSONResponse({"meta": {"api-version": "1.0"}, "files": files})

    return Starlette(routes=[Route("/{count:int}/{package}/", page)])


def processor_seconds(pid: int | None) -> float:
    """What a process has used so far, in user and in system mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int | None) -> float:
    """Resident memory in MB."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) / 1000


async def _fill(url: str, count: int) -> None:
    store, due = Store(url), system_clock() + timedelta(days=30)
    for first in range(0, count, TOGETHER):
        numbers = range(first, min(first + TOGETHER, count))
        rows = [release(number, due, "model-0") for number in numbers]
        await store.write(partial(Session.add_all, instances=rows))
    store.close()
