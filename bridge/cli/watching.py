"""Look at a bridge again whenever it tells of something, or after a while, until what is watched
has ended."""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType

from packaging.version import InvalidVersion, Version
from rich.console import Group
from rich.live import Live
from rich.text import Text

from bridge.cli import screen as plainly
from bridge.cli import told
from bridge.cli.asked import Asked
from bridge.cli.common import err, out
from bridge.cli.find import look_for
from bridge.cli.layout import sentence
from bridge.configuration import duration
from bridge.errors import Misconfigured, Unavailable
from bridge.kit.clock import system_clock
from bridge.release import Stage
from bridge.sentences import say
from bridge.web.shapes import Now, ReleasePage, ReleaseRow

EVERY = 1.0
"""Seconds between two looks where nobody tells of changes."""
EVERY_TOLD = 15.0
"""The same where the bridge tells of them: to be sure."""


@dataclass
class Seen:
    """What one look saw: the releases, how a terminal shows them, and whether all has ended."""

    rows: Sequence[ReleaseRow]
    draw: Callable[[int], Iterator[Text]]
    verified: bool | None = None
    """True where all that is watched is verified, False where it ended otherwise, else None."""
    note: str = ""


Look = Callable[[Asked], Awaitable[Seen]]


async def everything(bridge: Asked) -> Seen:
    """What serves and what is on its way, in every pipeline; it has no end."""
    now = await bridge.get(Now, "/now")
    rows = [row for tile in now.tiles for row in (*tile.under_way, tile.last_failure) if row]
    return Seen(rows, lambda width: told.now(now, width))


def one(package: str, version: str) -> Look:
    """One version, in every pipeline that it is for. Raises Misconfigured for what is none."""
    try:
        spelled = str(Version(version))
    except InvalidVersion:
        raise Misconfigured(say("cli_no_version", version=version).sentence) from None
    unheard = say("cli_unheard", package=package, version=spelled).sentence

    async def look(bridge: Asked) -> Seen:
        rows = await look_for(bridge, package, spelled)
        pages = [await bridge.get(ReleasePage, f"/releases/{row.id}") for row in rows]

        def draw(width: int) -> Iterator[Text]:
            for page in pages:
                yield sentence(Text(f"{page.package} {page.version}", "bold"), width)
                yield from told.why(page, width)
                yield told.rail(page.rail, width)

        ended = bool(pages) and all(page.stage.is_end for page in pages)
        verified = all(page.stage is Stage.VERIFIED for page in pages)
        return Seen(pages, draw, verified if ended else None, "" if pages else unheard)

    return look


async def look_on(bridge: Asked, look: Look, screen: "Screen", within: float | None) -> bool | None:
    """Show what `look` sees until it has ended or the time is over; how it ended, None if it did
    not. Raises Unavailable where nobody answers at first; later it looks again."""
    end = time.monotonic() + within if within is not None else float("inf")
    screen.show(await look(bridge))
    bell = Bell()
    with bell.rung_by(bridge):
        while screen.seen.verified is None and time.monotonic() < end:
            await bell.wait(end - time.monotonic())
            try:
                screen.show(await look(bridge))
            except Unavailable as error:
                screen.note(say("cli_lost_sight", why=error).sentence)
    return screen.seen.verified


@dataclass
class Bell:
    """Rings when the bridge tells of a new line of its record."""

    rung: asyncio.Event = field(default_factory=asyncio.Event)
    every: float = EVERY
    last: int | None = None

    @contextlib.contextmanager
    def rung_by(self, bridge: Asked) -> Iterator[None]:
        """Listen meanwhile, if the bridge can tell."""
        task = asyncio.create_task(self._listen(bridge)) if bridge.tells else None
        try:
            yield
        finally:
            if task:
                task.cancel()

    async def wait(self, most: float) -> None:
        """Until it rings, for a while at most."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.rung.wait(), max(0.0, min(self.every, most)))
        self.rung.clear()

    async def _listen(self, bridge: Asked) -> None:
        while True:
            with contextlib.suppress(Unavailable):
                async for seq in bridge.events(self.last):
                    if seq is not None or self.every == EVERY:
                        self.rung.set()  # a line, or the first sign: what came before it is seen
                    self.last, self.every = seq or self.last, EVERY_TOLD
            self.every = EVERY
            await asyncio.sleep(EVERY_TOLD)


class Screen:
    """A terminal that is drawn anew, or a line for every change."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.seen = Seen([], lambda width: iter(()))
        self._as_json = as_json
        self._known: dict[int, tuple[str, str]] = {}
        self._noted = ""
        # Without colour there are no escapes at all, so nothing can be drawn anew.
        on_terminal = out.is_terminal and out.color_system and not out.is_dumb_terminal
        self._live = (
            Live(get_renderable=self._drawn, console=out, refresh_per_second=1)
            if on_terminal and not as_json
            else None
        )

    def __enter__(self) -> "Screen":
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, seen: Seen) -> None:
        """What a look saw."""
        self.seen = seen
        self.note(seen.note)
        if self._live:
            self._live.refresh()
            return
        for row in seen.rows:
            stands = (row.stage.value, row.reason.code)
            if self._known.get(row.id) != stands:
                self._known[row.id] = stands
                self._tell(row)
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """Something about the looking itself, once."""
        if text != self._noted:
            self._noted = text
            if text and not self._live:
                err.print(sentence(text, plainly.width()), soft_wrap=True)

    def _tell(self, row: ReleaseRow) -> None:
        if self._as_json:
            print(json.dumps(row.model_dump(mode="json")))
            return
        at = f"{system_clock():%H:%M:%S}Z {row.pipeline}: {row.package} {row.version}"
        plainly.tell(f"{at} {row.mark} {row.stage.value}: {row.reason.sentence}")

    def _drawn(self) -> Group:
        width = plainly.width()
        lines = list(self.seen.draw(width))
        if self._noted:
            lines.append(sentence(self._noted, width))
        return Group(*lines)


def span_of(said: str) -> float:
    """Seconds. Raises Misconfigured for what is no span."""
    with contextlib.suppress(ValueError):
        if isinstance(told := duration(said), timedelta):
            return told.total_seconds()
    raise Misconfigured(say("cli_no_span", said=said).sentence)
