"""announced → confirmed: the very file that CI built lies on the index that the deploy will use."""

import asyncio

from packaging.utils import parse_sdist_filename
from packaging.version import Version

from bridge.columns import written
from bridge.errors import Refused, Superseded
from bridge.index.client import IndexFile
from bridge.policy import INDEX_PATIENCE, next_look
from bridge.release import Release
from bridge.sentences import say, short, span
from bridge.steps.world import Done, Outcome, Wait, World
from bridge.wheel import digest_of, inspect


async def confirm(release: Release, world: World) -> Outcome:
    """Find the wheel, compare its digest with what was announced, and look inside.

    Raises Refused for another file than announced, a yanked one, a pre-release or a bad wheel,
    Superseded when a newer version is on its way already.
    """
    if world.newer:
        raise Superseded(say("superseded", package=release.package, by=world.newer))
    if Version(release.version).is_prerelease:
        raise Refused(say("prerelease", **_names(release)))
    listed = await world.index.files(release.package)
    version = Version(release.version)
    wheels = [file for file in listed if file.version(release.package) == version]
    if not wheels:
        return _not_yet(release, world, any(_is_sdist(file.name, release) for file in listed))
    wheel = _the_one(release, wheels)
    if wheel.yanked:
        raise Refused(say("yanked", **_names(release), why=wheel.yanked))
    announced = release.facts.announced_digest
    _must_be(announced, wheel.digest, "index", "announced")
    data = await world.index.download(wheel)
    digest = digest_of(data)
    _must_be(announced or wheel.digest, digest, "downloaded file", "listed or announced")
    contents = await asyncio.to_thread(inspect, data, wheel.name, release.package, release.version)
    as_announced = ", as announced" if announced else "; nobody had announced a digest"
    return Done(
        say("confirmed", file=wheel.name, digest=short(digest), as_announced=as_announced),
        {
            "file": wheel.name,
            "size": contents.size,
            "digest": digest,
            "model_digest": contents.model_digest,
            "card": contents.card,
        },
    )


def _not_yet(release: Release, world: World, other_files: bool) -> Outcome:
    deadline = release.since + INDEX_PATIENCE
    if world.now >= deadline and other_files:
        raise Refused(say("no_wheel", **_names(release)))
    if world.now >= deadline:
        within = span(INDEX_PATIENCE.total_seconds())
        raise Refused(say("not_on_index", **_names(release), within=within))
    return Wait(
        next_look(release.since, world.now),
        say(
            "waiting_for_index",
            file=release.facts.file or f"{release.package} {release.version}",
            since=written(release.since),
            until=written(deadline),
        ),
    )


def _is_sdist(name: str, release: Release) -> bool:
    try:
        package, version = parse_sdist_filename(name)
    except ValueError:
        return False
    return package == release.package and version == Version(release.version)


def _the_one(release: Release, wheels: list[IndexFile]) -> IndexFile:
    """The announced file among several wheels of one version."""
    named = [wheel for wheel in wheels if wheel.name == release.facts.file]
    if len(named or wheels) > 1:
        raise Refused(say("two_wheels", **_names(release), count=len(wheels)))
    return (named or wheels)[0]


def _must_be(expected: str | None, found: str | None, where: str, told: str) -> None:
    if expected and found and expected != found:
        raise Refused(
            say("digest_mismatch", where=where, found=found, expected=expected, told=told)
        )


def _names(release: Release) -> dict[str, str]:
    return {"package": release.package, "version": release.version}
