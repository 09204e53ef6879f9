"""confirmed → proposed: one pull request moves the pin, and nothing else."""

import contextlib

from bridge.columns import written
from bridge.errors import Declined, Refused, Unavailable
from bridge.github.sight import SeenPull
from bridge.policy import LOOK_ANYWAY, next_look, other_file
from bridge.quarantine import ends, quarantined
from bridge.release import Release
from bridge.sentences import say
from bridge.steps.author import pins_newer, proposal, withdraw
from bridge.steps.change import pinned, wanted
from bridge.steps.resolve import resolve
from bridge.steps.world import Done, Learned, Outcome, Wait, World

HOLDS_UP = 3  # so many times `replace_after` a newer version may take to be proposed


async def propose(release: Release, world: World) -> Outcome:
    """Make what is missing of branch, commit and pull request, or adopt what we made before.

    Raises Refused when the pin must not be guessed or has no hash, or the file does not resolve
    with it, Superseded when a newer version is pinned or proposed, Declined when a person has
    closed this version's pull request.
    """
    if reason := other_file(release.facts):
        raise Refused(reason)
    if wait := _not_my_turn(release, world):
        return wait
    pipeline, branch = world.pipeline, world.pipeline.branch_for(release.version)
    built = release.facts.commit
    sight = await world.github.look(pipeline.branch, pipeline.looks_at, branch, built)
    pull, pin = sight.pull, pinned(sight.texts, release, pipeline)
    names = {"package": release.package, "version": release.version, "old": pin.version}
    if pull and pull.state == "MERGED" and not _before_retry(release, pull):
        return Done(say("already_pinned", branch=pipeline.branch, **names), _remembered(pull))
    if world.newer or pins_newer(release, pin, world):
        await withdraw(release, world, pull, by=world.newer or pin.version)
    if pull and pull.state == "CLOSED" and not _before_retry(release, pull):
        raise Declined(say("declined", number=pull.number))
    if pin.is_at(release.version):
        return Done(say("already_pinned", branch=pipeline.branch, **names), _remembered(pull))
    files = wanted(sight.texts, release, pipeline)
    files, resolved = await resolve(release, world, sight, files)
    release = release.knowing(resolved)
    if sight.head and not sight.head_is_only(files) and sight.head_sha != sight.base_sha:
        reason = say("branch_in_use", branch=branch)
        return Wait(next_look(release.since, world.now), reason)
    if pull and pull.state == "OPEN":
        await ask_for(pull.number, world)
        reason = say("adopted", number=pull.number, **names)
        learned: Learned = {
            **resolved,
            "pull_request": pull.as_fact(),
            "previous_version": pin.version,
        }
        return Done(reason, learned)
    await world.intend(say("intent_branch", branch=branch, **names))
    made = await world.github.propose(
        sight.repository_id, proposal(release, world, sight, pin.version, files)
    )
    await ask_for(made.number, world)
    return Done(
        say("proposed", number=made.number, **names),
        {**resolved, "pull_request": made, "previous_version": pin.version},
    )


def _not_my_turn(release: Release, world: World) -> Wait | None:
    """A newer version goes first, and an open pull request is not replaced at once; neither holds
    anybody up for long."""
    patience, first = world.pipeline.policy.replace_after, world.next_up
    if held := quarantined(release.facts, world.now):
        return Wait(ends(release.facts) or world.now + LOOK_ANYWAY, held)
    if first and quarantined(first.facts, world.now):
        first = None
    if world.newer:
        return None
    if first and world.now < (until := first.since + HOLDS_UP * patience):
        return Wait(until, say("newer_goes_first", version=release.version, by=first.version))
    if world.open_since and world.now < (until := world.open_since + patience):
        return Wait(until, say("replaces_soon", version=release.version, at=written(until)))
    return None


def _before_retry(release: Release, pull: SeenPull) -> bool:
    """The bridge closed it itself when it refused the version, or it was merged and rolled back; a
    person has it tried again."""
    ours = release.facts.pull_request
    return ours is not None and ours.id == pull.id


async def ask_for(number: int, world: World) -> None:
    """Labels and reviewers are a courtesy: failing to set them stops nothing."""
    labels, reviewers = world.pipeline.labels, world.pipeline.reviewers
    if labels or reviewers:
        what = ", ".join([*labels, *reviewers])
        await world.intend(say("intent_ask", number=number, what=what))
        with contextlib.suppress(Unavailable):
            await world.github.ask_for(number, labels, reviewers)


def _remembered(pull: SeenPull | None) -> Learned:
    return {"pull_request": pull.as_fact()} if pull else {}
