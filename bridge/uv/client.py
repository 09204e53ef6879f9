"""uv, asked whether a whole requirements file resolves. It installs, builds and runs nothing.

Each question gets a folder of its own with an empty `uv.toml`, so that no configuration above it
counts; what the machine says of indexes, proxies and caches does count. The token is given in the
environment: arguments are seen by everybody on the machine.
Sources: https://docs.astral.sh/uv/concepts/indexes/ , …/reference/environment/
"""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import SecretStr
from uv import find_uv_bin

from bridge.errors import Unavailable
from bridge.kit.redact import without_userinfo
from bridge.uv.lock import Resolution, conflict, is_unseen, read_lock, shorter

WITHIN = 60.0
SAID_CAP = 64 << 10
ANSWER_CAP = 16 << 20
PLATFORM = "x86_64-manylinux_2_39"
"""Heroku's stacks from heroku-24 on: Ubuntu 24.04 has this glibc."""
OF_THE_MACHINE = (
    *("PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"),
    *("UV_CACHE_DIR", "UV_CONFIG_FILE", "UV_FIND_LINKS"),
    *("UV_OFFLINE", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
)
REQUIREMENTS, CONSTRAINTS, ANSWER = "requirements.in", "constraints.txt", "requirements.txt"
LOCK = "pylock.toml"


class DoesNotResolve(Exception):
    """Nothing fits; the text is uv's explanation, in short."""


class Resolver:
    """Resolves against the private index first, then the public one.

    uv stops at the first index that has a name, so nobody takes our package's name on the public
    index. Every method raises DoesNotResolve, or Unavailable where uv or an index did not answer.
    """

    def __init__(
        self,
        index: str,
        token: SecretStr | None = None,
        public_index: str | None = None,
        *,
        environ: Mapping[str, str] = os.environ,
        within: float = WITHIN,
        find: Callable[[], str] = find_uv_bin,
    ) -> None:
        self._index, self._token, self._public = index, token, public_index
        self._environ, self._within, self._find = environ, within, find

    async def lock(
        self, requirements: str, package: str, python: str, constraints: str = ""
    ) -> Resolution:
        """The wheels that Heroku would install for `requirements` on this Python."""
        target = ("--python-version", python, "--python-platform", PLATFORM, "--format", LOCK)
        arguments = ("--constraints", CONSTRAINTS, *target)
        given = {REQUIREMENTS: requirements, CONSTRAINTS: constraints}
        return read_lock(await self._compile(arguments, given, LOCK, package))

    async def compile(
        self, source: str, pin: str, present: str, python: str, *, universal: bool, annotate: bool
    ) -> str:
        """`source` compiled with hashes, with `pin` (name==version) in it. What stands in
        `present` stays where it can."""
        target = ("--universal",) if universal else ("--python-platform", PLATFORM)
        style = () if annotate else ("--no-annotate",)
        given = {REQUIREMENTS: source, CONSTRAINTS: f"{pin}\n", ANSWER: present}
        arguments = ("--constraints", CONSTRAINTS, "--generate-hashes", "--python-version", python)
        package = pin.partition("==")[0]
        return await self._compile((*arguments, *target, *style), given, ANSWER, package)

    async def _compile(
        self, arguments: tuple[str, ...], files: dict[str, str], to: str, package: str
    ) -> str:
        with tempfile.TemporaryDirectory(prefix="bridge-uv-") as name:
            folder = Path(name)
            for path, text in {"uv.toml": "", **files}.items():
                (folder / path).write_text(text, encoding="utf-8")
            told = ("--output-file", to, "--refresh-package", package, *arguments)
            said, code = await self._run(told, folder)
            if code:
                said = self._safe(said)
                why = conflict(said)
                if why and is_unseen(package, why):
                    raise Unavailable(f"the index does not show this {package} to uv yet")
                if why:
                    raise DoesNotResolve(why)
                raise Unavailable(f"uv could not resolve ({shorter(said)})")
            answer = folder / to
            if not answer.is_file() or answer.stat().st_size > ANSWER_CAP:
                raise Unavailable("uv wrote nothing, or too much")
            return answer.read_text(encoding="utf-8", errors="replace")

    async def _run(self, arguments: tuple[str, ...], folder: Path) -> tuple[str, int]:
        """What uv said, and its exit code; it never outlives this call."""
        try:
            process = await asyncio.create_subprocess_exec(
                *(self._find(), "pip", "compile", REQUIREMENTS, *arguments),
                *("--python", sys.executable, "--only-binary", ":all:", "--no-header"),
                *("--color", "never", "--no-progress"),
                cwd=folder,
                env=self._environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise Unavailable(f"uv cannot be run ({type(error).__name__})") from error
        try:
            async with asyncio.timeout(self._within):
                said = await _read(process.stderr)
                return said, await process.wait()
        except TimeoutError:
            slow = f"uv did not resolve within {self._within:.0f} s"
            raise Unavailable(slow, answered=False) from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()

    def _environment(self) -> dict[str, str]:
        env = {name: self._environ[name] for name in OF_THE_MACHINE if name in self._environ}
        indexes = [f"bridge={self._index}", self._environ.get("UV_INDEX", "")]
        if public := self._public or self._told(
            "UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"
        ):
            env["UV_DEFAULT_INDEX"] = public
        if self._token:
            env["UV_INDEX_BRIDGE_USERNAME"] = self._token.get_secret_value()
            env["UV_INDEX_BRIDGE_PASSWORD"] = ""
        return {
            **env,
            "UV_INDEX": " ".join(indexes).strip(),
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_KEYRING_PROVIDER": "disabled",
            "UV_HTTP_TIMEOUT": "15",
            "UV_HTTP_RETRIES": "1",
        }

    def _told(self, *names: str) -> str | None:
        return next((self._environ[name] for name in names if self._environ.get(name)), None)

    def _safe(self, said: str) -> str:
        token = self._token.get_secret_value() if self._token else ""
        return without_userinfo(said.replace(token, "…") if token else said)


async def _read(stream: asyncio.StreamReader | None) -> str:
    """What was said, to its end; what is too much is dropped."""
    kept = bytearray()
    while stream and (chunk := await stream.read(SAID_CAP)):
        kept += chunk[: SAID_CAP - len(kept)]
    return kept.decode(errors="replace")
