"""Many senders at once, each of whom writes down what was acknowledged."""

import hashlib
import itertools
import json
import threading

import httpx

from bridge.kit.clock import system_clock
from bridge.publisher.webhook import key_of, sign
from bridge.rehearsal.letters import Letter


class Crowd:
    """Threads that post signed deliveries to `url` until `stop`; a refused connection is normal.

    Each says something that it never said before, and now and then something a second time.
    """

    def __init__(self, url: str, secret: str, threads: int, pause: float) -> None:
        self.acknowledged: set[str] = set()
        self.odd: list[str] = []
        self._url, self._key, self._pause = url, key_of(secret), pause
        self._count = itertools.count()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._post_on) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Everybody goes home."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def say(self, client: httpx.Client, letter: Letter) -> bool:
        """Deliver once; whether it was acknowledged."""
        address = f"{self._url}/webhooks/{letter.source}"
        try:
            answer = client.post(address, content=letter.body, headers=letter.headers)
        except httpx.TransportError:
            return False
        if answer.is_success:
            self.acknowledged.add(hashlib.sha256(letter.body).hexdigest())
        elif answer.status_code != 503:
            self.odd.append(f"{answer.status_code} {answer.text[:200]}")
        return answer.is_success

    def _post_on(self) -> None:
        with httpx.Client(timeout=10, trust_env=False) as client:
            while not self._stop.wait(self._pause):
                number = next(self._count)
                letter = self._letter(number)
                for _ in range(2 if number % 5 == 0 else 1):
                    self.say(client, letter)

    def _letter(self, number: int) -> Letter:
        data = {"package": "somebody-elses", "version": f"0.{number}", "files": []}
        body = json.dumps({"type": "model.published", "data": data}).encode()
        headers = sign(self._key, f"crowd-{number}", system_clock(), body)
        return Letter("publisher", headers, body)
