"""How fast due releases drain through the real worker and reconciler, in one process."""

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator

import httpx
from sqlmodel import Session, col, func, select

from bench.rows import PIPELINES, release, settings
from bridge.bootstrap import Bridge
from bridge.errors import Reason
from bridge.kit.clock import system_clock
from bridge.kit.log import configure
from bridge.pipeline import PIPELINE, Leg
from bridge.release import ENDS, Release, Transition
from bridge.steps.world import Done, Outcome, World

RELEASES = 1_000
LOOK_EVERY = 0.1
PATIENCE = 600.0
STEP = Reason("done", "It answered at once.")
AT_THE_START = "announced"


async def at_once(release: Release, world: World) -> Outcome:
    """The lightest step: it has earned the next stage."""
    return Done(STEP)


@contextlib.contextmanager
def answering_at_once() -> Iterator[None]:
    """For this block a step is nothing but our own work."""
    real = dict(PIPELINE)
    PIPELINE.update({stage: Leg(at_once, leg.earns) for stage, leg in real.items()})
    try:
        yield
    finally:
        PIPELINE.update(real)


def steps_a_second(url: str) -> float:
    """From 1,000 releases that are due to none: steps that left an audit line, a second."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
        configure(json=True)
        return asyncio.run(_drain(url))


async def _drain(url: str) -> float:
    index = httpx.MockTransport(lambda request: httpx.Response(404))
    bridge = Bridge(settings(url), transport=lambda url: index)
    bridge.store.migrate()
    now = system_clock()
    rows = [release(number, now, f"model-{number % PIPELINES}") for number in range(RELEASES)]
    await bridge.store.write(lambda session: session.add_all(rows))
    began, end = time.perf_counter(), time.monotonic() + PATIENCE
    async with bridge.running():
        while await bridge.store.read(_untouched_or_under_way):
            assert time.monotonic() < end, "the releases do not drain"
            await asyncio.sleep(LOOK_EVERY)
        took = time.perf_counter() - began
        lines = await bridge.store.read(_lines)
    return lines / took


def _untouched_or_under_way(session: Session) -> int:
    query = select(func.count()).where(
        col(Release.stage).not_in(ENDS), col(Release.code).in_((AT_THE_START, STEP.code))
    )
    return session.exec(query.select_from(Release)).one()


def _lines(session: Session) -> int:
    return session.exec(select(func.count()).select_from(Transition)).one()
