"""Coverage-guided fuzzing of signatures and parsers, wherever atheris is installed."""

import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bridge.sources import SOURCES
from tests.faults.fuzz_kit import BODIES

ROOT = Path(__file__).parents[2]
SEED = os.environ.get("FAULTS_SEED", "20261123")
RUNS = 1_000_000 if "SOAK" in os.environ else 100_000
ENDS_WITHIN = 3600


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris is not made for this Python"
)
def test_no_bytes_are_a_bug_of_verifying_and_parsing(tmp_path: Path) -> None:
    for number, name in enumerate(sorted(SOURCES)):
        (tmp_path / name).write_bytes(bytes([number]) + json.dumps(BODIES[name]).encode())
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.guided", str(RUNS), SEED, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN,
        check=False,
    )
    took = time.monotonic() - began
    told = done.stderr[-3000:]
    assert done.returncode == 0, told
    assert f"Done {RUNS} in" in told
    print(f"{RUNS:,} inputs, {RUNS / took:,.0f} a second, seed {SEED}")
