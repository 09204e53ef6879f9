"""The lost-webhook meter: how much came, and how much the sweep found that nobody had told.

A webhook that changed nothing for a release can be lost unseen, so the meter never says that all
of them came.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue
from sqlmodel import Session

from bridge.errors import Reason
from bridge.sentences import say
from bridge.store import books
from bridge.tally import BEGAN, CAME

SENDERS = {"github": "GitHub", "heroku": "Heroku"}
"""Whose lost deliveries the sweep can tell, as people write them."""
REPAIRS = ("unheard_upload", *(f"unheard_{source}" for source in SENDERS))


@dataclass(frozen=True)
class Meter:
    """Of one source, or of `versions`: how many came (were announced), how many were lost."""

    about: str
    came: int
    lost: int
    reason: Reason

    def as_json(self) -> dict[str, JsonValue]:
        """As programs see it."""
        told: JsonValue = {"code": self.reason.code, "sentence": self.reason.sentence}
        return {"about": self.about, "came": self.came, "lost": self.lost, "reason": told}


def read(session: Session) -> list[Meter]:
    """What the database says of it."""
    counts = books.total(session, BEGAN, *(CAME + source for source in SENDERS), *REPAIRS)
    came = {source: counts.get(CAME + source, 0) for source in SENDERS}
    return meters(came, counts.get(BEGAN, 0), counts)


def meters(came: Mapping[str, int], versions: int, repairs: Mapping[str, int]) -> list[Meter]:
    """A meter for versions, and one for each source; none where there is nothing to tell.

    `came` counts deliveries by source, `versions` every release, `repairs` what the sweep repaired,
    by the code of its line.
    """
    unannounced = repairs.get("unheard_upload", 0)
    told = [_of_versions(versions - unannounced, unannounced)]
    told += [
        _of_deliveries(source, came.get(source, 0), repairs.get(f"unheard_{source}", 0))
        for source in SENDERS
    ]
    return [meter for meter in told if meter.came or meter.lost]


def _of_versions(came: int, lost: int) -> Meter:
    if not lost:
        reason = say("every_version_announced", came=came)
    elif came:
        reason = say("some_versions_unannounced", lost=lost, total=came + lost)
    else:
        reason = say("no_version_announced", lost=lost)
    return Meter("versions", came, lost, reason)


def _of_deliveries(source: str, came: int, lost: int) -> Meter:
    who = SENDERS[source]
    if not lost:
        reason = say("no_delivery_lost", who=who, came=came)
    elif came:
        reason = say("some_deliveries_lost", who=who, lost=lost, total=came + lost)
    else:
        reason = say("every_delivery_lost", who=who, lost=lost)
    return Meter(source, came, lost, reason)
