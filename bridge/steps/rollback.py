"""rolling_back → rolled_back: a version that was verified before runs again, and proves it."""

from collections.abc import Sequence
from datetime import timedelta

from bridge.errors import Refused
from bridge.facts import Rollback
from bridge.heroku.client import HerokuRelease
from bridge.quarantine import for_good
from bridge.release import Release
from bridge.sentences import say, span
from bridge.steps.change import pinned
from bridge.steps.rebuild import rebuild, rebuilt
from bridge.steps.theirs import (
    current_of,
    eligible,
    has,
    number_of,
    put_back,
    runs,
    undone_with,
)
from bridge.steps.verify import KEPT, all_seen, in_a_row, read
from bridge.steps.world import Done, Outcome, Wait, World

LOOK_AGAIN = timedelta(seconds=2)


async def rollback(release: Release, world: World) -> Outcome:
    """Ask Heroku once to put the version back that was verified last and is not in quarantine, and
    see that it serves.

    What a person has put back by hand counts as well, and what Heroku has not kept is built anew.
    Raises Refused when nothing was verified before, when the policy leaves it to a person, when
    Heroku cannot do it, or when somebody else has deployed meanwhile.
    """
    because, theirs = release.facts.refused_because or "", await world.heroku.releases()
    known, current = release.facts.rollback or Rollback(), current_of(theirs)
    newer = [one for one in theirs if one.version > number_of(release)]
    before = put_back(release, theirs, world.earlier) or next(iter(world.earlier), None)
    if before is None or not number_of(before):
        raise Refused(say("nothing_to_roll_back_to", because=because))
    names = {"app": world.pipeline.app, "version": before.version, "because": because}
    goal = await _goal(release, before, theirs, world)
    done = next((one for one in newer if _puts_back(one, before, goal, known)), None)
    if done and done.status == "failed":
        raise Refused(say("rollback_failed", release=done.version, **names))
    if done and done.status == "pending":
        return Wait(world.now + LOOK_AGAIN, release.reason)
    if done and done.current:
        lost = undone_with(release, theirs, done)
        return await _prove(release, before, done, known, lost, world)
    if world.pipeline.policy.rollback == "ask" and not known.asked_by:
        raise Refused(say("rollback_by_hand", because=because))
    if goal is None and (wait := await rebuilt(release, before, world)):
        return wait
    if current and current in newer and not runs(current, release):
        words = {"current": current.version, "release": number_of(release)}
        raise Refused(say("release_replaced", **words))
    if goal is None:
        return await rebuild(release, before, world)
    await world.intend(say("intent_rollback", app=world.pipeline.app, release=goal.version))
    await world.heroku.rollback(goal)
    return Wait(world.now + LOOK_AGAIN, release.reason)


async def _prove(
    release: Release,
    before: Release,
    done: HerokuRelease,
    known: Rollback,
    lost: list[HerokuRelease],
    world: World,
) -> Outcome:
    """The version that was put back is read like any other before it is said to run."""
    rule, because = world.pipeline.policy.verify, release.facts.refused_because or ""
    last = await read(before, world)
    fresh = known.since is None or known.release != done.version
    readings = [last] if fresh else [*known.readings, last][-KEPT:]
    by = done.who if release.code == "undone_by_hand" else None
    since = world.now if fresh or known.since is None else known.since
    runs_as = {"to": before.version, "release": done.version, "slug": done.slug_id}
    found = {**runs_as, "readings": readings, "since": since, "asked_by": known.asked_by or by}
    known = known.model_copy(update=found)
    names = {"app": world.pipeline.app, "version": before.version, "release": done.version}
    matching = in_a_row(readings, lambda one: one.verdict == "matches")
    if matching >= rule.matches and await all_seen(readings[-matching:], world):
        code = "rolled_back_anew" if known.build else "rolled_back"
        held = for_good(release.facts, known.asked_by or "bridge", because, world.now)
        told = ", ".join(f"v{one.version} ({one.description})" for one in lost)
        undone = f"; what was set since then is undone with it: {told}" if told else ""
        return Done(
            say(code, because=because, undone=undone, **names),
            {"rollback": known, "quarantine": held},
        )
    if world.now >= since + rule.within and last.answered and not matching:
        words = {"within": span(rule.within.total_seconds()), "note": last.note or "no answer"}
        raise Refused(say("rollback_unproven", because=because, **words, **names))
    progress = {"count": matching, "wanted": rule.matches, "verdict": last.verdict}
    return Wait(
        world.now + rule.every, say("putting_back", **names, **progress), {"rollback": known}
    )


async def _goal(
    release: Release, before: Release, theirs: Sequence[HerokuRelease], world: World
) -> HerokuRelease | None:
    """The newest older one that has this version: with its slug, or with another one whose commit
    pins it. What else was deployed since, by another pipeline say, is not taken back with it."""
    for one in eligible(release, theirs):
        if has(one, before) or (
            one.version > number_of(before) and await _pins(one, before, world)
        ):
            return one
    return None


async def _pins(theirs: HerokuRelease, before: Release, world: World) -> bool:
    pipeline, commit = world.pipeline, await world.heroku.commit_of(theirs)
    if commit is None:
        return False
    branch = pipeline.branch_for(before.version)
    sight = await world.github.look(pipeline.branch, pipeline.files, branch, commit)
    try:
        return pinned(sight.built_texts, before, pipeline).is_at(before.version)
    except Refused:
        return False


def _puts_back(
    theirs: HerokuRelease, before: Release, goal: HerokuRelease | None, known: Rollback
) -> bool:
    """By its slug, by the build that we started for it, or by Heroku's words `Rollback to v42`."""
    if goal and (theirs.description == f"Rollback to v{goal.version}" or _is_same(theirs, goal)):
        return True
    described = theirs.description == f"Rollback to v{number_of(before)}"
    return described or runs(theirs, before) or theirs.id == known.release_id


def _is_same(one: HerokuRelease, other: HerokuRelease) -> bool:
    return one.slug_id is not None and one.slug_id == other.slug_id
