"""What Heroku has not kept cannot be put back: the commit is built anew, once."""

from datetime import timedelta
from itertools import takewhile

from bridge.errors import Refused
from bridge.facts import Rollback
from bridge.heroku.client import Build
from bridge.heroku.output import why
from bridge.release import Release
from bridge.sentences import say, short
from bridge.steps.deploy import start
from bridge.steps.released import LOOK_FOR_RELEASE
from bridge.steps.same_file import must_be_the_same
from bridge.steps.theirs import number_of
from bridge.steps.world import Learned, Wait, World

LOOK_AGAIN = timedelta(seconds=30)


async def rebuilt(release: Release, before: Release, world: World) -> Wait | None:
    """The build of that commit which is under way or done; None where there is none yet.

    Raises Refused when it failed.
    """
    build = next((one for one in await _since(release, world) if _is_of(one, before)), None)
    if build is None:
        return None
    if build.status == "pending":
        return _building(release, before, build, world)
    if build.release is None:
        tail = why(await world.heroku.printed(build)) or build.status
        because = release.facts.refused_because or ""
        names = {"sha": short(before.facts.merge_sha or ""), "version": before.version}
        raise Refused(say("rebuild_failed", tail=tail, because=because, **names))
    return Wait(world.now + LOOK_FOR_RELEASE, release.reason, _learned(release, build))


async def rebuild(release: Release, before: Release, world: World) -> Wait:
    """Start it. Raises Refused when somebody else deploys this app, or the file is not the one
    that was verified any more."""
    because, sha = release.facts.refused_because or "", before.facts.merge_sha
    if sha is None or world.pipeline.deploy == "watch" or not _built(release):
        raise Refused(say("not_eligible", release=number_of(before), because=because))
    await must_be_the_same(before, world)
    return _building(release, before, await start(world, sha, "intent_rebuild"), world)


async def _since(release: Release, world: World) -> list[Build]:
    """The builds that are newer than this version's own; none where it had none."""
    if not _built(release):
        return []
    return [*takewhile(lambda one: one.id != _built(release), await world.heroku.builds())]


def _built(release: Release) -> str:
    return release.facts.heroku.build if release.facts.heroku else ""


def _is_of(build: Build, before: Release) -> bool:
    return build.sha is not None and build.sha == before.facts.merge_sha


def _building(release: Release, before: Release, build: Build, world: World) -> Wait:
    names = {"version": before.version, "sha": short(before.facts.merge_sha or "")}
    reason = say("rebuilding", release=number_of(before), **names)
    return Wait(world.now + LOOK_AGAIN, reason, _learned(release, build))


def _learned(release: Release, build: Build) -> Learned:
    known = release.facts.rollback or Rollback()
    found = {"build": build.id, "release_id": build.release.id if build.release else None}
    return {"rollback": known.model_copy(update=found)}
