"""One job, really run: a fresh folder, a fresh Python environment, its steps by bash.

The image that a job asks for is not to be had on one's own machine without a container engine. In
its place stands a virtual environment made from the Python that runs the rehearsal, first on
PATH; the first line of the log says so.
"""

import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Literal

import uv

from bridge.rehearsal.circleci.config import Job, Run

Outcome = Literal["success", "failed", "infrastructure_fail"]

SHORT = 4
"""Shorter values are not masked: they would hide half of the log."""

_PASSED_ON = {"PATH", "HOME", "LANG", "TMPDIR", "REQUESTS_CA_BUNDLE"}
_PASSED_ON_PREFIXES = ("LC_", "SSL_", "PIP_", "UV_")


def machine_environment() -> dict[str, str]:
    """The little that a job, and git, may see of this machine's environment."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _PASSED_ON
        or name.startswith(_PASSED_ON_PREFIXES)
        or name.upper().endswith("_PROXY")
    }


class Processes:
    """What runs now, each in a process group of its own, so that all of it can be killed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self.stopped = False

    def run(self, command: Sequence[str], folder: Path, env: Mapping[str, str], log: Path) -> int:
        """The exit code, negative where a signal ended it; output is appended to the log.

        What the command leaves running in its group ends with it.
        """
        with log.open("ab") as output, self._lock:
            if self.stopped:
                return -signal.SIGKILL
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._running.add(process)
        try:
            return process.wait()
        finally:
            with self._lock:
                self._running.discard(process)
            _kill_group(process)

    def stop(self) -> None:
        with self._lock:
            self.stopped = True
            for process in self._running:
                _kill_group(process)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


@dataclass(frozen=True)
class Source:
    """The commit to check out: a bare repository, and the branch if it was pushed as one."""

    repository: Path
    revision: str
    branch: str | None


class Container:
    """A job's own folder, with `log.txt`, the Python environment and the checkout in it.

    `secrets` are the contexts' variables: given to the steps, masked in the finished log.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        secrets: Mapping[str, str],
        processes: Processes,
    ) -> None:
        self.log = folder / "log.txt"
        self._folder = folder
        self._project = folder / "project"
        self._env = {**machine_environment(), **environment, **secrets}
        self._secrets = [value.encode() for value in secrets.values() if len(value) >= SHORT]
        self._processes = processes

    def set_up(self, image: str) -> int:
        self._project.mkdir(parents=True)
        self.note(
            f"This job asks for {image}. It gets Python {platform.python_version()} of this"
            " machine, in a fresh virtual environment."
        )
        python = self._folder / "python"
        make = [uv.find_uv_bin(), "venv", "--quiet", "--seed", "--python", sys.executable]
        self._env["PATH"] = f"{python / 'bin'}{os.pathsep}{self._env.get('PATH', os.defpath)}"
        return self._processes.run([*make, str(python)], self._folder, self._env, self.log)

    def checkout(self, source: Source) -> int:
        clone = ["git", "clone", "--quiet", "--no-checkout", str(source.repository), "."]
        target = ["-B", source.branch] if source.branch else ["--detach"]
        switch = ["git", "checkout", "--quiet", *target, source.revision]
        return self._do(clone) or self._do(switch)

    def run(self, step: Run, job: Job) -> int:
        folder = self._project / step.working_directory
        folder.mkdir(parents=True, exist_ok=True)
        env = {**self._env, **job.environment, **step.environment}
        command = ["bash", "-eo", "pipefail", "-c", step.command]
        return self._processes.run(command, folder, env, self.log)

    def note(self, text: str) -> None:
        with self.log.open("a") as log:
            log.write(f"{text}\n")

    def mask(self) -> None:
        """Hides secrets as theirs does, https://circleci.com/docs/guides/security/env-vars/."""
        log = self.log.read_bytes()
        for secret in sorted(self._secrets, key=len, reverse=True):
            log = log.replace(secret, b"****")
        self.log.write_bytes(log)

    def _do(self, command: Sequence[str]) -> int:
        return self._processes.run(command, self._project, self._env, self.log)


def run_job(job: Job, source: Source, container: Container, tell: Callable[[str], None]) -> Outcome:
    """Runs the steps until one fails; `tell` hears of each one that went well."""
    try:
        if container.set_up(job.image):
            return "infrastructure_fail"
        for step in job.steps:
            title = step.title if isinstance(step, Run) else "Check out the code"
            container.note(f"\n==> {title}")
            began = time.monotonic()
            code = container.run(step, job) if isinstance(step, Run) else container.checkout(source)
            took = f"{time.monotonic() - began:.1f} s"
            container.note(f"<== exit code {code} after {took}")
            if code:
                return "failed"
            tell(f"{job.name}: {title} ({took})")
        return "success"
    finally:
        container.mask()
