"""How many deliveries a second are acknowledged, beside other receivers: `python -m bench.ingest`.

8 KiB signed bodies, unique ids, 64 connections, rounds in turn. The bridge is the whole one: what
it acknowledges is on disk, and its worker handles it meanwhile.
"""

import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
SECRET = "made-up-github-secret-0000"  # noqa: S105
ROUNDS = int(os.environ.get("ROUNDS", "5"))
COUNT = int(os.environ.get("COUNT", "6000"))
RATE, SECONDS = 500.0, 10
MEDIAN, P99 = 2.0, 15.0
TARGETS = {"probot": 1.0, "gidgethub": 1.0, "plain": 8.0}
TOML = """
[[pipeline]]
name = "house-prices"
package = "regression-model"
index = "http://127.0.0.1:9/"
repository = "acme/model-deployment"
app = "house-prices-api"
api_url = "http://127.0.0.1:9"
"""


@dataclass
class Receiver:
    """One of those that are compared."""

    name: str
    what: str
    path: str
    command: list[str]
    count: int = COUNT
    port: int = 0
    rates: list[float] = field(default_factory=list)
    busiest: float = 0.0

    @property
    def median(self) -> float:
        return statistics.median(self.rates)


def main() -> int:
    """Measure, print the tables; 1 when a target is missed."""
    out = Console()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        compared = [*receivers(folder, out)]
        for receiver in compared:
            start(receiver, folder, stack)
        for receiver in compared:
            load(receiver, min(receiver.count, 500))
        for number in range(ROUNDS):
            for receiver in compared[number % len(compared) :] + compared[: number % len(compared)]:
                seen = load(receiver, receiver.count)
                receiver.rates.append(seen["rate"])
                receiver.busiest = max(receiver.busiest, seen["busy"])
                if receiver.name == "bridge":
                    wait_until_handled(receiver)  # what is left over must not slow the others
        table(out, compared)
        named = {receiver.name: receiver for receiver in compared}
        ours = named["bridge"]
        wait_until_handled(ours)
        floor = load(named["floor"], int(RATE * SECONDS), RATE)
        paced = load(ours, int(RATE * SECONDS), RATE)
    out.print(
        f"At {RATE:.0f} a second the floor answers after {floor['median']:.2f} ms (median), "
        f"{floor['p99']:.2f} ms (p99): that is this machine and its noise."
    )
    out.print(
        f"At {RATE:.0f} a second: acknowledged after {paced['median']:.2f} ms (median; under "
        f"{MEDIAN:.0f}), {paced['p99']:.2f} ms (p99; under {P99:.0f})."
    )
    missed = [
        f"{ours.median / named[name].median:.2f} × {name}, not {target:.0f} ×"
        for name, target in TARGETS.items()
        if name in named and ours.median < target * named[name].median
    ]
    if paced["median"] >= MEDIAN or paced["p99"] >= P99:
        missed.append("slower than wanted at a steady pace")
    out.print(f"Missed: {'; '.join(missed)}." if missed else "Every target is met.")
    return bool(missed)


def receivers(folder: Path, out: Console) -> list[Receiver]:
    """Everything that can be measured here."""
    own = [sys.executable, "-m", "bench.receivers"]
    found = [
        Receiver("floor", "append, fdatasync, nothing verified", "/", [*own, "floor"]),
        Receiver(
            "bridge",
            "verified, on disk, handled",
            "/webhooks/github",
            [sys.executable, "-m", "bridge", "serve", "--port"],
        ),
        Receiver("gidgethub", "with aiohttp: verified, parsed", "/hook", [*own, "gidgethub"]),
        Receiver("plain", "FastAPI, SQLModel, a commit each", "/hook", [*own, "plain"], COUNT // 8),
    ]
    home = Path(os.environ["PROBOT"]) if "PROBOT" in os.environ else folder / "probot"
    if has_probot(home):
        os.environ["PROBOT"] = str(home)
        command = ["node", str(HERE / "probot.mjs")]
        found.append(
            Receiver("probot", "verified, parsed, one handler", "/api/github/webhooks", command)
        )
    else:
        out.print("Probot is left out: node is not there, or `npm install probot` did not work.")
    return found


def has_probot(home: Path) -> bool:
    """Whether Probot is in `home`, or could be put there."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return False
    if (home / "node_modules" / "probot").is_dir():
        return True
    home.mkdir(exist_ok=True)
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", "probot@14"]
    try:
        return not subprocess.run(command, cwd=home, capture_output=True, timeout=180).returncode
    except subprocess.TimeoutExpired:
        return False


def start(receiver: Receiver, folder: Path, stack: ExitStack) -> None:
    """Start it on a free port, wait until it listens, end it with the stack."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        receiver.port = free.getsockname()[1]
    (folder / "bridge.toml").write_text(TOML)
    environment = {
        **os.environ,
        "SECRET": SECRET,
        "BRIDGE_CONFIG": str(folder / "bridge.toml"),
        "BRIDGE_DATABASE_URL": f"sqlite:///{folder / 'bridge.db'}",
        "BRIDGE_WEBHOOK_SECRETS__GITHUB": SECRET,
    }
    command = [*receiver.command, str(receiver.port), str(folder)]
    if receiver.name == "bridge":
        command.pop()
    log = stack.enter_context((folder / f"{receiver.name}.log").open("w"))
    running = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    stack.callback(running.wait)
    stack.callback(running.terminate)
    for _ in range(300):
        try:
            httpx.get(f"http://127.0.0.1:{receiver.port}/nothing", timeout=5)
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{receiver.name} did not start: {Path(log.name).read_text()[-500:]}")


def load(receiver: Receiver, count: int, rate: float = 0) -> dict[str, float]:
    """One round; every delivery must be accepted."""
    words = [str(receiver.port), receiver.path, str(count), str(rate)]
    done = subprocess.run(
        [sys.executable, "-m", "bench.load", *words],
        env={**os.environ, "SECRET": SECRET},
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode:
        raise SystemExit(f"{receiver.name}: {done.stderr[-500:]}")
    seen: dict[str, float] = json.loads(done.stdout)
    statuses = json.loads(done.stdout)["statuses"]
    if statuses not in ({"202": count}, {"200": count}):
        raise SystemExit(f"{receiver.name} answered {statuses}")
    return seen


def wait_until_handled(ours: Receiver) -> None:
    """Until its inbox is empty."""
    url = f"http://127.0.0.1:{ours.port}/api/v1/deliveries?state=new&limit=1"
    while httpx.get(url, timeout=30).json()["items"]:
        time.sleep(0.5)


def table(out: Console, compared: list[Receiver]) -> None:
    """Medians, spread and the ratio to the floor."""
    floor = compared[0].median
    out.print(
        f"{os.cpu_count()} cores, Python {platform.python_version()}, {ROUNDS} rounds in turn, "
        "8 KiB signed bodies as GitHub shapes them, 64 connections"
    )
    shown = Table("receiver", "what", "a second", "from … to", "of the floor", "load's core")
    for receiver in compared:
        shown.add_row(
            receiver.name,
            receiver.what,
            f"{receiver.median:,.0f}",
            f"{min(receiver.rates):,.0f} … {max(receiver.rates):,.0f}",
            f"{receiver.median / floor:.2f}",
            f"{receiver.busiest:.0%}",
        )
    out.print(shown)


if __name__ == "__main__":
    sys.exit(main())
