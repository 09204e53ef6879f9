"""confirmed → proposed: one pull request moves the pin, and nothing else."""

from packaging.version import Version

from bridge import pins
from bridge.errors import Declined, Refused
from bridge.github.client import Proposal
from bridge.github.sight import SeenPull, Sight
from bridge.model_card import compare
from bridge.policy import next_look, other_file
from bridge.pull_text import body, title
from bridge.release import Release
from bridge.sentences import say
from bridge.steps.merge import withdraw
from bridge.steps.world import Done, Learned, Outcome, Wait, World


async def propose(release: Release, world: World) -> Outcome:
    """Make what is missing of branch, commit and pull request, or adopt what we made before.

    Raises Refused when the pin must not be guessed or has no hash, Superseded when a newer version
    is pinned or proposed, Declined when a person has closed this version's pull request.
    """
    if reason := other_file(release.facts):
        raise Refused(reason)
    pipeline, branch = world.pipeline, world.pipeline.branch_for(release.version)
    sight = await world.github.look(pipeline.branch, pipeline.requirements, branch)
    text, pull = sight.text, sight.pull
    if text is None:
        where = {"path": pipeline.requirements, "branch": pipeline.branch}
        raise Refused(say("no_requirements_file", **where))
    pin = pins.find(text, release.package)
    names = {"package": release.package, "version": release.version, "old": pin.version}
    if pull and pull.state == "MERGED":
        return Done(say("already_pinned", branch=pipeline.branch, **names), _remembered(pull))
    if world.newer or Version(pin.version) > Version(release.version):
        await withdraw(release, world, pull, by=world.newer or pin.version)
    if pull and pull.state == "CLOSED":
        raise Declined(say("declined", number=pull.number))
    if pin.is_at(release.version):
        return Done(say("already_pinned", branch=pipeline.branch, **names), _remembered(pull))
    wanted = pins.bump(text, release.package, release.version, [release.facts.digest or ""])
    if not pins.find(wanted, release.package).hashes:
        raise Refused(say("pin_without_hash", line=pin.number, path=pipeline.requirements, **names))
    if sight.head and not sight.head_is_only(wanted) and sight.head_sha != sight.base_sha:
        reason = say("branch_in_use", branch=branch)
        return Wait(next_look(release.since, world.now), reason)
    if pull:
        reason = say("adopted", number=pull.number, **names)
        return Done(reason, {"pull_request": pull.as_fact(), "previous_version": pin.version})
    await world.intend(say("intent_branch", branch=branch, **names))
    made = await world.github.propose(
        sight.repository_id, _proposal(release, world, sight, pin.version, wanted)
    )
    return Done(
        say("proposed", number=made.number, **names),
        {"pull_request": made, "previous_version": pin.version},
    )


def _remembered(pull: SeenPull | None) -> Learned:
    return {"pull_request": pull.as_fact()} if pull else {}


def _proposal(release: Release, world: World, sight: Sight, old: str, wanted: str) -> Proposal:
    before, card = world.last_verified, release.facts.card
    known = before.facts.card if before and before.version == old else None
    page = f"{world.public_url}/releases/{release.id}"
    comparison = compare(known, card) if card else None
    return Proposal(
        base=world.pipeline.branch,
        base_sha=sight.base_sha or "",
        branch=world.pipeline.branch_for(release.version),
        head_sha=sight.head_sha,
        path=world.pipeline.requirements,
        text=None if sight.head_text == wanted else wanted,
        title=title(release, old),
        body=body(release, old, comparison, world.pipeline, page, world.chain_head),
    )
