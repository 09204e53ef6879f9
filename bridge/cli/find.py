"""Find the releases of one version, or say what there is that is spelled nearly so."""

from difflib import get_close_matches

from packaging.utils import canonicalize_name, canonicalize_version
from packaging.version import InvalidVersion, Version

from bridge.cli.asked import Asked
from bridge.errors import Misconfigured, Refused
from bridge.sentences import say
from bridge.web.shapes import Page, ReleasePage, ReleaseRow

MOST_PARTS = 20
"""One look goes through so many rows of the history; so many looks, and it is not there."""


async def pages_of(bridge: Asked, package: str, version: str) -> list[ReleasePage]:
    """Everything about the version's releases, one a pipeline. Raises Refused without any."""
    rows = await rows_of(bridge, package, version)
    return [await bridge.get(ReleasePage, f"/releases/{row.id}") for row in rows]


async def rows_of(bridge: Asked, package: str, version: str) -> list[ReleaseRow]:
    """The version's releases, one a pipeline, however it is spelled. Raises Refused without any,
    and Misconfigured for what is no version."""
    try:
        spelled = str(Version(version))
    except InvalidVersion:
        raise Misconfigured(say("cli_no_version", version=version).sentence) from None
    if rows := await look_for(bridge, package, spelled):
        return rows
    known = (await bridge.get(Page[ReleaseRow], "/releases", limit=200)).items
    near = _near(package, spelled, known)
    raise Refused(say("cli_no_release", package=package, version=spelled, near=near))


async def look_for(bridge: Asked, package: str, version: str) -> list[ReleaseRow]:
    """The version's releases, if there are any."""
    name, canonical = canonicalize_name(package), canonicalize_version(version)
    found: list[ReleaseRow] = []
    after: str | None = None
    for _ in range(MOST_PARTS):
        part = await bridge.get(
            Page[ReleaseRow], "/releases", version=version, limit=200, after=after
        )
        found += [
            row
            for row in part.items
            if (row.package, canonicalize_version(row.version)) == (name, canonical)
        ]
        if (after := part.after) is None:
            break
    return sorted(found, key=lambda row: row.pipeline)


def _near(package: str, version: str, known: list[ReleaseRow]) -> str:
    """The names that may have been meant: a package's, or else one of its versions."""
    packages = sorted({row.package for row in known})
    name = canonicalize_name(package)
    if name in packages:
        versions = [row.version for row in known if row.package == name]
        names = get_close_matches(version, versions, n=3, cutoff=0.5) or versions[:1]
    else:
        names = get_close_matches(name, packages, n=3, cutoff=0.5)
    told = ", ".join(dict.fromkeys(names))
    return f" {say('cli_near', names=told).sentence}" if names else ""
