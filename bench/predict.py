"""How fast the model answers and how soon and small the API stands: `python bench/predict.py`.

Run it in the environment of `make setup`, after `python -m regression_model train`.
"""

import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

import httpx
from regression_model.config import CARD_FILE, PACKAGE
from regression_model.predict import make_prediction

ROOT = Path(__file__).parents[1]
ROUNDS = 3_000
STARTS = 5


def one_row() -> tuple[float, float]:
    """Median and 99th percentile, in milliseconds, of one row through `make_prediction`."""
    row = json.loads((PACKAGE / CARD_FILE).read_bytes())["known_answers"][0]["input"]
    for _ in range(50):
        make_prediction([row])
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter_ns()
        make_prediction([row])
        times.append((time.perf_counter_ns() - start) / 1e6)
    return statistics.median(times), statistics.quantiles(times, n=100)[98]


def one_start() -> tuple[float, float]:
    """Seconds until a fresh process answers its health, and its memory in MB once it predicted."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    row = json.loads((PACKAGE / CARD_FILE).read_bytes())["known_answers"][0]["input"]
    command = [sys.executable, "-m", "uvicorn", "app.main:app", "--port", str(port)]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
        start = time.perf_counter()
        process = subprocess.Popen([*command, "--log-level", "warning"], cwd=ROOT / "api")
        try:
            _wait_for(port, process)
            client.get("/api/v1/health").raise_for_status()
            ready = time.perf_counter() - start
            client.post("/api/v1/predict", json={"inputs": [row]}).raise_for_status()
            return ready, _memory(process.pid)
        finally:
            process.terminate()
            process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    # A bare connect, because an HTTP client that polls takes a core from what it measures.
    while process.poll() is None:
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise SystemExit("the API did not start")


def _memory(pid: int) -> float:
    status = Path(f"/proc/{pid}/status")
    if not status.is_file():
        return float("nan")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1000


def main() -> int:
    """Print the table; 0 when every target is met."""
    median, p99 = one_row()
    starts = [one_start() for _ in range(STARTS)]
    ready = statistics.median(seconds for seconds, _ in starts)
    memory = max(megabytes for _, megabytes in starts)
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.machine()}")
    rows = [
        (f"one row, median of {ROUNDS:,}", f"{median:.3f} ms", "< 1 ms", median < 1),
        ("one row, 99th percentile", f"{p99:.3f} ms", "", True),
        (f"process until health answers, median of {STARTS}", f"{ready:.2f} s", "< 1 s", ready < 1),
        ("memory of the process, peak", f"{memory:.0f} MB", "< 130 MB", not memory >= 130),
    ]
    for name, value, target, met in rows:
        print(f"{name:<48}{value:>10}  {target:<9} {'' if met else 'MISSED'}".rstrip())
    return 0 if all(met for *_, met in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
