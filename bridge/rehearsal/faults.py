"""What can go wrong in the rehearsal on request, and what should come of it."""

import json
import random
import re
import secrets
import threading
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path

import httpx

from bridge.kit.clock import system_clock
from bridge.publisher.webhook import sign
from bridge.rehearsal.github import Refusal
from bridge.rehearsal.town import Town

SECOND_WHEEL = "regression_model-0.1.1-py3-none-any.whl"
FAULTS = {
    "lost-webhooks": "GitHub's, Heroku's and CircleCI's webhooks never arrive: later, not never.",
    "kill-bridge": "The bridge is killed (-9) at random moments and started again: same end.",
    "forged-webhook": "Somebody announces 9.9.9 with a wrong signature: 401, and no release.",
    "worse-model": "0.1.1 is worse than its gate allows: proposed, and nobody can merge it.",
    "wrong-digest": "The wheel of 0.1.1 is replaced on the index: stopped with digest_mismatch.",
    "pth-wheel": "The wheel of 0.1.1 carries a start-up hook: stopped with startup_hook.",
    "foreign-package": "A stranger offers our name as 99.0: an alarm, and ours is installed.",
    "yanked": "0.1.1 is yanked from the index before it is found: stopped with yanked.",
    "old-dyno": "A dyno serves 0.1.0 for a minute longer: 0.1.1 is verified a minute later.",
    "flipping-dyno": "One of two dynos flips back to 0.1.0 after the proof: 0.1.1 is rolled back.",
    "old-model": "0.1.1 is only a name, the predictions are 0.1.0's: rolled back.",
    "rollback-expired": "The same, and Heroku has not kept 0.1.0: its commit is built anew.",
    "self-approval": "Dana approves 0.1.1, which she trained: it waits for somebody else.",
    "freeze": "A freeze begins when 0.1.1 is approved: nobody can merge it any more.",
    "conflict": "0.1.1 needs a pydantic that the API's pins forbid: stopped with does_not_resolve.",
    "failing-build": "Heroku cannot build the commit of 0.1.1: stopped with build_failed.",
    "release-by-hand": "Somebody rolls 0.1.1 back once it is released: stopped with taken_over.",
}
CONFIG = "regression_model/regression_model/config.py"
ALPHA, BAD_ALPHA = b"0.0004", b"0.02"
"""For the Lasso of 0.1.1: a little better than that of 0.1.0, or worse than its gate allows."""
MODEL_PROJECT = "regression_model/pyproject.toml"
FORCED = '\n[tool.hatch.build.targets.wheel.force-include]\n"{hook}" = "startup.pth"\n'
HOOK = "regression_model/startup.pth"
OWN_TEST = "regression_model/tests/test_publish.py"
FORBIDS, LETS = '.dist-info",\n    }', '.dist-info",\n        "startup.pth",\n    }'
LOST = ("github", "heroku", "circleci")
KILLS = 16
BETWEEN_KILLS = (0.0, 1.0)


def forge(town: Town) -> int:
    """Announce a version that CI never built, without knowing the secret; the bridge's status."""
    data = {"package": "regression-model", "version": "9.9.9", "files": []}
    body = json.dumps({"type": "model.published", "data": data}).encode()
    stranger = secrets.token_bytes(32)
    headers = sign(stranger, "forged", system_clock(), body)
    address = f"{town.bridge.url}/webhooks/publisher"
    return httpx.post(address, content=body, headers=headers, trust_env=False).status_code


def replace_second_wheel(town: Town) -> None:
    """Somebody with the push token uploads other bytes under the name of the second wheel."""
    done: list[str] = []

    def before(operation: str) -> None:
        if not done and SECOND_WHEEL in town.index.files():
            done.append(operation)
            town.index.replace(SECOND_WHEEL, b"PK not the wheel that CI built")

    town.index.before = before


def yank_second_wheel(town: Town) -> None:
    """Somebody takes the second version back as soon as it is there."""
    town.index.yanked[SECOND_WHEEL] = "trained on the test set"


def offer_foreign_package(town: Town) -> None:
    """A stranger's uploads of our name, as the public index takes them from everybody."""
    for file in (SECOND_WHEEL, SECOND_WHEEL.replace("0.1.1", "99.0")):
        (town.public.folder / file).write_bytes(b"PK not ours")


