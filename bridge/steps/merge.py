"""proposed → merged: at the head that we wrote, by policy or by a person."""

import contextlib
from datetime import timedelta
from typing import NoReturn

from bridge import pins
from bridge.errors import Declined, Reason, Refused, Superseded, Unavailable
from bridge.github.sight import SeenPull, Sight
from bridge.policy import LOOK_ANYWAY, may_merge, other_file
from bridge.release import PullRequest, Release
from bridge.sentences import say, short
from bridge.steps.world import Done, Outcome, Wait, World

LOOK_AFTER_MERGE = timedelta(seconds=1)


async def merge(release: Release, world: World) -> Outcome:
    """Notice a merge, whoever made it; else merge if the policy says so, or wait.

    Raises Superseded when a newer version is proposed, Refused when this turned out to be another
    file than announced, Declined when a person closed the pull request.
    """
    pipeline = world.pipeline
    branch = pipeline.branch_for(release.version)
    sight = await world.github.look(pipeline.branch, pipeline.requirements, branch)
    pull, ours = sight.pull, release.facts.pull_request
    if pull is None:
        return _without_pull(release, world, sight)
    if pull.state == "MERGED":
        return await _merged(pull, sight, world)
    if reason := other_file(release.facts):
        await _close(pull, release, world, reason.sentence)
        raise Refused(reason)
    if world.newer:
        await withdraw(release, world, pull, by=world.newer)
    if pull.state == "CLOSED":
        raise Declined(say("declined", number=pull.number))
    if ours is None or pull.head_sha != ours.head_sha or pull.changed_files != 1:
        return _ask_a_person(world, "somebody_pushed", pull)
    if pull.mergeable == "CONFLICTING":
        return _ask_a_person(world, "conflict", pull)
    if reason := may_merge(pipeline.policy, pull.number, pull.checks):
        return _wait(world, reason, pull)
    return await _merge_now(pull, ours, world)


async def withdraw(release: Release, world: World, pull: SeenPull | None, *, by: str) -> NoReturn:
    """Close our own pull request, because a newer version took its place; raises Superseded."""
    reason = say("superseded", package=release.package, by=by)
    if pull:
        await _close(pull, release, world, reason.sentence)
    raise Superseded(reason)


async def _close(pull: SeenPull, release: Release, world: World, why: str) -> None:
    """Nobody shall merge it by mistake."""
    if pull.state == "OPEN":
        names = {"number": pull.number, "package": release.package, "version": release.version}
        await world.intend(say("intent_close", why=why, **names))
        await world.github.close_pull(pull, why)


async def _merge_now(pull: SeenPull, ours: PullRequest, world: World) -> Outcome:
    sha = short(ours.head_sha)
    await world.intend(say("intent_merge", number=pull.number, sha=sha))
    await world.github.merge(pull.id, ours.head_sha)
    reason = say("looking_again", what=f"pull request #{pull.number} is being merged")
    return Wait(world.now, reason)


async def _merged(pull: SeenPull, sight: Sight, world: World) -> Outcome:
    if pull.merge_commit is None:
        reason = say("looking_again", what="GitHub does not show the merge commit yet")
        return Wait(world.now + LOOK_AFTER_MERGE, reason)
    if sight.head:
        await _tidy_up(sight.head.id, pull, world)
    by = pull.merged_by.login if pull.merged_by else "somebody"
    sha = pull.merge_commit.oid
    return Done(
        say("merged", number=pull.number, by=by, sha=short(sha)),
        {"merge_sha": sha, "merged_by": by},
    )


async def _tidy_up(ref_id: str, pull: SeenPull, world: World) -> None:
    """A branch that cannot be deleted, a protected one say, stops no release."""
    await world.intend(say("intent_delete", number=pull.number))
    with contextlib.suppress(Unavailable, Refused):
        await world.github.delete_branch(ref_id)


def _without_pull(release: Release, world: World, sight: Sight) -> Outcome:
    """The pin may be on the base branch without any pull request of ours."""
    names = {"package": release.package, "version": release.version}
    if sight.text and sight.base_sha:
        pin = pins.find(sight.text, release.package)
        if pin.is_at(release.version):
            reason = say("already_pinned", branch=world.pipeline.branch, **names)
            return Done(reason, {"merge_sha": sight.base_sha})
    ours = release.facts.pull_request
    raise Refused(say("pull_request_gone", number=ours.number if ours else "?"))


def _ask_a_person(world: World, code: str, pull: SeenPull) -> Wait:
    return _wait(world, say(code, number=pull.number, branch=world.pipeline.branch), pull)


def _wait(world: World, reason: Reason, pull: SeenPull) -> Wait:
    """GitHub will tell, or the sweep will see that it did not."""
    return Wait(world.now + LOOK_ANYWAY, reason, seen=pull.as_seen)
