"""proposed → merged: at the head that we wrote, by policy or by a person."""

import contextlib
from datetime import timedelta

from bridge.errors import Declined, Reason, Refused, Unavailable
from bridge.facts import PullRequest
from bridge.github.sight import SeenPull, Sight
from bridge.policy import Ruling, may_merge, other_file
from bridge.release import Release
from bridge.sentences import say, short
from bridge.steps.author import close, rewrite, withdraw
from bridge.steps.change import is_only_ours, pinned, wanted
from bridge.steps.gate import against_the_gate, approvals_of, look_again, rule, show
from bridge.steps.same_file import must_be_the_same
from bridge.steps.world import Done, Outcome, Wait, World

LOOK_SOON = timedelta(seconds=2)
SAYS_SOMETHING_ELSE = say("looking_again", what="bridge/gate says something else now")


async def merge(release: Release, world: World) -> Outcome:
    """Notice a merge, whoever made it; else merge if the policy says so, or wait.

    Raises Superseded when a newer version is proposed, Refused when this turned out to be another
    file than announced, Declined when a person closed the pull request.
    """
    pipeline = world.pipeline
    branch = pipeline.branch_for(release.version)
    sight = await world.github.look(pipeline.branch, pipeline.looks_at, branch)
    pull, ours = sight.pull, release.facts.pull_request
    if pull is None:
        return _without_pull(release, world, sight)
    if ours and pull.head_sha != ours.head_sha and _is_rewritten(release, world, sight):
        known = say("looking_again", what=f"the head of pull request #{pull.number} is our own")
        return Wait(world.now, known, {"pull_request": pull.as_fact()})
    reviewed = await approvals_of(pull, release, world)
    if pull.state == "MERGED":
        held = against_the_gate(release, sight, world, reviewed)
        return held or await _merged(pull, sight, world)
    gate = rule(release, pull, sight, world, reviewed)
    if reason := other_file(release.facts):
        await show(gate, release, pull, sight, world)
        await close(pull, release, world, reason)
        raise Refused(reason)
    if world.newer:
        await withdraw(release, world, pull, by=world.newer)
    if pull.state == "CLOSED":
        raise Declined(say("declined", number=pull.number))
    is_ours = ours and pull.head_sha == ours.head_sha
    if ours is None or not is_ours or not is_only_ours(sight, pull, release, pipeline):
        if await show(gate, release, pull, sight, world):
            return Wait(world.now, SAYS_SOMETHING_ELSE)
        return _wait(world, say("somebody_pushed", number=pull.number), pull, gate)
    if pull.conflicts and not world.pause:
        return await rewrite(release, world, sight, pull)
    if await show(gate, release, pull, sight, world) and (sight.gate or pull.is_blocked):
        return Wait(world.now, SAYS_SOMETHING_ELSE)
    reason = may_merge(pipeline.policy, pull.number, sight.checks, pull.review, gate)
    if reason and pull.merges_later and pipeline.policy.merge == "auto":
        await world.intend(say("intent_hold", number=pull.number))
        await world.github.hold(pull.id)
    reason = reason or must_wait(pull, sight)
    if reason is None or release.seen is None:
        await _must_be_the_same(pull, release, world)
    if reason:
        return _wait(world, reason, pull, gate)
    return await merge_now(pull, ours, sight, world)


async def _must_be_the_same(pull: SeenPull, release: Release, world: World) -> None:
    """Asked when about to merge, at the first look, and when the sweep saw that the index changed
    and took back what was `seen`."""
    try:
        await must_be_the_same(release, world)
    except Refused as refusal:
        await close(pull, release, world, refusal.reason)
        raise


def must_wait(pull: SeenPull, sight: Sight) -> Reason | None:
    """Why GitHub would not merge now, though our policy would, and all is done about it."""
    if pull.is_draft:
        return say("draft", number=pull.number)
    if pull.is_queued:
        return say("in_merge_queue", number=pull.number)
    if not pull.is_blocked or sight.queue:
        return None
    if pull.merges_later:
        return say("merges_later", number=pull.number)
    return None if pull.may_merge_later else say("blocked", number=pull.number)


async def merge_now(pull: SeenPull, ours: PullRequest, sight: Sight, world: World) -> Wait:
    """At exactly this head: at once, later by GitHub itself, or by its queue."""
    names = {"number": pull.number, "sha": short(ours.head_sha)}
    if sight.queue:
        await world.intend(say("intent_enqueue", **names))
        await world.github.enqueue(pull.id, ours.head_sha)
    elif pull.is_blocked:
        await world.intend(say("intent_merge_later", **names))
        await world.github.merge_later(pull.id, ours.head_sha, sight.method)
    else:
        await world.intend(say("intent_merge", **names))
        await world.github.merge(pull.id, ours.head_sha, sight.method)
    reason = say("looking_again", what=f"pull request #{pull.number} is being merged")
    return Wait(world.now, reason)


async def _merged(pull: SeenPull, sight: Sight, world: World) -> Outcome:
    if pull.merge_commit is None:
        reason = say("looking_again", what="GitHub does not show the merge commit yet")
        return Wait(world.now + LOOK_SOON, reason)
    if sight.head:
        await tidy_up(sight.head.id, pull, world)
    by = pull.merged_by.login if pull.merged_by else "somebody"
    sha = pull.merge_commit.oid
    return Done(
        say("merged", number=pull.number, by=by, sha=short(sha)),
        {"merge_sha": sha, "merged_by": by},
    )


async def tidy_up(ref_id: str, pull: SeenPull, world: World) -> None:
    """Delete the branch. One that cannot be deleted, a protected one say, stops no release."""
    await world.intend(say("intent_delete", number=pull.number))
    with contextlib.suppress(Unavailable, Refused):
        await world.github.delete_branch(ref_id)


def _without_pull(release: Release, world: World, sight: Sight) -> Outcome:
    """The pin may be on the base branch without any pull request of ours."""
    names = {"package": release.package, "version": release.version}
    if sight.base_sha:
        pin = pinned(sight.texts, release, world.pipeline)
        if pin.is_at(release.version):
            if held := against_the_gate(release, sight, world, None):
                return held
            reason = say("already_pinned", branch=world.pipeline.branch, **names)
            return Done(reason, {"merge_sha": sight.base_sha})
    ours = release.facts.pull_request
    raise Refused(say("pull_request_gone", number=ours.number if ours else "?"))


def _is_rewritten(release: Release, world: World, sight: Sight) -> bool:
    """The head is the one commit that we would write now: we did, and our write was lost."""
    try:
        return sight.head_is_only(wanted(sight.texts, release, world.pipeline))
    except Refused:
        return False


def _wait(world: World, reason: Reason, pull: SeenPull, gate: Ruling) -> Wait:
    """GitHub will tell, or the sweep will see that it did not; a freeze begins and ends by the
    clock alone, and whether the two conflict GitHub works out a little after the base has moved."""
    soon = pull.mergeable == "UNKNOWN"
    return Wait(
        world.now + LOOK_SOON if soon else look_again(world, gate), reason, seen=pull.as_seen
    )
