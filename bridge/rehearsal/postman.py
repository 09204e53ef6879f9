"""Carries the neighbours' webhooks to the bridge, each as its sender would.

GitHub tries once. CircleCI and Heroku try again when nobody answers, or with anything but 2xx.
"""

import queue
import threading
from collections.abc import Collection
from dataclasses import dataclass

import httpx

from bridge.rehearsal.letters import Letter

TRIES = {"github": 1, "circleci": 30, "heroku": 30}
PAUSE = 0.5


@dataclass(frozen=True)
class Delivered:
    """What became of a letter: the bridge's status, or None when it never arrived."""

    letter: Letter
    status: int | None


class Postman:
    """One queue per sender, so that a sender who tries again delays nobody else."""

    def __init__(self, url: str, lost: Collection[str] = ()) -> None:
        self.delivered: list[Delivered] = []
        self._url, self._lost = url, lost
        self._stop = threading.Event()
        self._bags: dict[str, queue.SimpleQueue[Letter | None]] = {
            source: queue.SimpleQueue() for source in TRIES
        }
        self._threads = [
            threading.Thread(target=self._walk, args=(bag,), name=f"post-{source}")
            for source, bag in self._bags.items()
        ]
        for thread in self._threads:
            thread.start()

    def post(self, letter: Letter) -> None:
        """Take a letter; returns at once."""
        if letter.source not in self._lost:
            self._bags[letter.source].put(letter)

    def stop(self) -> None:
        """Go home; what is in the bags stays there."""
        self._stop.set()
        for bag in self._bags.values():
            bag.put(None)
        for thread in self._threads:
            thread.join()

    def _walk(self, bag: "queue.SimpleQueue[Letter | None]") -> None:
        with httpx.Client(timeout=10, trust_env=False) as client:
            while (letter := bag.get()) is not None and not self._stop.is_set():
                self.delivered.append(Delivered(letter, self._deliver(client, letter)))

    def _deliver(self, client: httpx.Client, letter: Letter) -> int | None:
        status: int | None = None
        for _ in range(TRIES[letter.source]):
            try:
                address = f"{self._url}/webhooks/{letter.source}"
                answer = client.post(address, content=letter.body, headers=letter.headers)
                status = answer.status_code
            except httpx.TransportError:
                status = None
            if (status is not None and status < 500) or self._stop.wait(PAUSE):
                break
        return status
