"""After a rollback: one pull request puts the pin back to the version that runs again."""

from datetime import datetime

from bridge.errors import Reason, Refused
from bridge.facts import PullRequest, Rollback
from bridge.github.client import Proposal
from bridge.github.sight import SeenPull, Sight
from bridge.policy import LOOK_ANYWAY, Ruling, may_merge
from bridge.quarantine import ends, quarantined
from bridge.release import Release
from bridge.revert_text import body, title
from bridge.sentences import say, short
from bridge.steps.author import close
from bridge.steps.change import is_only_ours, pinned, wanted
from bridge.steps.gate import show
from bridge.steps.merge import LOOK_SOON, SAYS_SOMETHING_ELSE, merge_now, must_wait, tidy_up
from bridge.steps.propose import ask_for
from bridge.steps.resolve import resolve
from bridge.steps.same_file import must_be_the_same
from bridge.steps.world import Learned, Wait, World


async def revert(release: Release, world: World) -> Wait:
    """See where the pin stands, and do what is missing until it says what runs.

    The pull request follows the rules of every other, but no freeze and no gate on metrics: what it
    pins was verified and runs already. While that is in quarantine nothing is
    merged. What must not be guessed is left to a person.
    """
    rolled, back = release.facts.rollback, world.put_back
    if rolled is None or back is None or rolled.settled:
        return Wait(None, release.reason)
    try:
        return await _look(release, back.knowing({"moved": rolled.moved}), rolled, world)
    except Refused as refusal:
        names = {"version": back.version, "branch": world.pipeline.branch}
        reason = say("revert_by_hand", why=refusal.reason.sentence, **names)
        return Wait(world.now + LOOK_ANYWAY, reason, alarm=True)


async def _look(release: Release, back: Release, rolled: Rollback, world: World) -> Wait:
    pipeline = world.pipeline
    branch = pipeline.branch_back_from(release.version)
    sight = await world.github.look(pipeline.branch, pipeline.looks_at, branch)
    pull, pin = sight.pull, pinned(sight.texts, release, pipeline)
    if not pin.is_at(release.version):
        return await _settled(release, pin.version, sight, rolled, world)
    if pull and pull.state == "OPEN":
        return await _onwards(release, back, pull, sight, rolled, world)
    if pull and _is_no(pull, rolled):
        names = {"number": pull.number, "branch": pipeline.branch, "version": release.version}
        reason = say("revert_declined", back=back.version, **names)
        return Wait(None, reason, _learned(rolled, settled=True), alarm=True)
    gate = _gate(back, world)
    if gate.state != "success":
        return Wait(gate.until or world.now + LOOK_ANYWAY, gate.because)
    proposal, rolled = await _proposal(release, back, sight, rolled, world)
    if sight.head and not proposal.written and sight.head_sha != sight.base_sha:
        return Wait(world.now + LOOK_ANYWAY, say("branch_in_use", branch=branch))
    await must_be_the_same(back, world)
    names = {"package": back.package, "version": back.version}
    await world.intend(say("intent_branch", branch=branch, **names))
    made = await world.github.propose(sight.repository_id, proposal)
    await ask_for(made.number, world)
    return Wait(world.now, _waits(made, back, "it is new"), _learned(rolled, pull_request=made))


def _is_no(pull: SeenPull, rolled: Rollback) -> bool:
    """A person closed it, or merged it and pinned the version once more. A merged one that we do
    not know is of an earlier try."""
    known = rolled.pull_request
    return pull.state == "CLOSED" or (known is not None and known.id == pull.id)