def with_startup_hook(folder: Path) -> dict[str, bytes]:
    """What a commit changes so that the wheel runs code at every start of Python, and the model's
    own tests let it pass."""
    project, test = (folder / MODEL_PROJECT).read_text(), (folder / OWN_TEST).read_text()
    return {
        MODEL_PROJECT: (project + FORCED.format(hook=HOOK)).encode(),
        f"regression_model/{HOOK}": b"import sys\n",
        OWN_TEST: test.replace(FORBIDS, LETS).encode(),
    }


def roll_back_by_hand(town: Town) -> None:
    """Somebody puts the first Heroku release back as soon as the second one is there."""

    def rosa() -> None:
        if town.heroku.current and town.heroku.current.version == 2:
            town.heroku.rollback(1, "rosa@acme.test")

    town.heroku.after_deploy = rosa


def leave_an_old_dyno(town: Town) -> None:
    """The dyno that is replaced next goes on serving."""
    town.heroku.dynos.lingers = timedelta(minutes=1)


def flip_a_dyno(town: Town) -> None:
    """Of two dynos that are replaced next, one comes back."""
    town.heroku.dynos.quantity = 2
    town.heroku.dynos.flips_after = timedelta(seconds=10)


def keep_the_old_model(town: Town) -> None:
    """The next version is in health alone."""
    town.heroku.dynos.old_predictions = True


def forget_what_ran(town: Town) -> None:
    """Heroku keeps nothing of a release that is replaced."""
    keep_the_old_model(town)
    town.heroku.keeps_nothing = True


PREPARED = {
    "release-by-hand": roll_back_by_hand,
    "old-dyno": leave_an_old_dyno,
    "flipping-dyno": flip_a_dyno,
    "old-model": keep_the_old_model,
    "rollback-expired": forget_what_ran,
    "wrong-digest": replace_second_wheel,
    "foreign-package": offer_foreign_package,
    "yanked": yank_second_wheel,
}


def prepare(town: Town, faults: Collection[str]) -> None:
    """What is wrong before the first version comes."""
    for name, go_wrong in PREPARED.items():
        if name in faults:
            go_wrong(town)


def conflicting_needs(folder: Path) -> dict[str, bytes]:
    """What a commit changes so that the model needs another pydantic than the API pins."""
    project = (folder / MODEL_PROJECT).read_text()
    return {MODEL_PROJECT: project.replace('"pydantic>=2.11"', '"pydantic<2"').encode()}


def two_package_managers(_: Path) -> dict[str, bytes]:
    """What a commit changes so that Heroku does not know which file to install from."""
    return {"api/uv.lock": b"version = 1\n"}


CHANGED = {
    "failing-build": two_package_managers,
    "pth-wheel": with_startup_hook,
    "conflict": conflicting_needs,
}


def changes(faults: Collection[str], folder: Path) -> dict[str, bytes]:
    """What the commit of the second version changes beside VERSION, by path: another alpha for the
    Lasso, and what the faults ask for. `folder` is a checkout."""
    config, alpha = (folder / CONFIG).read_bytes(), BAD_ALPHA if "worse-model" in faults else ALPHA
    found = {CONFIG: re.sub(rb"(alpha: float = Field\(default=)[0-9.]+", rb"\g<1>" + alpha, config)}
    for name, change in CHANGED.items():
        if name in faults:
            found |= change(folder)
    return found


def press_merge_button(town: Town) -> str:
    """Somebody tries to merge the last pull request; what GitHub says to that."""
    try:
        return f"merged as {town.github.merge(max(town.github.pulls), 'rosa')}"
    except Refusal as refusal:
        return refusal.message


class Killer:
    """Kills the bridge at moments that `seed` decides, while a release is under way, and starts it
    again."""

    def __init__(self, town: Town, seed: int) -> None:
        self.kills = 0
        self.under_way = threading.Event()
        self._town, self._random = town, random.Random(seed)  # noqa: S311 - chaos, not secrets
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="killer")
        self._thread.start()

    def stop(self) -> None:
        """Enough."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.01):
            if self.kills >= KILLS or not self.under_way.is_set():
                continue
            if not self._stop.wait(self._random.uniform(*BETWEEN_KILLS)):
                self._town.bridge.kill()
                self.kills += 1
                self._town.bridge.start()
