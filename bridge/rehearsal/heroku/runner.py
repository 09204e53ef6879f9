"""Builds that really install, dynos that really run; one folder per slug.

As in Heroku's Python buildpack, the installer sees one config var, PIP_EXTRA_INDEX_URL
(heroku/heroku-buildpack-python, lib/pip.sh). uv stands in for pip, because its cache makes a fresh
environment a matter of seconds; it masks the tokens in what it prints.
"""

import asyncio
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import uv

from bridge.rehearsal.heroku.dyno import Built, Dyno, DynoCrashed, Log
from bridge.rehearsal.heroku.process import OF_THE_MACHINE, end, start_web
from bridge.rehearsal.heroku.source import (
    SourceRejected,
    check,
    process_types,
    unpack,
    wanted_python,
)

BUILD_WITHIN = 15 * 60
INDEX = "PIP_EXTRA_INDEX_URL"

# What only the installer may see: where the machine keeps its cache and finds public packages.
OF_THE_INSTALLER = (
    *("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "UV_CACHE_DIR", "UV_OFFLINE"),
    *("UV_INDEX", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_FIND_LINKS"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
)


class RealRunner:
    """Installs with uv into a fresh environment below `folder`; `environ` is this machine's."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder, self._environ = folder.resolve(), environ
        self._count = 0

    async def build(self, source: bytes, env: Mapping[str, str], log: Log) -> Built:
        self._count += 1
        slug = f"slug-{self._count}"
        folder = self._folder / slug
        folder.mkdir(parents=True)
        log("-----> Building on the Heroku-26 stack")
        try:
            async with asyncio.timeout(BUILD_WITHIN):
                root = unpack(source, folder / "source")
                check(root)
                root.rename(folder / "app")
                await self._install(folder, env, log)
        except (SourceRejected, TimeoutError) as no:
            log(f" !     {str(no) or 'The build took longer than 15 minutes.'}")
            shutil.rmtree(folder)
            return Built(None)
        types = process_types(folder / "app")
        log("-----> Discovering process types")
        log(f"       Procfile declares types -> {', '.join(types) or '(none)'}")
        return Built(slug, types)

    async def start(self, slug: str, env: Mapping[str, str]) -> Dyno:
        folder = self._folder / slug
        command = process_types(folder / "app").get("web")
        if command is None:
            raise DynoCrashed("H14 (no web processes running): the Procfile has no web")
        seen = self._seen(OF_THE_MACHINE)
        path = f"{folder / 'venv' / 'bin'}:{seen.get('PATH', '')}"
        home = {"HOME": str(folder / "app"), "PATH": path, "PYTHONUNBUFFERED": "1"}
        return await start_web(command, folder / "app", {**env, **seen, **home}, folder / "web.log")

    def close(self) -> None:
        for number in range(1, self._count + 1):
            shutil.rmtree(self._folder / f"slug-{number}", ignore_errors=True)

    async def _install(self, folder: Path, env: Mapping[str, str], log: Log) -> None:
        seen = self._seen(OF_THE_MACHINE + OF_THE_INSTALLER)
        index = env.get(INDEX)
        if index:
            # pip reads the variable by itself; uv does so under its own name.
            seen |= {INDEX: index, "UV_EXTRA_INDEX_URL": index}
        log("-----> Python app detected")
        wanted = wanted_python(folder / "app")
        note = f"; .python-version asks for {wanted}" if wanted else ""
        log(f"-----> Using Python {platform.python_version()} of this machine{note}")
        environment = ("venv", "--quiet", "--python", sys.executable, str(folder / "venv"))
        await _uv(environment, folder, seen, log)
        log("-----> Installing requirements with uv pip install -r requirements.txt")
        text = (folder / "app" / "requirements.txt").read_text()
        # pip asks for every hash as soon as there is one; uv has to be told.
        hashed = ("--require-hashes",) if "--hash" in text else ()
        python = str(folder / "venv" / "bin" / "python")
        arguments = ("--python", python, "--only-binary", ":all:", *hashed)
        install = ("pip", "install", "--no-progress", *arguments, "-r", "requirements.txt")
        await _uv(install, folder / "app", seen, log)

    def _seen(self, names: Sequence[str]) -> dict[str, str]:
        return {name: self._environ[name] for name in names if name in self._environ}


async def _uv(arguments: Sequence[str], cwd: Path, env: Mapping[str, str], log: Log) -> None:
    process = await asyncio.create_subprocess_exec(
        uv.find_uv_bin(),
        *arguments,
        cwd=cwd,
        env=env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = await process.communicate()
    finally:
        await end(process)
    for line in _lines(output):
        log(f"       {line}")
    if process.returncode != 0:
        raise SourceRejected("Unable to install the requirements.")


def _lines(output: bytes) -> Iterator[str]:
    return (line.rstrip() for line in output.decode(errors="replace").splitlines() if line.strip())
