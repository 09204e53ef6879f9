"""proposed → merged: at the head that we wrote, by policy or by a person."""

from datetime import timedelta

from bridge import pins
from bridge.errors import Declined, Reason, Refused
from bridge.github.sight import SeenPull, Sight
from bridge.policy import may_merge, next_look, other_file
from bridge.release import PullRequest, Release
from bridge.sentences import say, short
from bridge.steps.world import Done, Outcome, Wait, World

LOOK_AFTER_MERGE = timedelta(seconds=1)


async def merge(release: Release, world: World) -> Outcome:
    """Notice a merge, whoever made it; else merge if the policy says so, or wait.

    Raises Declined when a person closed the pull request.
    """
    pipeline, facts = world.pipeline, release.facts
    branch = pipeline.branch_for(release.version)
    sight = await world.github.look(pipeline.branch, pipeline.requirements, branch)
    pull = sight.pull
    if pull is None:
        return _without_pull(release, sight)
    if pull.state == "MERGED":
        return await _merged(pull, sight, world)
    if pull.state == "CLOSED":
        raise Declined(say("declined", number=pull.number))
    if reason := other_file(facts):
        await _close(release, pull, reason, world)
        raise Refused(reason)
    ours = facts.pull_request
    if ours is None or pull.head_sha != ours.head_sha:
        return _ask_a_person(release, world, "somebody_pushed", pull)
    if pull.mergeable == "CONFLICTING":
        return _ask_a_person(release, world, "conflict", pull)
    if reason := may_merge(pipeline.policy, pull.number, pull.checks):
        return Wait(next_look(release.since, world.now), reason)
    return await _merge_now(pull, ours, world)


async def _close(release: Release, pull: SeenPull, reason: Reason, world: World) -> None:
    """Nobody shall merge it by mistake."""
    names = {"number": pull.number, "package": release.package, "version": release.version}
    await world.intend(say("intent_close", why=reason.sentence, **names))
    await world.github.close_pull(pull, reason.sentence)


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
        await world.github.delete_branch(sight.head.id)
    by = pull.merged_by.login if pull.merged_by else "somebody"
    sha = pull.merge_commit.oid
    return Done(
        say("merged", number=pull.number, by=by, sha=short(sha)),
        {"merge_sha": sha, "merged_by": by},
    )


def _without_pull(release: Release, sight: Sight) -> Outcome:
    """The pin may be on the base branch without any pull request of ours."""
    names = {"package": release.package, "version": release.version, "branch": "the branch"}
    if (
        sight.text
        and sight.base_sha
        and pins.find(sight.text, release.package).is_at(release.version)
    ):
        return Done(say("already_pinned", **names), {"merge_sha": sight.base_sha})
    ours = release.facts.pull_request
    raise Refused(say("pull_request_gone", number=ours.number if ours else "?"))


def _ask_a_person(release: Release, world: World, code: str, pull: SeenPull) -> Wait:
    reason = say(code, number=pull.number, branch=world.pipeline.branch)
    return Wait(next_look(release.since, world.now), reason)
