"""Quarantine: a version may not be proposed, merged or built until it is lifted or over. Pure."""

from datetime import datetime

from bridge.columns import written
from bridge.errors import Reason
from bridge.facts import Facts, Quarantine
from bridge.release import Release, Stage
from bridge.sentences import say


def quarantined(facts: Facts, now: datetime) -> Reason | None:
    """Why this version is held at `now`, or None."""
    held = facts.quarantine
    if held is None or now < held.since or (held.until and held.until <= now):
        return None
    until = f" until {written(held.until)}" if held.until else ""
    return say("quarantined", by=held.by, since=written(held.since), until=until, why=held.why)


def is_held(release: Release, now: datetime) -> bool:
    """Whether it stands in its pull request and may not be merged."""
    return release.stage is Stage.PROPOSED and quarantined(release.facts, now) is not None


def for_good(facts: Facts, by: str, why: str, now: datetime) -> Quarantine:
    """That of a version which is rolled back: only a person ends it. Who holds it so already goes
    on holding it."""
    held = facts.quarantine
    return held if held and held.until is None else Quarantine(by=by, why=why, since=now)


def ends(facts: Facts) -> datetime | None:
    """When the quarantine ends by itself, if there is one and it does."""
    return facts.quarantine.until if facts.quarantine else None
