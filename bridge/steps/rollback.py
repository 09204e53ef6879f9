"""rolling_back → rolled_back: the last verified version runs again."""

from datetime import timedelta

from bridge.errors import Refused
from bridge.facts import HerokuDeployment, Quarantine
from bridge.heroku.client import HerokuRelease
from bridge.quarantine import quarantined
from bridge.release import Release
from bridge.sentences import say
from bridge.steps.world import Done, Learned, Outcome, Wait, World

LOOK_AGAIN = timedelta(seconds=2)


async def rollback(release: Release, world: World) -> Outcome:
    """Ask Heroku once to put the last verified Heroku release back, and wait until it runs.

    Raises Refused when nothing was verified before, when the policy leaves it to a person, when
    Heroku cannot do it, or when somebody else has deployed meanwhile.
    """
    because, before = release.facts.refused_because or "", world.last_verified
    target = before.facts.heroku if before else None
    if before is None or target is None or target.release is None:
        raise Refused(say("nothing_to_roll_back_to", because=because))
    if world.pipeline.policy.rollback == "ask":
        raise Refused(say("rollback_by_hand", because=because))
    theirs = await world.heroku.releases()
    names = {"app": world.pipeline.app, "version": before.version, "because": because}
    newer = [one for one in theirs if one.version > _ours(release)]
    done = next((one for one in newer if _puts_back(one, target)), None)
    if done and done.status == "failed":
        raise Refused(say("rollback_failed", release=done.version, **names))
    if done and (done.current or done.status == "pending"):
        if done.status == "pending":
            return Wait(world.now + LOOK_AGAIN, release.reason)
        return Done(say("rolled_back", release=done.version, **names), _quarantine(release, world))
    current = next((one for one in theirs if one.current), None)
    if current and current in newer and _slug(current) != _slug_of(release):
        raise Refused(say("release_replaced", current=current.version, release=_ours(release)))
    goal = next((one for one in theirs if one.version == target.release), None)
    if goal is None or not goal.eligible_for_rollback:
        raise Refused(say("not_eligible", release=target.release, because=because))
    await world.intend(say("intent_rollback", app=world.pipeline.app, release=target.release))
    await world.heroku.rollback(goal)
    return Wait(world.now + LOOK_AGAIN, release.reason)


def _quarantine(release: Release, world: World) -> Learned:
    """What was rolled back stays so until a person says otherwise."""
    if quarantined(release.facts, world.now):
        return {}
    why = release.facts.refused_because or ""
    return {"quarantine": Quarantine(by="bridge", why=why, since=world.now)}


def _puts_back(theirs: HerokuRelease, target: HerokuDeployment) -> bool:
    """Heroku describes a rollback as `Rollback to v42`."""
    same_slug = target.slug is not None and _slug(theirs) == target.slug
    return same_slug or theirs.description == f"Rollback to v{target.release}"


def _ours(release: Release) -> int:
    deployed = release.facts.heroku
    return deployed.release if deployed and deployed.release else 0


def _slug_of(release: Release) -> str | None:
    return release.facts.heroku.slug if release.facts.heroku else None


def _slug(theirs: HerokuRelease) -> str | None:
    return theirs.slug.id if theirs.slug else None
