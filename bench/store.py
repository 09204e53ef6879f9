"""How fast due releases drain, and what those cost that only wait: `python -m bench.store`.

A step is a claim, the step itself, the write that the fence guards, and its audit line; the worker
and the reconciler are the real ones. For "the engine alone" every stage's step answers at once, so
that 1,000 releases go five steps each to their end. For "the real confirm" each release asks an
index in this process, through the real HTTP client, which has no file yet: one step, one wait.

PostgreSQL is shown for information, where it is installed.
"""

import contextlib
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.drain import RELEASES, answering_at_once, steps_a_second
from bench.idle import LASTS, Cost, costs
from tests.postgresql_kit import a_server, programs

ROUNDS = 3
STEPS_A_SECOND = 150
FEW, MANY = 5_000, 50_000
PERCENT = 1.0
MEGABYTES = 10.0
"""More than one reading of an idle process differs from the next by."""
Databases = Callable[[], contextlib.AbstractContextManager[str]]


@contextlib.contextmanager
def a_file() -> Iterator[str]:
    """The address of a SQLite file that is not there yet."""
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/bridge.db"


def drained(database: Databases) -> dict[str, list[float]]:
    """Steps a second of every round, the two kinds by turns."""
    told: dict[str, list[float]] = {"the engine alone": [], "the real confirm": []}
    for _ in range(ROUNDS):
        with database() as url, answering_at_once():
            told["the engine alone"].append(steps_a_second(url))
        with database() as url:
            told["the real confirm"].append(steps_a_second(url))
    return told


def idle(database: Databases) -> list[Cost]:
    """The costs of nobody, a few and many that wait."""
    with contextlib.ExitStack() as open_:
        folder = Path(open_.enter_context(tempfile.TemporaryDirectory()))
        return costs(folder, [(n, open_.enter_context(database())) for n in (0, FEW, MANY)])


def show(out: Console, name: str, told: dict[str, list[float]], waited: list[Cost]) -> bool:
    """Print one database's two tables; whether the targets are met."""
    table = Table(f"{name}: {RELEASES:,} due, steps a second", "median", "least", "most")
    for kind, rounds in told.items():
        table.add_row(kind, *[f"{figure(rounds):.0f}" for figure in (statistics.median, min, max)])
    out.print(table)
    table = Table(f"{name}: idle for {LASTS:.0f} s", "% of a core", "MB")
    for count, cost in zip((0, FEW, MANY), waited, strict=True):
        table.add_row(f"{count:,} waiting", f"{cost.percent:.2f}", f"{cost.memory:.0f}")
    out.print(table)
    nobody, _, many = waited
    return (
        all(statistics.median(rounds) >= STEPS_A_SECOND for rounds in told.values())
        and many.percent - nobody.percent < PERCENT
        and many.memory - nobody.memory < MEGABYTES
    )


def main() -> int:
    """Print the tables; 0 when every target is met on SQLite."""
    out = Console()
    out.print(
        f"{os.cpu_count()} cores, Python {platform.python_version()}; {ROUNDS} rounds. Targets: at "
        f"least {STEPS_A_SECOND} steps a second; {MANY:,} waiting add less than {PERCENT:.0f} % of "
        f"a core and {MEGABYTES:.0f} MB"
    )
    met = show(out, "SQLite, synchronous=FULL", drained(a_file), idle(a_file))
    if found := programs():
        with a_server(found) as server:
            show(out, "PostgreSQL", drained(server.database), idle(server.database))
    else:
        out.print("PostgreSQL is not installed: nothing is measured on it")
    if not met:
        out.print("MISSED on SQLite")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
