"""`bridge/gate`: the commit status that says whether policy allows the merge, and its keeping."""

from datetime import UTC, datetime

from bridge.approvals import lacking
from bridge.errors import Refused
from bridge.github.client import GATE
from bridge.github.rest import LONGEST_DESCRIPTION
from bridge.github.reviews import Reviewed
from bridge.github.sight import SeenPull, Sight
from bridge.policy import LOOK_ANYWAY, Ruling, ruling
from bridge.release import Release
from bridge.sentences import capped, say
from bridge.steps.change import Texts, pinned
from bridge.steps.world import Wait, World


async def approvals_of(pull: SeenPull | None, release: Release, world: World) -> Reviewed | None:
    """Who approved it, where policy asks for that."""
    if pull is None or world.pipeline.policy.approvals is None:
        return None
    return await world.github.reviews(pull.id, release.facts.commit, release.facts.tag)


def rule(
    release: Release, pull: SeenPull, sight: Sight, world: World, reviewed: Reviewed | None
) -> Ruling:
    """What policy says of the version, if the pull request still pins just its file.

    A person may add to it what the new model needs; then a person merges it, too.
    """
    ours = release.facts.pull_request
    is_ours = ours is not None and pull.head_sha == ours.head_sha
    if not is_ours and not _pins_it(sight.head_texts, release, world):
        words = {"number": pull.number, "file": release.facts.file}
        return Ruling("failure", say("pin_changed", **words))
    return _ruling(release, world, world.now, pull, reviewed)


def _ruling(
    release: Release,
    world: World,
    at: datetime,
    pull: SeenPull | None,
    reviewed: Reviewed | None,
) -> Ruling:
    policy, before, ours = world.pipeline.policy, world.last_verified, release.facts.pull_request
    gate = ruling(policy, release.facts, before, at, world.pause)
    head, written = (pull.head_sha if pull else None), (ours.head_sha if ours else None)
    missing = lacking(policy.approvals, reviewed, head=head, ours=written, at=at)
    return Ruling("pending", missing) if missing and gate.state != "failure" else gate


def _pins_it(texts: Texts, release: Release, world: World) -> bool:
    try:
        pin = pinned(texts, release, world.pipeline)
    except Refused:
        return False
    return pin.is_at(release.version) and set(pin.hashes) == {release.facts.digest}


async def show(gate: Ruling, release: Release, pull: SeenPull, sight: Sight, world: World) -> bool:
    """Set the status that the merge button obeys, unless GitHub shows just that already; whether
    it was set."""
    why = capped(gate.because.sentence, LONGEST_DESCRIPTION)
    if pull.state != "OPEN":
        return False
    if sight.gate and (sight.gate.state.lower(), sight.gate.description) == (gate.state, why):
        return False
    await world.intend(say("intent_status", number=pull.number, state=gate.state, why=why))
    page = f"{world.public_url}/releases/{release.id}"
    await world.github.set_status(pull.head_sha, GATE, gate.state, why, page)
    return True


def against_the_gate(
    release: Release, sight: Sight, world: World, reviewed: Reviewed | None
) -> Wait | None:
    """A person can force a merge that the gate does not allow. It is done, but not deployed before
    the gate allows it. See docs/decisions/0012.

    Raises Refused when it has been reverted meanwhile.
    """
    pull = sight.pull
    if sight.merged_by_us():
        return None
    at = pull.merged_at if pull and pull.merged_at else world.now
    then = _ruling(release, world, at, pull, reviewed)
    now = _ruling(release, world, world.now, pull, reviewed)
    known = release.code == "merged_against_gate"
    if known and not _pins_it(sight.texts, release, world):
        raise Refused(say("merge_reverted", branch=world.pipeline.branch, file=release.facts.file))
    if then.state == "success" or (known and now.state == "success"):
        return None
    what = f"Pull request #{pull.number} was merged" if pull else f"{world.pipeline.branch} pins it"
    by = pull.merged_by.login if pull and pull.merged_by else "somebody"
    why = then.because if now.state == "success" else now.because
    reason = say("merged_against_gate", what=what, by=by, why=why.sentence)
    until = world.now if now.state == "success" else look_again(world, now)
    return Wait(until, reason, seen=pull.as_seen if pull else None, alarm=True)


def look_again(world: World, gate: Ruling) -> datetime:
    """A freeze begins and ends by the clock alone; of all else somebody will tell."""
    return min(world.now + LOOK_ANYWAY, gate.until or datetime.max.replace(tzinfo=UTC))
