"""The decisions that follow from what is configured, each with its reason. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from packaging.version import Version

from bridge.attestation import Provenance
from bridge.configuration import Policy
from bridge.errors import Reason
from bridge.facts import Allowance, Facts
from bridge.freeze import frozen_until, next_freeze
from bridge.gates import headline, judge, not_passed
from bridge.pause import Pause
from bridge.quarantine import ends, quarantined
from bridge.release import Release
from bridge.sentences import say

ASK_SOON = timedelta(seconds=1)
ASK_LATE = timedelta(minutes=1)
LOOK_ANYWAY = timedelta(days=1)
"""So late a release looks again by itself where a webhook or the sweep would tell it sooner."""
INDEX_PATIENCE = timedelta(minutes=30)


def next_look(since: datetime, now: datetime) -> datetime:
    """When to ask again for something that nobody will tell us: soon at first, then ever later."""
    return now + min(max((now - since) / 4, ASK_SOON), ASK_LATE)


def other_file(facts: Facts) -> Reason | None:
    """Why this is not the file that CI built, or None. An announcement may come after the file was
    found, so every later step asks again."""
    announced, found = facts.announced_digest, facts.digest
    if announced and found and announced != found:
        return say(
            "digest_mismatch", where="index", found=found, expected=announced, told="announced"
        )
    return not_proven(facts.provenance)


def not_proven(known: Provenance | None) -> Reason | None:
    """Why a pipeline that requires to know who built the file does not know it, or None."""
    if known and known.mode == "require" and known.verdict != "proven":
        return Reason(known.code, known.sentence)
    return None


def carries(policy: Policy, version: Version) -> bool:
    """Whether versions of this kind are carried to production without a person's word."""
    early = version.is_devrelease or (version.is_prerelease and not policy.prereleases)
    return not early and version.local is None


def unwanted(release: Release, policy: Policy, served: Release | None) -> Reason | None:
    """Why this version is not carried unless a person has allowed it, or None. `served` is the
    version verified last; one that was announced after it goes backwards on purpose."""
    version, allowed = Version(release.version), release.facts.allowed
    names = {"package": release.package, "version": release.version}
    if version.local and Allowance.LOCAL not in allowed:
        return say("local_version", **names)
    if (
        version.is_prerelease
        and not carries(policy, version)
        and Allowance.PRERELEASE not in allowed
    ):
        return say("prerelease", **names)
    if served and served.key < release.key and goes_back(release, served.version):
        return say("downgrade", served=served.version, **names)
    return None


def goes_back(release: Release, other: str) -> bool:
    """Whether `other` is newer, and nobody has allowed to go back."""
    return (
        Version(other) > Version(release.version)
        and Allowance.DOWNGRADE not in release.facts.allowed
    )


@dataclass(frozen=True)
class Ruling:
    """Whether policy lets a version be merged now: the commit status `bridge/gate`.

    `until` is when the clock alone may change it.
    """

    state: Literal["success", "failure", "pending"]
    because: Reason
    until: datetime | None = None


def ruling(
    policy: Policy,
    facts: Facts,
    before: Release | None,
    now: datetime,
    pause: Pause | None = None,
) -> Ruling:
    """What the gate says at `now`; `before` is the version verified last.

    The version itself comes first (its quarantine, its file, its metrics), then what ends without
    another version: a person's pause and a freeze are only `pending`.
    """
    if held := quarantined(facts, now):
        return Ruling("failure", held, ends(facts))
    if wrong := other_file(facts) or not_passed(judge(policy.gates, facts.card, before)):
        return Ruling("failure", wrong)
    if pause and pause.since <= now:
        return Ruling("pending", pause.reason)
    freezes = () if Allowance.FREEZE in facts.allowed else policy.freeze
    if frozen := frozen_until(freezes, now):
        end, tz = frozen
        until = f"{end.astimezone(ZoneInfo(tz)):%a %d %b %H:%M} ({tz})"
        return Ruling("pending", say("frozen", until=until), end)
    open_until = next_freeze(freezes, now)
    return Ruling("success", headline(policy.gates, facts.card, before), open_until)


def may_merge(
    policy: Policy, number: int, checks: str | None, review: str | None, gate: Ruling
) -> Reason | None:
    """None when the bridge itself may merge now, or the reason why not.

    `checks` is GitHub's rollup of what others say: SUCCESS, PENDING, EXPECTED, FAILURE, ERROR, or
    None for no check at all, which is not good news either. `review` is GitHub's decision, of which
    only CHANGES_REQUESTED says no here.
    """
    if gate.state != "success":
        return gate.because
    if checks in ("FAILURE", "ERROR"):
        return say("checks_failed", number=number, state=checks.lower())
    if review == "CHANGES_REQUESTED":
        return say("changes_requested", number=number)
    if policy.merge == "human":
        return say("waiting_for_reviewer", number=number)
    if checks != "SUCCESS":
        return say("waiting_for_checks", number=number, state=(checks or "none yet").lower())
    return None
