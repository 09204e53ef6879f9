"""Whom we tell, and how: each has one method, `send`."""

import json
from collections.abc import Sequence
from typing import Protocol

from bridge.errors import Refused, Unavailable
from bridge.kit.clock import Clock
from bridge.kit.http import Door
from bridge.publisher.webhook import sign
from bridge.sentences import say

GONE = 410
"""The receiver wants no more: https://www.standardwebhooks.com (operational considerations)."""
WITHIN = 20.0


class Target(Protocol):
    """Somebody whom we tell."""

    async def send(self, message_id: str, body: str) -> None:
        """Returned means that it was taken. Raises Unavailable to try again, Refused not to."""
        ...

    async def close(self) -> None:
        """Give back what it holds."""
        ...


class Webhook:
    """A program at `url`, told by Standard Webhooks, signed with each of `keys`.

    The id is the same at every try, so that whoever gets a message twice can drop the second.
    """

    def __init__(self, door: Door, url: str, keys: Sequence[bytes], clock: Clock) -> None:
        self._door, self._url, self._keys, self._clock = door, url, keys, clock

    async def send(self, message_id: str, body: str) -> None:
        """Post it; only 2xx means that it was taken, and a redirect is not followed."""
        data = body.encode()
        signed = [sign(key, message_id, self._clock(), data) for key in self._keys]
        headers = {**signed[0]}
        headers["webhook-signature"] = " ".join(one["webhook-signature"] for one in signed)
        answer = await self._door.ask(
            "POST", self._url, content=data, headers=headers, within=WITHIN, cap=1 << 20
        )
        if answer.status_code == GONE:
            raise Refused(say("target_gone", who=self._door.who))
        if not answer.is_success:
            raise Unavailable(f"{self._door.who} answered {answer.status_code}")

    async def close(self) -> None:
        """Give back the connections."""
        await self._door.close()


def words(body: str) -> tuple[str, str]:
    """The line that a person reads, and what it is about, as a subject."""
    told = json.loads(body)
    data = told["data"]
    subject = " ".join(str(data[name]) for name in ("package", "version") if data.get(name))
    kind = str(told["type"]).rpartition(".")[2].replace("_", " ")
    return str(data["text"]), f"{subject or 'Bridge'}: {kind}"
