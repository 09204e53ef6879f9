"""The whole journey: how long the demo takes, and how much of it is the bridge itself."""

import json
import os
import platform
import subprocess
import sys
import time

from rich.console import Console
from rich.table import Table

DEMO_WARM = 90.0
BRIDGE_OWN = 2.0


def main() -> int:
    """Rehearse once, print the table; 1 when a target is missed."""
    out = Console()
    began = time.monotonic()
    command = [sys.executable, "-m", "bridge", "rehearse", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    took = time.monotonic() - began
    told = json.loads(done.stdout)
    if done.returncode:
        out.print(f"The rehearsal failed: {told.get('why', done.stderr[-500:])}")
        return 1
    out.print(f"{os.cpu_count()} cores, Python {platform.python_version()}, one run, warm caches")
    table = Table("seconds", *[release["version"] for release in told["releases"]], "target")
    for name, row in (
        ("announced to verified", "total"),
        ("CI's checks of the pull request", "checks"),
        ("Heroku's build and boot", "building"),
        ("the bridge itself", "own"),
    ):
        target = f"at most {BRIDGE_OWN:.0f}" if row == "own" else ""
        table.add_row(name, *[f"{timing[row]:.2f}" for timing in told["timings"]], target)
    table.add_row("whole demo", f"{took:.1f}", "", f"at most {DEMO_WARM:.0f}")
    out.print(table)
    slow = [timing for timing in told["timings"] if timing["own"] > BRIDGE_OWN]
    return 1 if slow or took > DEMO_WARM else 0


if __name__ == "__main__":
    sys.exit(main())
