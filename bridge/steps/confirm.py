"""announced → confirmed: the very file that CI built lies on the index that the deploy will use."""

import asyncio

from packaging.version import Version

from bridge.columns import written
from bridge.errors import Reason, Refused, Superseded
from bridge.facts import Allowance
from bridge.index.client import IndexFile
from bridge.policy import INDEX_PATIENCE, next_look, unwanted
from bridge.release import Release
from bridge.sentences import say, short, span
from bridge.steps.provenance import attested, must_be_proven, provenance
from bridge.steps.world import Done, Outcome, Wait, World
from bridge.wheel import digest_of, inspect


async def confirm(release: Release, world: World) -> Outcome:
    """Find the wheel, compare its digest with what was announced, and look inside.

    Raises Refused for another file than announced or confirmed before, a bad wheel, and, unless a
    person has allowed it, a version that is yanked, early, local or older than the verified one;
    Superseded when a newer version is on its way already.
    """
    if reason := unwanted(release, world.pipeline.policy, world.last_verified):
        raise Refused(reason)
    if world.newer:
        raise Superseded(say("superseded", package=release.package, by=world.newer))
    listing = await world.index.listing(release.package)
    if listing.status == "quarantined":
        why = listing.why or "no reason given"
        raise Refused(say("index_quarantine", package=release.package, why=why))
    version = Version(release.version)
    wheels = [file for file in listing.files if file.version(release.package) == version]
    if not wheels:
        sources = [file.source_of(release.package) for file in listing.files]
        return _not_yet(release, world, version in sources)
    wheel = _the_one(release, wheels)
    if wheel.yanked and Allowance.YANKED not in release.facts.allowed:
        raise Refused(say("yanked", **_names(release), why=wheel.yanked))
    announced = release.facts.announced_digest
    _must_be(announced, wheel.digest, "index", "announced")
    if wait := attested(release, world):
        return wait
    data = await world.index.download(wheel)
    digest = digest_of(data)
    _must_be(announced or wheel.digest, digest, "downloaded file", "listed or announced")
    known = release.facts.digest
    if known and known != digest:
        raise Refused(say("replaced", file=wheel.name, found=digest, expected=known))
    contents = await asyncio.to_thread(inspect, data, wheel.name, release.package, release.version)
    found = await provenance(release, world, wheel.name, digest)
    must_be_proven(found)
    twin = await _public_twin(release, world)
    notes = [_of_the_name(world, twin)]
    if contents.commands:
        notes.append(say("commands", names=", ".join(contents.commands)))
    if listing.status != "active":
        why = listing.why or "no reason given"
        notes.append(say("archived", status=listing.status, why=why))
    as_announced = ", as announced" if announced else "; nobody had announced a digest"
    return Done(
        say(
            "confirmed",
            file=wheel.name,
            digest=short(digest),
            as_announced=as_announced,
            notes="".join(f" {note.sentence}" for note in notes if note),
        ),
        {
            "file": wheel.name,
            "size": contents.size,
            "digest": digest,
            "model_digest": contents.model_digest,
            "card": contents.card,
            "commands": list(contents.commands),
            "uploaded": wheel.uploaded,
            "public_twin": twin,
            "provenance": found,
        },
        say("public_twin", twin=twin, **_names(release)) if twin else None,
    )


async def _public_twin(release: Release, world: World) -> str | None:
    """The version of a foreign package of the same name that an installer without hashes would
    take before ours: the highest of all, an equal one from whichever index answers, or ours with
    a local label, which sorts above it."""
    if world.public is None:
        return None
    listing, ours = await world.public.listing(release.package), Version(release.version)
    offered = [
        version
        for file in listing.files
        if not file.yanked
        and (version := file.version(release.package) or file.source_of(release.package))
        and (ours.is_prerelease or not version.is_prerelease)
    ]
    highest = max(offered, default=None)
    return str(highest) if highest and highest >= ours else None


def _of_the_name(world: World, twin: str | None) -> Reason | None:
    """What is known of the name on the public index; a twin has an alarm of its own."""
    if world.public is None:
        return say("public_unknown")
    return None if twin else say("public_free")


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
