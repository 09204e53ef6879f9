"""All the files that a pipeline allows: the one that is deployed and those beside it. Pure."""

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bridge.errors import Refused
from bridge.pins import one, requirements
from bridge.pins.pin import Loose, Mention, Pin
from bridge.sentences import say

Files = Mapping[str, str]


@dataclass(frozen=True)
class Bump:
    """The pin that the installer reads, before and after, and the new text of each file that
    changes, by its path."""

    before: Pin
    after: Pin
    files: dict[str, str]


@dataclass
class Reading:
    """What the installer reads of these files, beginning with the deployed one: `demands` and
    `constrains` are their paths, `outside` says who takes a file that is not among them: path,
    line and what it takes."""

    demands: list[str] = field(default_factory=list)
    constrains: list[str] = field(default_factory=list)
    outside: list[tuple[str, int, str]] = field(default_factory=list)


def find_in(files: Files, main: str, package: str) -> Pin:
    """The pin that the installer reads when it is given `main`: there, or in a file it takes by
    `-r` or `-c`.

    Raises Refused as `find` does, and where that file is not among `files`.
    """
    return _pin_of(files, read_from(files, main), package)


def bump_in(files: Files, main: str, package: str, version: str, digests: Sequence[str]) -> Bump:
    """Move the pin in `main`, in what it takes by `-r` and `-c`, and in the files beside it.

    A file that names the package without pinning it stays, if it allows the version. Raises
    Refused for what must not be guessed in any of the files.
    """
    reading = read_from(files, main)
    before = _pin_of(files, reading, package)
    read = [*reading.demands, *reading.constrains]
    hashed = any(one.asks_for_hashes(files[path], path) for path in read)
    changed = {}
    for path, text in files.items():
        mention = one.look(text, path, package)
        if isinstance(mention, Loose):
            _must_allow(mention, version)
        elif mention:
            mode = hashed if path in read else None
            bumped = one.bump(text, package, version, digests, path, hashed=mode)
            if bumped != text:
                changed[path] = bumped
    return Bump(before, find_in({**files, **changed}, main, package), changed)


def taken(text: str, path: str) -> list[str]:
    """The paths of the files that pip reads from this one."""
    found = [] if one.is_project(path) else requirements.nested(text, path)
    return [_beside(path, name) for _, name, _ in found]


def read_from(files: Files, main: str) -> Reading:
    """Follow `-r` and `-c` from `main`. Raises Refused where a file takes itself."""
    reading = Reading()
    _follow(files, main, reading, constrains=False, above=())
    return reading


def _follow(
    files: Files, path: str, reading: Reading, *, constrains: bool, above: tuple[str, ...]
) -> None:
    if path in reading.demands or (constrains and path in reading.constrains):
        return
    (reading.constrains if constrains else reading.demands).append(path)
    if one.is_project(path):
        return
    for line, name, only_constrains in requirements.nested(files[path], path):
        other = _beside(path, name)
        if other in (path, *above):
            raise Refused(say("takes_itself", path=path, line=line.number, taken=other))
        if other not in files:
            reading.outside.append((path, line.number, name))
            continue
        below = (*above, path)
        _follow(files, other, reading, constrains=constrains or only_constrains, above=below)


def _beside(path: str, name: str) -> str:
    """pip looks for a file beside the one that takes it."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), name))


def _pin_of(files: Files, reading: Reading, package: str) -> Pin:
    """The pin among what is read; a file that demands it goes before one that constrains it."""
    demanded = _mentions(files, reading.demands, package)
    constrained = _mentions(files, reading.constrains, package)
    pins = [mention for mention in demanded if isinstance(mention, Pin)]
    if len(pins) > 1:
        where = {"path": pins[1].path, "line": pins[1].number}
        raise Refused(say("pinned_twice", package=package, **where))
    pins += [mention for mention in constrained if isinstance(mention, Pin)]
    if pins:
        return pins[0]
    for mention in [*demanded, *constrained]:
        if isinstance(mention, Loose):
            raise mention.refusal()
    if reading.outside:
        path, line, taken = reading.outside[0]
        words = {"package": package, "main": reading.demands[0], "taken": taken}
        raise Refused(say("pin_elsewhere", path=path, line=line, **words))
    raise Refused(say("no_pin", package=package, path=reading.demands[0]))


def _mentions(files: Files, paths: Sequence[str], package: str) -> list[Mention]:
    found = (one.look(files[path], path, package) for path in paths)
    return [mention for mention in found if mention]


def _must_allow(loose: Loose, version: str) -> None:
    if not loose.requirement.specifier.contains(version, prereleases=True):
        words = {"package": loose.requirement.name, "version": version, "found": loose.said}
        raise Refused(say("excluded", path=loose.path, line=loose.number, **words))
