"""The file that was confirmed is still the one on the index: asked before each act upon it."""

from bridge.errors import Reason, Refused
from bridge.facts import Allowance
from bridge.index.client import Listing
from bridge.release import Release
from bridge.sentences import say
from bridge.steps.world import World
from bridge.wheel import digest_of


async def must_be_the_same(release: Release, world: World) -> None:
    """List the index once, and download the file where the listing tells no digest.

    Raises Refused when the file was replaced, yanked or removed since it was confirmed.
    """
    listing = await world.index.listing(release.package)
    if wrong := changed(release, listing):
        raise Refused(wrong)
    file = next((file for file in listing.files if file.name == release.facts.file), None)
    if file and not file.digest and release.facts.digest:
        found = digest_of(await world.index.download(file))
        if found != release.facts.digest:
            raise Refused(_replaced(release, found))


def changed(release: Release, listing: Listing) -> Reason | None:
    """What the listing says against the confirmed file, or None. Pure."""
    facts, names = release.facts, {"package": release.package, "version": release.version}
    if facts.file is None or facts.digest is None:
        return None
    if listing.status == "quarantined":
        return say(
            "index_quarantine", package=release.package, why=listing.why or "no reason given"
        )
    file = next((file for file in listing.files if file.name == facts.file), None)
    if file is None:
        return say("gone", file=facts.file)
    if file.yanked and Allowance.YANKED not in facts.allowed:
        return say("yanked", why=file.yanked, **names)
    if file.digest and file.digest != facts.digest:
        return _replaced(release, file.digest)
    return None


def _replaced(release: Release, found: str) -> Reason:
    return say(
        "replaced", file=release.facts.file, found=found, expected=release.facts.digest or "unknown"
    )