async def _onwards(
    release: Release, back: Release, pull: SeenPull, sight: Sight, rolled: Rollback, world: World
) -> Wait:
    """Towards its merge: by policy, or by a person."""
    policy, ours = world.pipeline.policy, pull.as_fact()
    known = rolled.pull_request or ours
    seen = {"pull_request": known}
    is_ours = is_only_ours(sight, pull, back, world.pipeline)
    if not is_ours or (rolled.moved and known.head_sha != ours.head_sha):
        why = say("somebody_pushed", number=pull.number).sentence
        return _wait(world, pull, _waits(ours, back, why), _learned(rolled, **seen))
    if pull.conflicts and not world.pause:
        return await _rewrite(release, back, pull, sight, rolled, world)
    gate = _gate(back, world)
    if await show(gate, release, pull, sight, world) and (sight.gate or pull.is_blocked):
        return Wait(world.now, SAYS_SOMETHING_ELSE, _learned(rolled, **seen))
    reason = may_merge(policy, pull.number, sight.checks, pull.review, gate)
    if reason and pull.merges_later and policy.merge == "auto":
        await world.intend(say("intent_hold", number=pull.number))
        await world.github.hold(pull.id)
    if gate.state != "success":
        return _wait(world, pull, gate.because, _learned(rolled, **seen), gate.until)
    if reason := reason or must_wait(pull, sight):
        return _wait(world, pull, _waits(ours, back, reason.sentence), _learned(rolled, **seen))
    return await merge_now(pull, ours, sight, world)


async def _rewrite(
    release: Release, back: Release, pull: SeenPull, sight: Sight, rolled: Rollback, world: World
) -> Wait:
    proposal, rolled = await _proposal(release, back, sight, rolled, world)
    names = {"number": pull.number, "branch": world.pipeline.branch}
    await world.intend(say("intent_rewrite", sha=short(sight.base_sha or ""), **names))
    sha = await world.github.rewrite(sight.repository_id, proposal, pull.as_fact())
    ours = pull.as_fact().model_copy(update={"head_sha": sha})
    return Wait(world.now, say("rewritten", **names), _learned(rolled, pull_request=ours))


async def _proposal(
    release: Release, back: Release, sight: Sight, rolled: Rollback, world: World
) -> tuple[Proposal, Rollback]:
    """What the pull request would be, and what else it moves; raises Refused."""
    pipeline = world.pipeline
    files = wanted(sight.texts, back, pipeline)
    files, resolved = await resolve(back, world, sight, files)
    proposal = Proposal(
        base=pipeline.branch,
        base_sha=sight.base_sha or "",
        branch=pipeline.branch_back_from(release.version),
        head_sha=sight.head_sha,
        files=files,
        written=sight.head_is_only(files),
        title=title(release, back),
        body=body(release, back, pipeline, f"{world.public_url}/releases/{release.id}"),
    )
    return proposal, rolled.model_copy(update={"moved": resolved.get("moved", [])})


async def _settled(
    release: Release, pinned_now: str, sight: Sight, rolled: Rollback, world: World
) -> Wait:
    """The branch does not pin the version any more, whoever did that: nothing is left to do."""
    pull, branch = sight.pull, world.pipeline.branch
    because = release.facts.refused_because or ""
    names = {"was": release.version, "version": pinned_now, "branch": branch}
    reason = say("pin_put_back", because=because, **names)
    if pull and pull.state == "OPEN":
        told = say("pin_put_back", because="the release page tells why.", **names)
        await close(pull, release, world, told)
    elif pull and pull.state == "MERGED" and sight.head:
        await tidy_up(sight.head.id, pull, world)
    return Wait(None, reason, _learned(rolled, settled=True))


def _gate(back: Release, world: World) -> Ruling:
    """What it pins runs already, so that only a quarantine stops it, or a pause."""
    if held := quarantined(back.facts, world.now):
        names = {"version": back.version, "branch": world.pipeline.branch}
        return Ruling("failure", say("revert_held", why=held.sentence, **names), ends(back.facts))
    if world.pause:
        return Ruling("pending", world.pause.reason)
    return Ruling("success", say("gate_of_revert", version=back.version))


def _learned(rolled: Rollback, **more: object) -> Learned:
    return {"rollback": rolled.model_copy(update=more)}


def _waits(pull: PullRequest, back: Release, why: str) -> Reason:
    return say("reverting", number=pull.number, version=back.version, why=why)


def _wait(
    world: World,
    pull: SeenPull,
    reason: Reason,
    learned: Learned,
    until: datetime | None = None,
) -> Wait:
    """GitHub will tell, or the sweep; only of conflicts nobody does."""
    soon = pull.mergeable == "UNKNOWN"
    later = until or world.now + LOOK_ANYWAY
    return Wait(world.now + LOOK_SOON if soon else later, reason, learned, seen=pull.as_seen)
