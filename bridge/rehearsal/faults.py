"""What can go wrong in the rehearsal on request, and what should come of it."""

import random
import threading
from dataclasses import dataclass, replace

import httpx

from bridge.rehearsal.letters import Letter
from bridge.rehearsal.town import Town

SECOND_WHEEL = "regression_model-0.1.1-py3-none-any.whl"
FAULTS = {
    "lost-webhooks": "GitHub's, Heroku's and CircleCI's webhooks never arrive: later, not never.",
    "kill-bridge": "The bridge is killed (-9) at random moments and started again: same end.",
    "forged-webhook": "Somebody announces 9.9.9 with a wrong signature: 401, and no release.",
    "wrong-digest": "The wheel of 0.1.1 is replaced on the index: stopped with digest_mismatch.",
}
LOST = ("github", "heroku", "circleci")
KILLS = 12
BETWEEN_KILLS = (0.2, 4.0)


@dataclass
class Forged:
    """What the bridge answered to a forged announcement."""

    status: int | None = None


def forge(town: Town) -> Forged:
    """Announce a version that CI never built, signed with a secret of one's own."""
    body = b'{"type":"model.published","data":{"package":"regression-model","version":"9.9.9","files":[]}}'
    signature = {"webhook-signature": "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
    letter = Letter("publisher", {"webhook-id": "forged", "webhook-timestamp": "1", **signature}, body)
    answer = httpx.post(
        f"{town.bridge.url}/webhooks/publisher", content=letter.body, headers=letter.headers
    )
    return replace(Forged(), status=answer.status_code)


def replace_second_wheel(town: Town) -> None:
    """Somebody with the push token uploads other bytes under the name of the second wheel."""
    done: list[str] = []

    def before(operation: str) -> None:
        if not done and SECOND_WHEEL in town.index.files():
            done.append(operation)
            town.index.replace(SECOND_WHEEL, b"PK not the wheel that CI built")

    town.index.before = before


class Killer:
    """Kills the bridge at moments that `seed` decides, and starts it again."""

    def __init__(self, town: Town, seed: int) -> None:
        self.kills = 0
        self._town, self._random = town, random.Random(seed)  # noqa: S311 - chaos, not secrets
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="killer")
        self._thread.start()

    def stop(self) -> None:
        """Enough."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while self.kills < KILLS and not self._stop.wait(self._random.uniform(*BETWEEN_KILLS)):
            self._town.bridge.kill()
            self.kills += 1
            self._town.bridge.start()
