"""What uv answered: the wheels that would be installed, or why there are none. Pure."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

from bridge.errors import Unavailable
from bridge.uv.files import Entry

NO_SOLUTION = "No solution found"
NOT_ASKED = re.compile(r"^hint: An index|network was disabled", re.MULTILINE)
"""What uv adds where "no solution" only means that an index would not answer (401, 403)."""
LONGEST = 600


class _Wheel(BaseModel):
    size: int | None = None
    hashes: dict[str, str] = {}


class Package(BaseModel):
    """One package that would be installed; uv names the one wheel that fits the target."""

    name: str
    version: str
    wheels: list[_Wheel]

    @property
    def size(self) -> int | None:
        """The wheel's size in bytes, if the index tells it."""
        return self.wheels[0].size if self.wheels else None

    @property
    def hashes(self) -> frozenset[str]:
        """Its digests as `sha256:…`."""
        return frozenset(f"{kind}:{value}" for w in self.wheels for kind, value in w.hashes.items())


class _Lock(BaseModel):
    packages: list[Package] = []


@dataclass(frozen=True)
class Resolution:
    """The consumer's whole file, resolved."""

    packages: list[Package]

    def size_mb(self, known: dict[str, int]) -> int | None:
        """The wheels together in MB, or None where a size is not known. `known` adds what the
        index does not tell, by name."""
        sizes = [package.size or known.get(package.name) for package in self.packages]
        told = [size for size in sizes if size is not None]
        return None if len(told) < len(sizes) else -(-sum(told) // 1_000_000)

    def missing(self, entries: Iterable[Entry]) -> str | None:
        """What an installer that demands hashes would miss in the file, or None."""
        listed = list(entries)
        for package in self.packages:
            vouched = [
                entry.hashes
                for entry in listed
                if entry.name == package.name and package.version in entry.requirement.specifier
            ]
            if not vouched:
                return f"it needs {package.name} {package.version}, which the file does not pin."
            if not package.hashes & frozenset().union(*vouched):
                return (
                    f"the wheel of {package.name} {package.version} for this Python has none of "
                    "the hashes in the file."
                )
        return None


def read_lock(text: str) -> Resolution:
    """uv's `pylock.toml`; raises Unavailable.

    Source: https://packaging.python.org/en/latest/specifications/pylock-toml/
    """
    try:
        return Resolution(_Lock.model_validate(tomllib.loads(text)).packages)
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise Unavailable("uv wrote a lock that cannot be read") from error


def conflict(said: str) -> str | None:
    """uv's explanation, in short, where it says that nothing fits; None for any other failure."""
    if NO_SOLUTION not in said or NOT_ASKED.search(said):
        return None
    because = said.partition("cause:")[2].partition("\nhint:")[0]
    return shorter(because) or "uv gives no reason."


def is_unseen(package: str, why: str) -> bool:
    """The explanation is that the index lacks what we saw there a moment ago: that is index lag."""
    return f"no version of {package}==" in why or f"{package} was not found" in why


def shorter(text: str) -> str:
    """On one line, and not too long."""
    line = re.sub(r"\s+", " ", text).strip()
    return line if len(line) <= LONGEST else f"{line[:LONGEST].rstrip()} …"
