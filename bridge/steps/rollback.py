"""rolling_back → rolled_back: the last verified version runs again."""

from bridge.errors import Refused
from bridge.release import Release
from bridge.sentences import say
from bridge.steps.world import Done, Outcome, Wait, World


async def rollback(release: Release, world: World) -> Outcome:
    """Ask Heroku to put the last verified Heroku release back, unless its slug runs already.

    Raises Refused when nothing was verified before, or when the policy leaves it to a person.
    """
    because, before = release.sentence, world.last_verified
    target = before.facts.heroku if before else None
    if before is None or target is None or target.release is None:
        raise Refused(say("nothing_to_roll_back_to", because=because))
    if world.pipeline.policy.rollback == "ask":
        raise Refused(say("rollback_by_hand", because=because))
    theirs = await world.heroku.releases()
    current = next((one for one in theirs if one.current), None)
    if current and current.slug and current.slug.id == target.slug:
        names = {"app": world.pipeline.app, "version": before.version}
        return Done(say("rolled_back", release=current.version, because=because, **names))
    goal = next((one for one in theirs if one.version == target.release), None)
    if goal is None or not goal.eligible_for_rollback:
        raise Refused(say("not_eligible", release=target.release, because=because))
    await world.intend(say("intent_rollback", app=world.pipeline.app, release=target.release))
    await world.heroku.rollback(goal)
    return Wait(world.now, release.reason)
