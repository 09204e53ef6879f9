"""One file: its kind goes by its name. Pure."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from bridge.errors import Refused
from bridge.pins import project, requirements
from bridge.pins.pin import Loose, Mention, Pin, no_exact_pin
from bridge.sentences import say

PROJECT = "pyproject.toml"
REQUIREMENTS = (".txt", ".in")
BY_DEFAULT = "requirements.txt"


def is_known(path: str) -> bool:
    """A file of this name may hold a pin that we can move."""
    name = PurePosixPath(path).name
    return name == PROJECT or name.endswith(REQUIREMENTS)


def look(text: str, path: str, package: str) -> Mention | None:
    """What the file says of the package. Raises Refused, with the line, for what must not be
    guessed."""
    if not is_known(path):
        raise Refused(say("unknown_kind", path=path))
    if is_project(path):
        return project.look(text, path, package)
    return requirements.look(text, path, package)


def find(text: str, package: str, path: str = BY_DEFAULT) -> Pin:
    """The one exact pin of `package`.

    Raises Refused, with the line, for anything that must not be guessed: no pin, a range, a URL,
    an editable, the same name twice, a file that pip cannot read.
    """
    found = look(text, path, package)
    if isinstance(found, Loose):
        raise found.refusal()
    if found is None:
        raise Refused(say("no_pin", package=package, path=path))
    return found


def bump(
    text: str,
    package: str,
    version: str,
    digests: Sequence[str],
    path: str = BY_DEFAULT,
    *,
    hashed: bool | None = None,
) -> str:
    """`text` with the pin of `package` at `version` and its hashes replaced by `digests`.

    A file without any hash stays without, unless it is to be `hashed`: one hash would make pip
    demand all of them. What was written is read again; raises Refused when it does not say what
    was asked for.
    """
    pin = find(text, package, path)
    if hashed is None:
        hashed = asks_for_hashes(text, path)
    if hashed and not digests and not is_project(path):
        raise Refused(say("no_digest", package=package, path=path, line=pin.number))
    wanted = list(digests) if hashed else []
    if is_project(path):
        bumped, wanted = project.edit(text, pin, version), []
    else:
        bumped = requirements.edit(text, pin, version, wanted)
    after = find(bumped, package, path)
    if after.version != version or sorted(after.hashes) != sorted(wanted):
        raise no_exact_pin(path, pin.number, package, pin.raw, "its parts stand too far apart")
    return bumped


def is_project(path: str) -> bool:
    """It is a pyproject.toml, which has no place for hashes."""
    return PurePosixPath(path).name == PROJECT


def asks_for_hashes(text: str, path: str) -> bool:
    """Hashes stand in this file, or it demands them."""
    return not is_project(path) and requirements.asks_for_hashes(text, path)
