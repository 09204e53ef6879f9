"""The bridge itself, as a process of its own: production code with other base addresses."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from bridge.errors import Unavailable

READY_WITHIN = 30.0
END_WITHIN = 10.0


class BridgeProcess:
    """`bridge serve` on `port`, with its log in `folder`. It can be killed and started again."""

    def __init__(self, folder: Path, port: int, environment: Mapping[str, str]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "bridge.log"
        own = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
        self._environment = {**own, **environment}
        self._command = [sys.executable, "-m", "bridge", "serve", "--port", str(port)]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it takes deliveries. Raises Unavailable with its last words."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=self._folder, env=self._environment, stdout=log, stderr=log
            )
        end = time.monotonic() + READY_WITHIN
        while time.monotonic() < end:
            if self._process.poll() is not None:
                break
            try:
                if httpx.get(f"{self.url}/readyz", timeout=2, trust_env=False).is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise Unavailable(f"the bridge did not start:\n{tail(self.log)}")

    @property
    def pid(self) -> int | None:
        """Its process, once it was started."""
        return self._process.pid if self._process else None

    def kill(self) -> None:
        """`kill -9`: it gets no chance to say goodbye."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """SIGTERM, and SIGKILL for one who does not go."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(END_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()

    def ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of `bridge` beside the process, on its database."""
        command = [sys.executable, "-m", "bridge", *arguments]
        return subprocess.run(
            command,
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )


def tail(log: Path, lines: int = 25) -> str:
    """The last lines of a log."""
    if not log.exists():
        return "(no log)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
