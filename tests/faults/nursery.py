"""Real processes of `bridge serve`, born quickly: a server that has imported everything forks them.

A start costs a second and a half of imports and some milliseconds of everything else, which is
what may go wrong. So the imports are done once, and what is killed is the rest.
"""

import multiprocessing
import os
import sys
import time
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import httpx

READY_WITHIN = 30.0
FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(["pytest", "uvicorn", "uvloop", "bridge.cli", "bridge.web.app"])


def serve(port: int, environment: Mapping[str, str], log: str) -> None:
    """`bridge serve` with this environment, in a process that was just forked."""
    from bridge.cli import main

    os.environ.update(environment)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    sys.argv = ["bridge", "serve", "--port", str(port)]
    main()


class Bridge:
    """One bridge after another on the same port and the same database."""

    def __init__(self, folder: Path, port: int, environment: Mapping[str, str]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "bridge.log"
        self._arguments = (port, dict(environment), str(self.log))
        self._process: ForkServerProcess | None = None

    def start(self) -> None:
        """Bring the next one up; returns at once."""
        self._process = FORKING.Process(target=serve, args=self._arguments)
        self._process.start()

    def kill(self) -> None:
        """`kill -9`."""
        if self._process:
            self._process.kill()
            self._process.join()
            self._process.close()
            self._process = None

    def stop(self) -> tuple[int | None, float]:
        """SIGTERM; the exit code and how many seconds it took."""
        assert self._process is not None
        began = time.monotonic()
        self._process.terminate()
        self._process.join(READY_WITHIN)
        code, took = self._process.exitcode, time.monotonic() - began
        self.kill()
        return code, took

    def wait(self) -> None:
        """Until it takes deliveries; raises AssertionError with the end of its log."""
        end = time.monotonic() + READY_WITHIN
        while time.monotonic() < end and self._process and self._process.is_alive():
            try:
                if httpx.get(f"{self.url}/readyz", timeout=5, trust_env=False).is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.02)
        raise AssertionError(f"the bridge did not start:\n{self.log.read_text()[-4000:]}")
