"""merged → deployed: one build of the merge commit, ours or adopted, and its Heroku release."""

import asyncio
import hashlib
from dataclasses import replace

from bridge.errors import Refused, Superseded, Unavailable
from bridge.facts import HerokuDeployment
from bridge.heroku.client import Build, as_seen
from bridge.heroku.output import why
from bridge.heroku.pack import pack
from bridge.policy import LOOK_ANYWAY, goes_back, other_file
from bridge.quarantine import quarantined
from bridge.release import Release
from bridge.sentences import say, short
from bridge.steps.released import LOOK_FOR_RELEASE, overtaken, released, watch
from bridge.steps.same_file import must_be_the_same
from bridge.steps.verify import contradiction
from bridge.steps.world import Done, Outcome, Wait, World


async def deploy(release: Release, world: World) -> Outcome:
    """Start the build of the merge commit, or watch what is there.

    Raises Refused when the file is not the confirmed one any more, Heroku could not build it, its
    release phase failed or somebody put something else in its place; Superseded when a newer
    version is verified by now, for production never goes backwards unasked, or takes its place.
    """
    served = world.last_verified
    if served and goes_back(release, served.version):
        raise Superseded(say("superseded", package=release.package, by=served.version))
    sha = release.facts.merge_sha
    if sha is None:
        raise ValueError("a merged release without its merge commit")
    if world.pipeline.deploy == "watch":
        return await watch(release, world, sha)
    builds = await world.heroku.builds()
    known = [one for one in builds if one.sha == sha and one.id not in release.facts.failed_builds]
    build = next(iter(known), None)
    await _give_way(release, world, build)
    if build is None:
        if any(other.status == "pending" for other in builds):
            reason = say("app_is_busy", app=world.pipeline.app)
            return Wait(world.now + LOOK_ANYWAY, reason, seen=as_seen(builds))
        if wrong := other_file(release.facts) or quarantined(release.facts, world.now):
            raise Refused(wrong)
        if serving := await _serving_already(release, world):
            return serving
        await must_be_the_same(release, world)
        build = await start(world, sha)
        builds = [build, *builds]
    if build.status == "pending":
        return Wait(
            world.now + LOOK_ANYWAY,
            say("building", sha=short(sha)),
            {"heroku": HerokuDeployment(build=build.id)},
            seen=as_seen(builds),
        )
    return await _built(release, world, sha, build)


async def _give_way(release: Release, world: World, build: Build | None) -> None:
    """Raises Superseded when a newer version was merged and may take the place of this one."""
    newer, rule = world.merged_after, world.pipeline.policy.overtake
    if newer is None or rule == "never" or (build and rule == "waiting"):
        return
    if build and build.status == "succeeded":
        return
    if build and build.status == "pending":
        names = {"sha": short(build.sha or ""), "app": world.pipeline.app, "by": newer.version}
        await world.intend(say("intent_cancel", **names))
        await world.heroku.cancel(build)
    raise Superseded(overtaken(release, newer))


async def start(world: World, sha: str, intent: str = "intent_build") -> Build:
    """Only the app's folder goes to Heroku: its buildpack reads requirements.txt at the top."""
    tarball = await world.github.tarball(sha)
    source = await asyncio.to_thread(pack, tarball, world.pipeline.app_root)
    checksum = hashlib.sha256(source).hexdigest()
    slot = await world.heroku.upload(source)
    await world.intend(
        say(intent, sha=short(sha), app=world.pipeline.app, digest=f"sha256:{checksum}")
    )
    return await world.heroku.build(slot, checksum, sha)


async def _serving_already(release: Release, world: World) -> Done | None:
    """Nothing is built for a version that is there: a bridge that is new here only looks."""
    try:
        health = await world.api.health()
    except Unavailable:
        return None
    current = next((one for one in await world.heroku.releases() if one.current), None)
    if contradiction(release, health) or current is None:
        return None
    names = {"release": current.version, "app": world.pipeline.app, "version": release.version}
    running = HerokuDeployment(build="", release=current.version, slug=current.slug_id)
    return Done(say("serving_already", **names), {"heroku": running})


async def _built(release: Release, world: World, sha: str, build: Build) -> Outcome:
    """What came of the build. Its output is kept either way."""
    output, everything = await asyncio.gather(world.heroku.printed(build), world.heroku.releases())
    deployed = HerokuDeployment(build=build.id)
    if build.status != "succeeded":
        failed = [*release.facts.failed_builds, build.id]
        reason = say("build_failed", sha=short(sha), why=why(output) or build.status)
        learned = {"heroku": deployed, "build_output": output, "failed_builds": failed}
        raise Refused(reason, learned)
    ours = next((one for one in everything if build.release and one.id == build.release.id), None)
    if ours is None:
        reason = say("waiting_for_release", sha=short(sha), status="not there yet")
        return Wait(world.now + LOOK_FOR_RELEASE, reason)
    try:
        outcome = await released(release, world, ours, everything, deployed)
    except Refused as refusal:
        refusal.learned = {**refusal.learned, "build_output": output}
        raise
    return replace(outcome, learned={**outcome.learned, "build_output": output})
