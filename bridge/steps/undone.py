"""failed, and after: what serves though it failed may be put back by a person, hours later."""

from bridge.errors import Refused, Unavailable
from bridge.heroku.client import HerokuRelease, as_seen
from bridge.policy import ASK_LATE, LOOK_ANYWAY
from bridge.release import Release
from bridge.steps.theirs import current_of, number_of, undone_by_hand
from bridge.steps.world import Wait, World

NEVER_RAN = ("release_failed", "release_expired", "taken_over")


async def undone(release: Release, world: World) -> Wait:
    """See whether a person has put an older version back, until another one is verified.

    Raises Refused, which leads to the rollback, where nothing is left to ask Heroku for.
    """
    served = world.last_verified
    ran = number_of(release) and release.code not in NEVER_RAN
    if not ran or served is None or served.since > release.since:
        return Wait(None, release.reason)
    if world.is_busy:
        return Wait(world.now + ASK_LATE, release.reason)
    try:
        theirs = await world.heroku.releases()
    except Refused as refusal:  # a question that Heroku does not like is no rollback
        raise Unavailable(refusal.reason.sentence) from refusal
    reason = undone_by_hand(release, theirs, world.earlier)
    if reason and _is_news(release, theirs):
        raise Refused(reason)
    return Wait(world.now + LOOK_ANYWAY, release.reason, seen=as_seen(theirs))


def _is_news(release: Release, theirs: list[HerokuRelease]) -> bool:
    """Whether Heroku's last word is one that this release has not failed on already."""
    known, current = release.facts.rollback, current_of(theirs)
    judged = known.release if known and known.release else 0
    return current is not None and current is theirs[0] and current.version > judged
