"""How long every page and its twin takes after years of use: `python -m bench.pages`.

1,000,000 releases of 50 pipelines and 10,000,000 lines in SQLite, asked over HTTP in this process,
one request after the other, each for something else, none answered from a cache.
BENCH_RELEASES makes it smaller, BENCH_ARCHIVE keeps the file for the next time (some 12 GB),
BENCH_ONLY measures only paths that begin with it.
"""

import asyncio
import gc
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from bench.archive import DAYS, NOW, PEOPLE, RARE, made
from bench.rows import PIPELINES, settings
from bridge import audit
from bridge.bootstrap import Bridge
from bridge.store import record
from bridge.web.app import create_app

RELEASES = int(os.environ.get("BENCH_RELEASES", "1000000"))
ONLY = os.environ.get("BENCH_ONLY", "/")
REQUESTS = 200
P99 = 50.0
Chance = random.Random
Query = Callable[[Chance], str]
Measured = tuple[str, str, list[float], list[float]]
"""The path, what was asked for, and per request, sorted: milliseconds, and those of processors."""


def pipeline(chance: Chance) -> str:
    return f"model-{chance.randrange(PIPELINES)}"


def cursor(chance: Chance) -> str:
    return str(chance.randrange(100, RELEASES))


def day(chance: Chance) -> str:
    return f"{2021 + chance.randrange(1, 5)}-{chance.randrange(1, 13):02d}-01"


LISTS: dict[str, Query] = {
    "newest": lambda chance: f"?limit={chance.randrange(40, 51)}",
    "anywhere": lambda chance: f"?after={cursor(chance)}",
    "a pipeline": lambda chance: f"?pipeline={pipeline(chance)}&after={cursor(chance)}",
    "a stage": lambda chance: f"?stage=declined&after={cursor(chance)}",
    "an actor": lambda chance: f"?actor=bridge&after={cursor(chance)}",
    "a rare actor": lambda chance: f"?actor={RARE}&limit={chance.randrange(1, 50)}",
    "a version": lambda chance: f"?version=1.{cursor(chance)}.0",
    "from, to": lambda chance: f"?from={day(chance)}&to=2026-06-0{chance.randrange(1, 9)}",
    "pipeline, stage": lambda chance: f"?pipeline={pipeline(chance)}&stage=failed",
    "stage, actor": lambda chance: f"?stage=verified&actor=bridge&after={cursor(chance)}",
    "pipeline, stage, actor, time": lambda chance: (
        f"?pipeline={pipeline(chance)}&stage=failed&actor=bridge&from={day(chance)}"
    ),
    "no such pipeline": lambda chance: f"?pipeline=none-{cursor(chance)}",
    "no such actor": lambda chance: f"?actor=nobody&stage=verified&limit={chance.randrange(1, 50)}",
    "never both": lambda chance: f"?stage=announced&actor=bridge&after={cursor(chance)}",
    "never all": lambda chance: f"?stage=verified&actor=publisher&after={cursor(chance)}",
}
LINES: dict[str, Query] = {
    "newest": lambda chance: f"?limit={chance.randrange(40, 51)}",
    "anywhere": lambda chance: f"?after={chance.randrange(100, RELEASES * 10)}",
    "an actor": lambda chance: f"?actor={chance.choice(PEOPLE)}",
    "a code": lambda chance: f"?code=rolled_back&limit={chance.randrange(1, 50)}",
    "a version": lambda chance: f"?version=1.{cursor(chance)}.0",
    "from, to": lambda chance: f"?from={day(chance)}&to=2026-06-0{chance.randrange(1, 9)}",
    "actor, kind": lambda chance: f"?actor={chance.choice(PEOPLE)}&kind=move",
    "never both": lambda chance: f"?actor={chance.choice(PEOPLE)}&code=verified",
    "no such actor": lambda chance: f"?actor=nobody-{cursor(chance)}",
    "at a time": lambda chance: f"?at={day(chance)}&limit=1",
}
PATHS: dict[str, dict[str, Query]] = {
    "/now": {"": lambda chance: ""},
    "/releases": LISTS,
    "/releases/": {"": lambda chance: cursor(chance)},
    "/deliveries": {
        "newest": lambda chance: "",
        "parked": lambda chance: "?state=parked",
        "anywhere": lambda chance: f"?after={chance.randrange(1, max(2, RELEASES // 2))}",
    },
    "/deliveries/out": {"": lambda chance: ""},
    "/drift": {"": lambda chance: ""},
    "/metrics": {
        "90 days, all": lambda chance: f"?days={chance.randrange(80, 91)}",
        "90 days, one": lambda chance: f"?days=90&pipeline={pipeline(chance)}",
        "7 days": lambda chance: "?days=7",
    },
    "/audit": LINES,
}
PAGES = {"/now": "/", "/metrics": "/metrics-board"}


def asked() -> list[tuple[str, str, Query]]:
    """Every page with each of its queries, and its twin."""
    both = [(path, PAGES.get(path, path)) for path in PATHS]
    return [
        (shown, about, query)
        for path, page in both
        for shown in (page, f"/api/v1{path}")
        for about, query in PATHS[path].items()
        if shown.startswith(ONLY)
    ]


async def measured(bridge: Bridge) -> list[Measured]:
    """Every request's times. What is busy shows what a page costs on a machine that others use."""
    transport = httpx.ASGITransport(create_app(bridge))
    found, chance = [], Chance(7)
    gc.collect()
    gc.freeze()  # as `bridge serve` does
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        for path, about, query in asked():
            took, spent = [], []
            for number in range(REQUESTS + 5):
                address = path + query(chance)
                began, busy = time.perf_counter(), time.process_time()
                answer = await client.get(address)
                if number >= 5:  # the first ones build their statements
                    took.append((time.perf_counter() - began) * 1000)
                    spent.append((time.process_time() - busy) * 1000)
                assert answer.status_code == 200, (address, answer.status_code, answer.text[:200])
            found.append((path, about, sorted(took), sorted(spent)))
    return found


def measure(path: Path) -> list[Measured]:
    """The times, on an archive."""
    configured = settings(f"sqlite:///{path}")
    made(path, configured, RELEASES)
    bridge = Bridge(configured, clock=lambda: NOW)
    # As if the record had been walked once: what is measured is what a look costs then.
    last = bridge.store.read_now(record.last_seq)
    bridge.watchman.verdict = audit.Verdict(last, bridge.store.read_now(record.head))
    try:
        return asyncio.run(measured(bridge))
    finally:
        bridge.store.close()


def main() -> int:
    """Print the table; 0 when every page and twin is fast enough."""
    out = Console(width=110)
    kept = os.environ.get("BENCH_ARCHIVE")
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(kept) if kept else Path(folder) / "archive.db")
    out.print(
        f"{RELEASES:,} releases of {DAYS} days, {RELEASES * 10:,} lines, SQLite; {os.cpu_count()} "
        f"cores, Python {platform.python_version()}; {REQUESTS} requests each. "
        f"Target: {P99:.0f} ms at p99"
    )
    table = Table("path", "asked for", "p50 ms", "p99 ms", "max ms", "busy p50", "busy p99")
    slow = []
    for path, about, took, spent in found:
        p50, p99 = (len(took) - 1) // 2, int(len(took) * 0.99) - 1
        times = (took[p50], took[p99], took[-1], spent[p50], spent[p99])
        table.add_row(path, about, *(f"{one:.1f}" for one in times))
        if took[p99] > P99:
            slow.append(f"{path} {about}".strip())
    out.print(table)
    if slow:
        out.print(f"MISSED: {', '.join(slow)}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
