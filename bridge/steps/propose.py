"""confirmed → proposed: one pull request moves the pin, and nothing else."""

from packaging.version import InvalidVersion, Version

from bridge import pins
from bridge.errors import Declined, Refused
from bridge.github.client import Proposal
from bridge.github.sight import OpenPull, Sight
from bridge.model_card import compare
from bridge.policy import other_file
from bridge.pull_text import body, title
from bridge.release import Release
from bridge.sentences import say
from bridge.steps.world import Done, Outcome, World


async def propose(release: Release, world: World) -> Outcome:
    """Make what is missing of branch, commit and pull request, or adopt what is there.

    Raises Refused when the pin must not be guessed or would go back, Declined when a person has
    closed this version's pull request.
    """
    if reason := other_file(release.facts):
        raise Refused(reason)
    pipeline, branch = world.pipeline, world.pipeline.branch_for(release.version)
    sight = await world.github.look(pipeline.branch, pipeline.requirements, branch)
    text, base_sha = sight.text, sight.base_sha
    if text is None or base_sha is None:
        names = {"path": pipeline.requirements, "branch": pipeline.branch}
        raise Refused(say("no_requirements_file", **names))
    pin, pull = pins.find(text, release.package), sight.pull
    names = {"package": release.package, "version": release.version, "old": pin.version}
    if pull and pull.state == "CLOSED":
        raise Declined(say("declined", number=pull.number))
    if pull:
        reason = say("adopted", number=pull.number, **names)
        return Done(reason, {"pull_request": pull.as_fact(), "previous_version": pin.version})
    if pin.is_at(release.version):
        return Done(say("already_pinned", branch=pipeline.branch, **names))
    if Version(pin.version) > Version(release.version):
        raise Refused(say("downgrade", branch=pipeline.branch, **names))
    await _close_superseded(release, world, sight)
    digests = [release.facts.digest] if release.facts.digest else []
    wanted = pins.bump(text, release.package, release.version, digests)
    await world.intend(say("intent_branch", branch=branch, **names))
    made = await world.github.propose(
        sight.repository_id,
        Proposal(
            base=pipeline.branch,
            base_sha=base_sha,
            branch=branch,
            head_sha=sight.head_sha,
            path=pipeline.requirements,
            text=wanted if sight.head_text != wanted else None,
            title=title(release, pin.version),
            body=_body(release, world, pin.version),
        ),
    )
    return Done(
        say("proposed", number=made.number, **names),
        {"pull_request": made, "previous_version": pin.version},
    )


def _body(release: Release, world: World, old: str) -> str:
    before = world.last_verified
    card = release.facts.card
    known = before.facts.card if before and before.version == old else None
    page = f"{world.public_url}/releases/{release.id}"
    return body(
        release, old, compare(known, card) if card else None, world.pipeline, page, world.chain_head
    )


async def _close_superseded(release: Release, world: World, sight: Sight) -> None:
    """Close our open pull requests for older versions of this package."""
    for pull in sight.open.nodes:
        if _is_older(pull, release, world.pipeline.branch_prefix):
            why = say("superseded", package=release.package, by=release.version).sentence
            version = pull.head.removeprefix(world.pipeline.branch_prefix)
            names = {"package": release.package, "version": version, "number": pull.number}
            await world.intend(say("intent_close", why=why, **names))
            await world.github.close_pull(pull, why)


def _is_older(pull: OpenPull, release: Release, prefix: str) -> bool:
    if pull.is_cross_repository or not pull.head.startswith(prefix):
        return False
    try:
        return Version(pull.head.removeprefix(prefix)) < Version(release.version)
    except InvalidVersion:
        return False
