"""People and chats, told by apprise: Slack, Teams, mail and a hundred more.

Apprise runs in a process of its own: its libraries block, may hang, and follow nobody's guard.
That process gets the address on its standard input, where no other user of the machine sees it,
none of our secrets in its environment, and half a minute.
"""

import asyncio
import contextlib
import importlib.util
import json
import os
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

import bridge
from bridge.errors import Refused, Unavailable
from bridge.kit.outbound import literal
from bridge.kit.redact import Secrets, words_of
from bridge.notify.target import words
from bridge.sentences import capped, say

WITHIN = 22.0
LONGEST_WHY = 200
OF_THE_MACHINE = ("PATH", "LANG", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "TMPDIR")
KINDS = {"verified": "success", "failed": "failure", "rolled back": "failure", "test": "info"}


class _Answered(BaseModel):
    ok: bool
    known: bool
    why: str


class People:
    """Whoever reads what apprise sends to `url`. `name` is the target's."""

    def __init__(
        self,
        name: str,
        url: str,
        public_url: str,
        *,
        private_hosts: Collection[str] = (),
        environ: Mapping[str, str] = os.environ,
        within: float = WITHIN,
    ) -> None:
        self._name, self._url, self._public_url = name, url, public_url
        self._inside = _is_inside(url, private_hosts)
        self._environ, self._within = environ, within
        self._secrets = Secrets(words_of(url))

    async def send(self, message_id: str, body: str) -> None:
        """Say the message's one line. Raises Unavailable, or Refused for an address that apprise
        does not know."""
        text, subject = words(body)
        kind = KINDS.get(subject.rpartition(": ")[2], "warning")
        asked = {
            "url": self._url,
            "inside": self._inside,
            "title": subject,
            "body": text,
            "kind": kind,
            "app_url": self._public_url,
        }
        answer = await self._ask(json.dumps(asked).encode())
        if not answer.known:
            raise Refused(say("target_not_known", name=self._name, why=answer.why))
        if not answer.ok:
            raise Unavailable(f"{self._name} was not reached ({self.quote(answer.why)})")

    async def close(self) -> None:
        """Nothing is held between two messages."""

    def quote(self, said: str) -> str:
        """What apprise said, as we may keep it."""
        return capped(self._secrets.out_of(said), LONGEST_WHY)

    async def _ask(self, asked: bytes) -> _Answered:
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "bridge.notify.child"),
                env=self._environment(),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except OSError as error:
            raise Unavailable(f"apprise cannot be run ({type(error).__name__})") from error
        try:
            async with asyncio.timeout(self._within):
                said, _ = await process.communicate(asked)
            return _Answered.model_validate_json(said)
        except TimeoutError:
            slow = f"{self._name} did not answer within {self._within:.0f} s"
            raise Unavailable(slow, answered=False) from None
        except ValidationError:
            raise Unavailable(f"apprise ended with {process.returncode}") from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()

    def _environment(self) -> dict[str, str]:
        env = {name: self._environ[name] for name in OF_THE_MACHINE if name in self._environ}
        return {**env, "PYTHONPATH": str(Path(bridge.__file__).parent.parent)}


def is_installed() -> bool:
    """Whether apprise is there."""
    return importlib.util.find_spec("apprise") is not None


def _is_inside(url: str, private_hosts: Collection[str]) -> bool:
    """Whether the operator meant a host inside the network."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return host == "localhost" or literal(host) is not None or host in private_hosts
