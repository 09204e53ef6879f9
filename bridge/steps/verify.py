"""deployed → verified: the running API proves, several times in a row, what it serves."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import takewhile

from bridge.errors import Reason, Refused, Unavailable
from bridge.facts import Reading
from bridge.policy import other_file
from bridge.prediction.client import Health, same_version
from bridge.quarantine import quarantined
from bridge.release import Release
from bridge.sentences import say, short, span
from bridge.steps.same_file import must_be_the_same
from bridge.steps.theirs import undone_by_hand
from bridge.steps.world import Done, Outcome, Wait, World

KEPT = 50
ABSENCE = timedelta(minutes=1)


async def verify(release: Release, world: World) -> Outcome:
    """Take one reading; when enough match in a row, the version is proven.

    An old answer or none is normal while processes change; after `within` it is final, but not
    while readings match, and not because we were away or nobody could be reached.
    Raises Refused when the time is over, when the file is not the confirmed one any more, or when
    the model gives other predictions than at training time as often in a row as it would have to
    give the right ones.
    """
    if reason := other_file(release.facts) or quarantined(release.facts, world.now):
        raise Refused(reason)
    rule = world.pipeline.policy.verify
    last = await read(release, world)
    readings = [*release.facts.readings, last][-KEPT:]
    if last.verdict == "contradicts":
        await _must_not_be_undone(release, world)
    since = _watched_since(release, world, rule.every)
    matching = in_a_row(readings, lambda one: one.verdict == "matches")
    if matching >= rule.matches and await all_seen(readings[-matching:], world):
        await must_be_the_same(release, world)
        return _proven(release, readings, matching)
    wrong = in_a_row(readings, lambda one: one.wrong_answer)
    if wrong >= rule.matches:
        raise Refused(say("wrong_answers", version=release.version, note=last.note))
    if world.now >= since + rule.within and last.answered and not matching:
        raise Refused(_why_not(last, rule.within))
    note = f" ({last.note})" if last.note else ""
    progress = {"count": matching, "wanted": rule.matches, "verdict": last.verdict, "note": note}
    return Wait(
        world.now + rule.every,
        say("reading", **progress),
        {"readings": readings, "watched_since": since},
    )


async def _must_not_be_undone(release: Release, world: World) -> None:
    """Raises Refused when a person has put an older version back meanwhile: nobody waits then."""
    theirs = await world.heroku.releases()
    if reason := undone_by_hand(release, theirs, world.earlier):
        raise Refused(reason)


async def all_seen(matching: list[Reading], world: World) -> bool:
    """Whether these readings came from as many instances as there are dynos, as far as both are
    told; after many, that is as good as it gets: nobody can choose which dyno answers."""
    instances = {one.instance for one in matching if one.instance}
    if not instances or len(matching) >= KEPT:
        return True
    return len(instances) >= (await world.heroku.dynos() or 0)


def _watched_since(release: Release, world: World, every: timedelta) -> datetime:
    """When this unbroken watch began: time in which nobody looked does not count."""
    before = release.facts.readings[-1].at if release.facts.readings else None
    if before is None or world.now - before > every + ABSENCE:
        return world.now
    return release.facts.watched_since or world.now


def in_a_row(readings: list[Reading], good: Callable[[Reading], bool]) -> int:
    """How many of the last readings are so, without a gap."""
    return len(list(takewhile(good, reversed(readings))))


async def read(release: Release, world: World) -> Reading:
    """One reading: what health says, and whether the known answers are given."""
    known = release.facts.card.known_answers if release.facts.card else []
    try:
        health = await world.api.health()
        note = contradiction(release, health)
        wrong = await world.api.wrong_answer(known, release.version) if known and not note else None
    except Unavailable as error:
        return Reading(at=world.now, verdict="unknown", answered=error.answered, note=str(error))
    if wrong:
        note = say("wrong_answer", found=wrong.found, expected=wrong.expected).sentence
    return Reading(
        at=world.now,
        verdict="contradicts" if note else "matches",
        wrong_answer=wrong is not None,
        version=health.model_version,
        digest=health.model_digest,
        instance=health.instance,
        note=note,
    )


def contradiction(release: Release, health: Health) -> str | None:
    """What this answer says against the release, or None. Pure."""
    if not same_version(health.model_version, release.version):
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


def _proven(release: Release, readings: list[Reading], count: int) -> Done:
    known = release.facts.card.known_answers if release.facts.card else []
    answers = f", and gives all {len(known)} known answers"
    instances = len({one.instance for one in readings[-count:] if one.instance})
    unknown = "; its predictions could not be checked, the wheel carries no known answers"
    digest = release.facts.model_digest
    reason = say(
        "verified",
        version=release.version,
        model=f"model {short(digest)}" if digest else "a model of unknown digest",
        count=count,
        spread=f" by {instances} instances" if instances > 1 else "",
        answers=answers if known else unknown,
    )
    return Done(reason, {"readings": readings})
