"""Our pull request: what it should be, writing it anew, and taking it back."""

from collections.abc import Mapping
from typing import NoReturn

from packaging.version import Version

from bridge.errors import Reason, Refused, Superseded
from bridge.github.client import Proposal
from bridge.github.sight import SeenPull, Sight
from bridge.pins import Pin
from bridge.policy import goes_back
from bridge.pull_text import Change, body, title
from bridge.release import Release
from bridge.sentences import say, short
from bridge.steps.change import pinned, wanted
from bridge.steps.resolve import resolve
from bridge.steps.world import Outcome, Wait, World
from bridge.unblock import unblock


def proposal(
    release: Release, world: World, sight: Sight, old: str, files: Mapping[str, str]
) -> Proposal:
    """The pull request that makes these files so, seen from where the pin is `old`."""
    change = Change(
        release=release,
        pipeline=world.pipeline,
        old=old,
        before=world.last_verified,
        page=f"{world.public_url}/releases/{release.id}",
        repository=sight.url,
        history=[(commit.oid, commit.headline) for commit in sight.history],
        chain_head=world.chain_head,
    )
    return Proposal(
        base=world.pipeline.branch,
        base_sha=sight.base_sha or "",
        branch=world.pipeline.branch_for(release.version),
        head_sha=sight.head_sha,
        files=files,
        written=sight.head_is_only(files),
        title=title(release, old),
        body=body(change),
    )


def pins_newer(release: Release, pin: Pin, world: World) -> bool:
    """Whether the branch pins a newer version, which goes first: none that was taken back, for that
    one does not run."""
    taken_back = any(Version(one) == Version(pin.version) for one in world.taken_back)
    return goes_back(release, pin.version) and not taken_back


async def rewrite(release: Release, world: World, sight: Sight, pull: SeenPull) -> Outcome:
    """Put the pull request anew on the base, which moved so that the two conflict.

    Raises Refused when the base has no pin to move any more, Superseded when it has a newer one;
    the pull request is closed then.
    """
    try:
        pin = pinned(sight.texts, release, world.pipeline)
        if pins_newer(release, pin, world):
            await withdraw(release, world, pull, by=pin.version)
        files = wanted(sight.texts, release, world.pipeline)
        files, resolved = await resolve(release, world, sight, files)
        release = release.knowing(resolved)
        asked = proposal(release, world, sight, pin.version, files)
    except Superseded:
        raise
    except Refused as refusal:
        await close(pull, release, world, refusal.reason)
        raise
    names = {"number": pull.number, "branch": world.pipeline.branch}
    await world.intend(say("intent_rewrite", sha=short(sight.base_sha or ""), **names))
    sha = await world.github.rewrite(sight.repository_id, asked, pull.as_fact())
    ours = pull.as_fact().model_copy(update={"head_sha": sha})
    return Wait(
        world.now,
        say("rewritten", **names),
        {**resolved, "pull_request": ours, "previous_version": pin.version},
    )


async def withdraw(release: Release, world: World, pull: SeenPull | None, *, by: str) -> NoReturn:
    """Close our own pull request, because a newer version took its place; raises Superseded."""
    reason = say("superseded", package=release.package, by=by)
    if pull:
        await close(pull, release, world, reason)
    raise Superseded(reason)


async def close(pull: SeenPull, release: Release, world: World, why: Reason) -> None:
    """Nobody shall merge it by mistake; the comment says what would let the version go on."""
    if pull.state == "OPEN":
        names = {"number": pull.number, "package": release.package, "version": release.version}
        await world.intend(say("intent_close", why=why.sentence, **names))
        ahead = unblock(why, release.package, release.version)
        told = f"{why.sentence}\n\nWaits for {ahead.who}. {ahead.what}" if ahead else why.sentence
        await world.github.close_pull(pull, told)
