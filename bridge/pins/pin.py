"""What a file says of a package: an exact pin, or something looser."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import Specifier
from packaging.version import Version

from bridge.errors import Refused
from bridge.sentences import say

EQUALS = re.compile(r"(?<![=!<>~])==(?!=)[\s\\]*(?P<version>[^\s;,)\\#\"']+)")
VARIABLE = re.compile(r"\$\{[A-Z0-9_]+\}")
SHOWN = 80


@dataclass(frozen=True)
class Pin:
    """`name==version` as it stands in a file; `raw` is that line whole, hashes are `sha256:…`."""

    path: str
    number: int
    start: int
    raw: str
    version: str
    hashes: tuple[str, ...] = ()

    def is_at(self, version: str) -> bool:
        """The pin is this version, however it is spelled."""
        return Version(self.version) == Version(version)

    def newer_than(self, version: str) -> bool:
        """The pin is ahead of this version."""
        return Version(self.version) > Version(version)


@dataclass(frozen=True)
class Loose:
    """The package is named, but not pinned: `said` is what stands there, `why` what it is."""

    path: str
    number: int
    said: str
    why: str
    requirement: Requirement

    def refusal(self) -> Refused:
        """What to say where a pin was needed."""
        return no_exact_pin(self.path, self.number, self.requirement.name, self.said, self.why)


Mention = Pin | Loose


def read(said: str, path: str, number: int) -> tuple[Requirement, str | None, str]:
    """A requirement, the version of its exact pin, and why it has none.

    Raises Refused for a version that comes from the environment, and for what pip cannot read.
    """
    try:
        requirement = Requirement(said)
        specifiers = list(requirement.specifier)
        exact = specifiers[0] if len(specifiers) == 1 else None
        version = exact.version if exact and _is_exact(exact) else None
    except (InvalidRequirement, ValueError) as error:
        raise unreadable(path, number, said) from error
    return requirement, version, "" if version else _why_loose(specifiers)


def only_one(mentions: Iterable[Mention], package: str) -> Mention | None:
    """What a file says of the package, or None; raises Refused where it says it twice."""
    found = list(mentions)
    if len(found) > 1:
        where = {"path": found[1].path, "line": found[1].number}
        raise Refused(say("pinned_twice", package=package, **where))
    return found[0] if found else None


def no_exact_pin(path: str, number: int, package: str, said: str, why: str) -> Refused:
    """The refusal of a line that names the package without pinning it."""
    where = {"path": path, "line": number, "package": package}
    return Refused(say("not_an_exact_pin", why=why, found=said[:SHOWN], **where))


def unreadable(path: str, number: int, said: str) -> Refused:
    """The refusal of a file that the installer would refuse as well."""
    return Refused(say("unreadable_line", path=path, line=number, found=said[:SHOWN]))


def _is_exact(specifier: Specifier) -> bool:
    if specifier.operator != "==" or specifier.version.endswith(".*"):
        return False
    Version(specifier.version)
    return True


def _why_loose(specifiers: list[Specifier]) -> str:
    if not specifiers:
        return "no version"
    if len(specifiers) > 1:
        return "a range"
    if specifiers[0].operator == "===":
        return "=== compares text"
    return "a wildcard" if specifiers[0].version.endswith(".*") else "a range"
