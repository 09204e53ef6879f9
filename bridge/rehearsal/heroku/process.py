"""A web process, really run: by a shell, in a group of its own, with a free port of loopback."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Mapping
from pathlib import Path

import httpx

from bridge.rehearsal.heroku.dyno import DynoCrashed

BOOT_WITHIN = 60.0
STOP_WITHIN = 3.0
TAIL = 20

# What a process may see of this machine; everything else comes from the config vars.
OF_THE_MACHINE = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")


class ProcessDyno:
    """A process that has answered once; `stop` ends it with everything that it started."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self.client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False)

    async def stop(self) -> None:
        await end(self._process)
        await self.client.aclose()


async def start_web(command: str, root: Path, env: Mapping[str, str], log: Path) -> ProcessDyno:
    """Run `command` in `root` and return when its port accepts connections.

    Its output goes to `log`. Raises DynoCrashed if it ends, or does not listen within a minute.
    """
    port = free_port()
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            command,
            cwd=root,
            env={"DYNO": "web.1", **env, "PORT": str(port)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    dyno, listens = ProcessDyno(process, port), False
    try:
        async with asyncio.timeout(BOOT_WITHIN):
            listens = await _listens(process, port)
    except TimeoutError:
        raise DynoCrashed(f"R10 (boot timeout)\n{tail(log)}") from None
    finally:
        if not listens:
            await dyno.stop()
    if not listens:
        raise DynoCrashed(f"exited with status {process.returncode}\n{tail(log)}")
    return dyno


async def end(process: asyncio.subprocess.Process) -> None:
    """SIGTERM to the group, a few seconds later SIGKILL to whatever is left of it."""
    _signal(process, signal.SIGTERM)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), STOP_WITHIN)
    _signal(process, signal.SIGKILL)
    await process.wait()


def tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-TAIL:])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _listens(process: asyncio.subprocess.Process, port: int) -> bool:
    while process.returncode is None:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return True
    return False


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
