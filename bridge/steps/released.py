"""Our Heroku release, and what stands beside it: config vars, a rollback or a deploy by hand."""

from datetime import timedelta

from bridge.errors import Reason, Refused, Superseded
from bridge.facts import HerokuDeployment
from bridge.heroku.client import HerokuRelease, as_seen
from bridge.heroku.output import why
from bridge.policy import LOOK_ANYWAY
from bridge.release import Release
from bridge.sentences import say, short
from bridge.steps.world import Done, Learned, Outcome, Wait, World

LOOK_FOR_RELEASE = timedelta(seconds=2)


async def released(
    release: Release,
    world: World,
    ours: HerokuRelease,
    everything: list[HerokuRelease],
    deployed: HerokuDeployment,
) -> Outcome:
    """Whether our commit runs now. `everything` are the newest Heroku releases, newest first.

    Raises Refused when the release phase failed, the slug is gone, or somebody put something else
    in its place, Superseded when that is a newer version of ours.
    """
    app, sha = world.pipeline.app, release.facts.merge_sha or ""
    names = {"release": ours.version, "app": app}
    deployed = deployed.model_copy(update={"release": ours.version, "slug": ours.slug_id})
    current = next((one for one in everything if one.current), None)
    if ours.status == "failed":
        still = f"v{current.version}" if current else "nothing"
        tail = why(await world.heroku.printed(ours)) or "it printed nothing"
        raise Refused(say("release_failed", still=still, tail=tail, **names), {"heroku": deployed})
    if ours.status == "expired":
        raise Refused(say("release_expired", **names), {"heroku": deployed})
    if ours.status == "pending" or current is None or current.version < ours.version:
        reason = say("waiting_for_release", sha=short(sha), status=ours.status)
        return Wait(world.now + LOOK_FOR_RELEASE, reason)
    learned: Learned = {"heroku": deployed}
    if current.version == ours.version:
        return Done(say("deployed", sha=short(sha), **names), learned)
    by = {"current": current.version, "what": current.description, "who": current.who}
    if current.slug_id == ours.slug_id:
        return Done(say("deployed_before", sha=short(sha), **by, **names), learned)
    if outcome := await contained(release, world, current):
        return outcome
    reason = say("taken_over", version=release.version, package=release.package, **by, **names)
    raise Refused(reason, learned)


async def contained(release: Release, world: World, current: HerokuRelease) -> Done | None:
    """Adopt what runs, where it is a later commit of the branch, which contains ours.

    Raises Superseded when a newer version was merged meanwhile: then that one is deployed by it.
    """
    sha = release.facts.merge_sha or ""
    commit = await world.heroku.commit_of(current)
    if commit is None or not await world.github.contains(commit, sha):
        return None
    if world.merged_after:
        raise Superseded(overtaken(release, world.merged_after))
    names = {"release": current.version, "app": world.pipeline.app}
    running = HerokuDeployment(build="", release=current.version, slug=current.slug_id)
    reason = say("deployed_with", sha=short(sha), commit=short(commit), **names)
    return Done(reason, {"heroku": running})


async def watch(release: Release, world: World, sha: str) -> Outcome:
    """Somebody else deploys: recognise the Heroku release by its slug's commit, or by that of a
    later commit, for of two merges close together CI may deploy the last one alone."""
    newest, failed = await world.heroku.releases(), release.facts.failed_releases
    for theirs in newest[:5]:
        if theirs.version in failed and not theirs.current:
            continue
        if await world.heroku.commit_of(theirs) == sha:
            return await released(release, world, theirs, newest, HerokuDeployment(build=""))
    current = next((one for one in newest if one.current), None)
    if current and (outcome := await contained(release, world, current)):
        return outcome
    reason = say("waiting_for_deploy", sha=short(sha), app=world.pipeline.app)
    return Wait(world.now + LOOK_ANYWAY, reason, seen=as_seen(newest))


def overtaken(release: Release, newer: Release) -> Reason:
    """The reason of a release whose place a newer one took."""
    return say("overtaken", package=release.package, version=release.version, by=newer.version)
