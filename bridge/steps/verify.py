"""deployed → verified: the running API proves, several times in a row, what it serves."""

from datetime import timedelta
from itertools import takewhile

from packaging.version import InvalidVersion, Version

from bridge.errors import Reason, Refused, Unavailable
from bridge.policy import other_file
from bridge.prediction.client import Health
from bridge.release import Reading, Release
from bridge.sentences import say, short, span
from bridge.steps.world import Done, Outcome, Wait, World

KEPT = 50


async def verify(release: Release, world: World) -> Outcome:
    """Take one reading; when enough match in a row, ask for the known answers.

    An old answer or none is normal while processes change; after `within` it is final.
    Raises Refused when the time is over, or when the predictions are not the model's.
    """
    if reason := other_file(release.facts):
        raise Refused(reason)
    rule = world.pipeline.policy.verify
    readings = [*release.facts.readings, await _read(release, world)][-KEPT:]
    matching = len(list(takewhile(lambda one: one.verdict == "matches", reversed(readings))))
    last = readings[-1]
    if matching >= rule.matches:
        try:
            return await _proven(release, world, readings, matching)
        except Unavailable as error:
            last = last.model_copy(update={"verdict": "unknown", "note": str(error)})
            readings[-1], matching = last, 0
    if world.now >= release.since + rule.within:
        raise Refused(_why_not(last, rule.within))
    note = f" ({last.note})" if last.note else ""
    progress = {"count": matching, "wanted": rule.matches, "verdict": last.verdict, "note": note}
    return Wait(world.now + rule.every, say("reading", **progress), {"readings": readings})


async def _read(release: Release, world: World) -> Reading:
    try:
        health = await world.api.health()
    except Unavailable as error:
        return Reading(at=world.now, verdict="unknown", note=str(error))
    note = contradiction(release, health)
    return Reading(
        at=world.now,
        verdict="contradicts" if note else "matches",
        version=health.model_version,
        digest=health.model_digest,
        instance=health.instance,
        note=note,
    )


def contradiction(release: Release, health: Health) -> str | None:
    """What this answer says against the release, or None. Pure."""
    try:
        same = Version(health.model_version) == Version(release.version)
    except InvalidVersion:
        same = False
    if not same:
        return f"it reports {health.model_version}"
    expected = release.facts.model_digest
    if expected and health.model_digest != expected:
        return f"it reports {health.model_digest or 'no digest'}, not {expected}"
    return None


def _why_not(last: Reading, within: timedelta) -> Reason:
    waited = span(within.total_seconds())
    if last.verdict == "contradicts":
        return say("wrong_version", found=last.note, within=waited)
    return say("silent_api", within=waited, note=last.note or "the matches did not last")


async def _proven(release: Release, world: World, readings: list[Reading], count: int) -> Done:
    """The last proof: the answers of training time."""
    known = release.facts.card.known_answers if release.facts.card else []
    if known and (wrong := await world.api.wrong_answer(known)):
        raise Refused(
            say(
                "wrong_answers",
                version=release.version,
                found="nothing" if wrong.found is None else f"{wrong.found:g}",
                expected=f"{wrong.expected:g}",
            )
        )
    answers = f", and gives all {len(known)} known answers"
    digest = release.facts.model_digest
    unknown = "; its predictions could not be checked, the wheel carries no known answers"
    reason = say(
        "verified",
        version=release.version,
        model=f"model {short(digest)}" if digest else "a model of unknown digest",
        count=count,
        answers=answers if known else unknown,
    )
    return Done(reason, {"readings": readings})
