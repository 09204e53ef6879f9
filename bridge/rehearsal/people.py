"""What people do about the pull requests of the rehearsal, where a fault needs them."""

from collections.abc import Collection
from datetime import timedelta

from bridge.errors import Misconfigured
from bridge.kit.clock import system_clock
from bridge.rehearsal.github.state import Pull
from bridge.rehearsal.show import Show, Told
from bridge.rehearsal.town import Town

FIRST = "0.1.0"
STOPS = {"gate_broken", "gate_not_judged", "frozen"}
"""Why a version may wait for ever, and the rehearsal does not."""
ENDS = {"failed", "declined", "superseded"}
PIN_SETTLED = {"pin_put_back", "revert_declined", "revert_by_hand"}
"""A version that was rolled back leaves its pin to be put back."""
APPROVALS = 'approvals = { count = 1, people = ["dana", "rosa"] }\n'
APPROVED_BY_ROSA = 'approvals = { count = 1, people = ["rosa"] }\n'
ACTED = {"freeze", "self-approval"}
"""What can go wrong where somebody of the rehearsal approves and merges."""


def policy_for(faults: Collection[str], yourself: bool) -> tuple[str, str]:
    """Who merges, and what else stands in the pipeline's policy. Raises Misconfigured."""
    if yourself and (clash := sorted(ACTED & set(faults))):
        raise Misconfigured(f"--yourself and --fault {clash[0]}: in that one others click")
    if yourself:
        return "human", APPROVED_BY_ROSA
    merge = "human" if "freeze" in faults else "auto"
    return merge, APPROVALS if ACTED & set(faults) else ""


def stands(told: Told) -> bool:
    """Whether a version waits for what nobody in the rehearsal will do."""
    own = told.reason.code == "approvals_missing" and "does not count" in told.reason.sentence
    return own or told.reason.code in STOPS


class People:
    """Rosa reviews and merges; dana, who trains the models, approves her own.

    `patience` is for how many seconds a version may take to come to its end.
    """

    patience = 600.0

    def __init__(self, town: Town, faults: Collection[str]) -> None:
        self._town, self._faults = town, faults
        self._frozen = False

    def look(self) -> None:
        """Do what is to be done about the open pull requests."""
        for pull in [one for one in self._town.github.pulls.values() if one.state == "OPEN"]:
            if "self-approval" in self._faults and not pull.reviews:
                self._approve(pull, "rosa" if pull.number == 1 else "dana")
            elif "freeze" in self._faults:
                self._before_a_freeze(pull)

    def wait_for_nothing(self, told: Told) -> bool:
        """Whether nothing more will happen to this version, so far as anybody here waits for it."""
        match told.stage:
            case "verified":
                return "flipping-dyno" not in self._faults or told.version == FIRST
            case "rolled_back":
                return told.reason.code in PIN_SETTLED
        return told.stage in ENDS or stands(told)

    def _before_a_freeze(self, pull: Pull) -> None:
        if not pull.reviews:
            self._approve(pull, "rosa")
        elif self._is_green(pull) and pull.number == 1:
            self._town.github.merge(pull.number, "rosa")
        elif self._is_green(pull) and not self._frozen:
            now, self._frozen = system_clock(), True
            begin, end = (f"{at:%a %H:%M}" for at in (now, now + timedelta(days=2)))
            self._town.reconfigure(f'freeze = [{{ from = "{begin}", to = "{end}", tz = "UTC" }}]\n')

    def _approve(self, pull: Pull, login: str) -> None:
        self._town.github.review(pull.number, login, "APPROVED")

    def _is_green(self, pull: Pull) -> bool:
        said = self._town.github.statuses(pull.head_sha)
        return "success" in [one.state for one in said if one.context == "bridge/gate"][-1:]


class Yourself(People):
    """You are rosa: you are told where to click, and nobody does it for you."""

    patience = 3600.0

    def __init__(self, town: Town, faults: Collection[str], show: Show) -> None:
        super().__init__(town, faults)
        self._show = show
        self._told: set[int] = set()

    def look(self) -> None:
        """Tell of each pull request once."""
        for pull in list(self._town.github.pulls.values()):
            if pull.state == "OPEN" and pull.number not in self._told:
                self._told.add(pull.number)
                address = self._town.github.shapes.page
                self._show.say(f"As rosa, approve and merge {address}/pull/{pull.number}")
