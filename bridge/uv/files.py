"""Requirements files as uv may see them, and what moved between two of them. Pure.

A file comes from a repository and uv runs on our machine. So it is told names, versions, markers
and hashes, and nothing that would make it build, open another file or ask another host.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from bridge.errors import Refused
from bridge.facts import Moved
from bridge.pins.files import read_from
from bridge.pins.lines import Line, lines
from bridge.sentences import say

DEFAULT_PYTHON = "3.14"
PYTHON = re.compile(r"(?:python-)?(3\.\d+(?:\.\d+)?)")
OTHER_FILES = ("--requirement", "--constraint")
ELSEWHERE = ("--editable", "--config-settings")
"""Other options of a file are left out: the bridge says which indexes are asked, and that only
wheels count."""


@dataclass(frozen=True)
class Entry:
    """One requirement of a file, and its hashes as `sha256:…`."""

    requirement: Requirement
    hashes: frozenset[str]

    @property
    def name(self) -> str:
        """Its name, normalised."""
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        """The version that it is pinned to, or its whole specifier."""
        return str(self.requirement.specifier).removeprefix("==")


def python_of(runtime: str | None, version_file: str | None) -> str:
    """The Python that Heroku takes: `runtime.txt`, else `.python-version`, else the buildpack's.

    Raises Refused for one that cannot be read, as Heroku's build would.
    Source: https://devcenter.heroku.com/articles/python-runtimes
    """
    for path, text in (("runtime.txt", runtime), (".python-version", version_file)):
        lines = [line.strip() for line in (text or "").splitlines()]
        said = [line for line in lines if line and not line.startswith("#")]
        if not said:
            continue
        match = PYTHON.fullmatch(said[0])
        if match is None or len(said) > 1:
            why = f"{path} does not say one version such as 3.13"
            raise Refused(say("not_resolvable", path=path, why=why))
        return match[1]
    return DEFAULT_PYTHON


def whole(files: Mapping[str, str], main: str) -> tuple[list[Entry], list[Entry]]:
    """What `main` demands and what constrains it, in it and in the files that it takes.

    Raises Refused as `entries` does, and where it takes a file that is not among these.
    """
    reading = read_from(files, main)
    for path, number, taken in reading.outside:
        why = f"its line {number} takes {taken}, which the pipeline does not list under `also`"
        raise Refused(say("not_resolvable", path=path, why=why))
    return (
        [one for path in reading.demands for one in entries(files[path], path, takes=True)],
        [one for path in reading.constrains for one in entries(files[path], path, takes=True)],
    )


def entries(text: str, path: str, *, takes: bool = False) -> Iterator[Entry]:
    """The requirements of a file. Raises Refused, with the line, for what uv must not be given: a
    URL, a folder, an editable, a line that is no requirement and, unless it `takes` them, another
    file."""
    refused = ELSEWHERE if takes else (*ELSEWHERE, *OTHER_FILES)
    for line in lines(text, path):
        if line.requirement or any(line.all(option) for option in refused):
            yield Entry(_requirement(line), frozenset(one.lower() for one in line.hashes))


def _requirement(line: Line) -> Requirement:
    try:
        requirement = Requirement(line.requirement)
    except InvalidRequirement:
        requirement = None
    if requirement is None or requirement.url:
        why = f"line {line.number} of it is not a requirement by name and version"
        raise Refused(say("not_resolvable", path=line.path, why=why))
    return requirement


def told(entries: Iterable[Entry]) -> str:
    """What uv is given of a file: its requirements, and nothing else."""
    return "".join(f"{entry.requirement}\n" for entry in entries)


def head(text: str, path: str) -> str:
    """What uv does not write again: every option, and the comments before the first requirement."""
    said = list(lines(text, path))
    first = next((line.start for line in said if line.requirement), len(text))
    later = (line.raw for line in said if line.start > first and not line.requirement)
    return text[:first] + "".join(later)


def moved(before: str, after: str, path: str, package: str) -> list[Moved]:
    """What else than `package` has another version in `after`, is new there, or is gone."""
    had, has = _versions(before, path), _versions(after, path)
    return [
        Moved(name=name, old=had.get(name), new=has.get(name))
        for name in sorted((had.keys() | has.keys()) - {canonicalize_name(package)})
        if had.get(name) != has.get(name)
    ]


def _versions(text: str, path: str) -> dict[str, str]:
    """Each name's version; its versions, where markers choose between several."""
    found: dict[str, set[str]] = {}
    for entry in entries(text, path):
        found.setdefault(entry.name, set()).add(entry.version)
    return {name: ", ".join(sorted(versions)) for name, versions in found.items()}
