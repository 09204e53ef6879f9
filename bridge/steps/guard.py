"""verified, and after: the version goes on being watched, and what people do to the app is seen."""

from datetime import datetime, timedelta

from bridge.errors import Reason, Refused
from bridge.facts import Reading
from bridge.heroku.client import HerokuRelease, as_seen
from bridge.policy import ASK_LATE, LOOK_ANYWAY, next_look
from bridge.release import Release
from bridge.sentences import say
from bridge.steps.theirs import current_of, runs, still_runs, undone_by_hand
from bridge.steps.verify import KEPT, in_a_row, read
from bridge.steps.world import Learned, Wait, World

ALARMS = ("contradicts_later", "replaced_by_hand")
DRAINS = timedelta(seconds=30)
"""So long a dyno that is being replaced may still answer: a contradiction must last longer."""


async def guard(release: Release, world: World) -> Wait:
    """Read for a while after the proof, and again whenever Heroku's releases have changed.

    Raises Refused, which leads to the rollback, when a person has put an older version back, or
    when the app contradicts for a while, and as often as it would have to agree. Only the version
    verified last is watched, and only while no other is on its way to the same app, nor was left
    there when it failed: that was the bridge's deployment, and is told by that release.
    """
    served = world.last_verified
    if served is None or served.id != release.id:
        return Wait(None, release.reason)
    if world.is_busy:
        return Wait(world.now + ASK_LATE, release.reason)
    theirs = await world.heroku.releases()
    seen, current = as_seen(theirs), current_of(theirs)
    if any(still_runs(failed, theirs) for failed in world.failed):
        return Wait(world.now + LOOK_ANYWAY, release.reason, seen=seen)
    if reason := undone_by_hand(release, theirs, world.earlier):
        raise Refused(reason)
    is_news = release.seen != seen or release.facts.watched_since is None
    since = world.now if is_news else release.facts.watched_since or world.now
    rule, past = world.pipeline.policy.verify, [] if is_news else release.facts.later_readings
    if world.now >= since + rule.watch and not is_news and not _is_open(past, rule.matches):
        return Wait(world.now + LOOK_ANYWAY, release.reason, seen=seen)
    last = await read(release, world)
    readings = [*past, last][-KEPT:]
    learned: Learned = {"watched_since": since, "later_readings": readings}
    against = [one for one in readings if one.verdict == "contradicts"]
    if len(against) >= rule.matches and against[-1].at - against[0].at >= DRAINS:
        alarm = _against(release, last, len(against), current, world)
        return Wait(world.now + LOOK_ANYWAY, alarm, learned, seen=seen, alarm=True)
    until = _next(since, last, world)
    return Wait(until, _still(release, readings, current, world), learned, seen=seen)


def _is_open(past: list[Reading], matches: int) -> bool:
    """Whether a contradiction was neither repeated for long enough nor refuted since."""
    doubted = any(one.verdict == "contradicts" for one in past)
    return doubted and in_a_row(past, lambda one: one.verdict == "matches") < matches


def _against(
    release: Release, last: Reading, count: int, current: HerokuRelease | None, world: World
) -> Reason:
    """An alarm where only a person can know what to do; else raises Refused: roll back."""
    note = last.note or "it contradicts"
    if current and not runs(current, release):
        names = {
            "app": world.pipeline.app,
            "version": release.version,
            "branch": world.pipeline.branch,
        }
        what = {"who": current.who, "current": current.version, "what": current.description}
        return say("replaced_by_hand", note=note, **what, **names)
    reason = say("contradicts_later", version=release.version, count=count, note=note)
    if world.pipeline.policy.rollback == "ask" or not world.earlier:
        return reason
    raise Refused(reason)


def _still(
    release: Release, readings: list[Reading], current: HerokuRelease | None, world: World
) -> Reason:
    """What it ended with stays said; after an alarm, that the version serves again."""
    if release.code in ALARMS and current and readings[-1].verdict == "matches":
        names = {"app": world.pipeline.app, "version": release.version}
        return say("serves_again", release=current.version, **names)
    return release.reason


def _next(since: datetime, last: Reading, world: World) -> datetime:
    """Ever later, but soon after a contradiction."""
    rule = world.pipeline.policy.verify
    if last.verdict == "contradicts":
        return world.now + rule.every
    return min(
        next_look(since, world.now), max(since + rule.watch, world.now + timedelta(seconds=1))
    )
