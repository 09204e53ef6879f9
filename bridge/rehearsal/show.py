"""What the rehearsal shows: one line a transition while it runs, tables when it is over."""

import json
import time
from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from bridge.sentences import span

MARKS = {"verified": "[green]✓[/]", "failed": "[red]✗[/]", "rolled_back": "[red]↶[/]"}


class Reason(BaseModel):
    """Code and sentence, as the API tells them."""

    code: str
    sentence: str


class Line(BaseModel):
    """One transition, as the API tells it."""

    seq: int
    kind: str
    to: str
    reason: Reason
    recorded_at: datetime


class Told(BaseModel):
    """One release, as the API tells it."""

    id: int
    version: str
    stage: str
    reason: Reason
    lead_time_s: float | None
    digest: str | None
    merge_sha: str | None
    pull_request: dict[str, object] | None
    transitions: list[Line] = []

    @property
    def alarms(self) -> list[str]:
        """The codes of what went on record as an alarm."""
        return [line.reason.code for line in self.transitions if line.kind == "alarm"]


class Show:
    """Progress on a terminal; silent when JSON is wanted, which is printed once at the end."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._out = Console(quiet=as_json, highlight=False, soft_wrap=True)
        self._began = time.monotonic()
        self._seen: dict[int, Line] = {}

    def faults(self, known: Mapping[str, str]) -> None:
        """What can go wrong on request."""
        for name, what in known.items():
            self._out.print(Text.assemble((f"{name:<16}", "bold"), what))

    def say(self, text: str) -> None:
        """One line of progress."""
        self._out.print(Text.assemble((self._time(), "dim"), "  ", text))

    def heading(self, text: str) -> None:
        """A new act."""
        self._out.print()
        self._out.rule(Text(text), align="left")

    def lines(self, told: Told) -> None:
        """Every transition that was not shown yet, with how long it took."""
        before: Line | None = None
        for line in [line for line in told.transitions if line.kind == "move"]:
            if line.seq not in self._seen:
                self._seen[line.seq] = line
                took = (line.recorded_at - before.recorded_at).total_seconds() if before else 0.0
                mark = MARKS.get(line.to, "[cyan]›[/]")
                self._out.print(
                    Text(self._time(), "dim"),
                    f" {mark} [bold]{told.version} {line.to:<9}[/]",
                    Text(f"{span(took) if before else '':>7} ", "dim"),
                    Text(line.reason.sentence),
                )
            before = line

    def table(self, releases: list[Told]) -> None:
        """Both releases at a glance."""
        table = Table("version", "stage", "announced to verified", "pull request", "merge", "wheel")
        for one in releases:
            pull = f"#{one.pull_request['number']}" if one.pull_request else ""
            lead = span(one.lead_time_s) if one.lead_time_s is not None else ""
            sha, digest = (one.merge_sha or "")[:8], (one.digest or "")[:19]
            table.add_row(one.version, one.stage, lead, pull, sha, digest)
        self._out.print(table)

    def diff(self, title: str, text: str) -> None:
        """A pull request's change."""
        self._out.print(f"\n[bold]{title}[/]")
        self._out.print(Syntax(text, "diff", background_color="default"))

    def pair(self, title: str, before: object, after: object) -> None:
        """Something before and after."""
        self._out.print(f"\n[bold]{title}[/]")
        self._out.print(Text(f"before  {json.dumps(before)}"))
        self._out.print(Text(f"after   {json.dumps(after)}"))

    def verdict(self, good: bool, text: str) -> None:
        """The last word."""
        self._out.print()
        self._out.print(Text(("✓ " if good else "✗ ") + text, "bold green" if good else "bold red"))

    def log(self, title: str, text: str) -> None:
        """The tail of the log that matters."""
        self._out.print(Text(f"\n{title}", "bold"))
        self._out.print(Text(text, "dim"))

    def json(self, value: object) -> None:
        """The one thing that is printed when JSON is wanted."""
        if self._as_json:
            print(json.dumps(value, indent=2))

    def _time(self) -> str:
        return f"{time.monotonic() - self._began:6.1f} s"
