"""merged → deployed: one build of the merge commit, ours or adopted, and its Heroku release."""

import asyncio
import hashlib
from datetime import timedelta

from bridge.errors import Refused, Superseded, Unavailable
from bridge.facts import HerokuDeployment
from bridge.heroku.client import Build, HerokuRelease, as_seen
from bridge.heroku.pack import pack
from bridge.policy import LOOK_ANYWAY, goes_back, other_file
from bridge.release import Release
from bridge.sentences import say, short
from bridge.steps.same_file import must_be_the_same
from bridge.steps.verify import contradiction
from bridge.steps.world import Done, Outcome, Wait, World

LOOK_FOR_RELEASE = timedelta(seconds=2)


async def deploy(release: Release, world: World) -> Outcome:
    """Start the build of the merge commit, or watch what is there.

    Raises Refused when the file is not the confirmed one any more, Heroku could not build it or its
    release phase failed, Superseded when a newer version is verified by now: production never goes
    backwards unasked.
    """
    served = world.last_verified
    if served and goes_back(release, served.version):
        raise Superseded(say("superseded", package=release.package, by=served.version))
    sha = release.facts.merge_sha
    if sha is None:
        raise ValueError("a merged release without its merge commit")
    if world.pipeline.deploy == "watch":
        return await _watch(world, sha)
    builds = await world.heroku.builds()
    build = next((build for build in builds if build.sha == sha), None)
    if build is None:
        if any(other.status == "pending" for other in builds):
            reason = say("app_is_busy", app=world.pipeline.app)
            return Wait(world.now + LOOK_ANYWAY, reason, seen=as_seen(builds))
        if wrong := other_file(release.facts):
            raise Refused(wrong)
        if serving := await _serving_already(release, world):
            return serving
        await must_be_the_same(release, world)
        build = await _start(world, sha)
        builds = [build, *builds]
    if build.status == "pending":
        return Wait(
            world.now + LOOK_ANYWAY,
            say("building", sha=short(sha)),
            {"heroku": HerokuDeployment(build=build.id)},
            seen=as_seen(builds),
        )
    if build.status != "succeeded":
        tail = await world.heroku.output(build) or build.status
        raise Refused(say("build_failed", sha=short(sha), tail=tail))
    return await _released(release, world, sha, build)


async def _start(world: World, sha: str) -> Build:
    """Only the app's folder goes to Heroku: its buildpack reads requirements.txt at the top."""
    tarball = await world.github.tarball(sha)
    source = await asyncio.to_thread(pack, tarball, world.pipeline.app_root)
    checksum = hashlib.sha256(source).hexdigest()
    slot = await world.heroku.upload(source)
    await world.intend(
        say("intent_build", sha=short(sha), app=world.pipeline.app, digest=f"sha256:{checksum}")
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
    slug = current.slug.id if current.slug else None
    running = HerokuDeployment(build="", release=current.version, slug=slug)
    return Done(say("serving_already", **names), {"heroku": running})


async def _released(release: Release, world: World, sha: str, build: Build) -> Outcome:
    theirs = next(
        (
            candidate
            for candidate in await world.heroku.releases()
            if build.release and candidate.id == build.release.id
        ),
        None,
    )
    if theirs is None or theirs.status == "pending":
        status = theirs.status if theirs else "not there yet"
        reason = say("waiting_for_release", sha=short(sha), status=status)
        return Wait(world.now + LOOK_FOR_RELEASE, reason)
    return _deployed(world, sha, build.id, theirs)


async def _watch(world: World, sha: str) -> Outcome:
    """Somebody else deploys: recognise the Heroku release by its slug's commit."""
    newest = await world.heroku.releases()
    for theirs in newest[:5]:
        if await world.heroku.commit_of(theirs) == sha:
            return _deployed(world, sha, "", theirs)
    reason = say("waiting_for_deploy", sha=short(sha), app=world.pipeline.app)
    return Wait(world.now + LOOK_ANYWAY, reason, seen=as_seen(newest))


def _deployed(world: World, sha: str, build: str, theirs: HerokuRelease) -> Outcome:
    names = {"release": theirs.version, "app": world.pipeline.app}
    if theirs.status != "succeeded":
        raise Refused(say("release_failed", **names))
    slug = theirs.slug.id if theirs.slug else None
    return Done(
        say("deployed", sha=short(sha), **names),
        {"heroku": HerokuDeployment(build=build, release=theirs.version, slug=slug)},
    )
