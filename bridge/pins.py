"""Lossless edit of one pin in a requirements file. Pure.

Lines are joined, stripped of comments and read as pip does; every byte outside the pin stays.
Source: https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from bridge.errors import Refused
from bridge.sentences import say

COMMENT = re.compile(r"(^|\s+)#.*$")
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]+)")
OPTION = re.compile(r"\s--?[a-z]")
EQUALS = re.compile(r"(?<![=!<>~])==(?!=)[\s\\]*(?P<version>[^\s;,)\\#]+)")
HASH = re.compile(r"--hash(?:=|\s+)[A-Za-z0-9]+:[0-9A-Fa-f]+")


@dataclass(frozen=True)
class LogicalLine:
    """One requirement with its continuations: first line number, offset and raw text."""

    number: int
    start: int
    raw: str

    @property
    def code(self) -> str:
        """What pip reads of it: joined, without comment."""
        joined = "".join(re.sub(r"\\$", "", part) for part in self.raw.splitlines())
        return COMMENT.sub("", joined).strip()


@dataclass(frozen=True)
class Pin:
    """`name==version` as it stands in a file; hashes as `sha256:…`."""

    number: int
    start: int
    raw: str
    version: str
    hashes: tuple[str, ...]

    def is_at(self, version: str) -> bool:
        """The pin is this version, however it is spelled."""
        return Version(self.version) == Version(version)


def logical_lines(text: str) -> Iterator[LogicalLine]:
    """Join lines that end in a backslash; a comment line ends what it follows, as in pip."""
    start, number, offset, raw = 0, 1, 0, ""
    for count, line in enumerate(text.splitlines(keepends=True), start=1):
        if not raw:
            start, number = offset, count
        raw += line
        offset += len(line)
        content = line.splitlines()[0] if line.splitlines() else ""
        if not content.endswith("\\") or COMMENT.match(content):
            yield LogicalLine(number, start, raw)
            raw = ""
    if raw:
        yield LogicalLine(number, start, raw)


def find(text: str, package: str) -> Pin:
    """The one exact pin of `package`.

    Raises Refused, with the line number, for anything that must not be guessed: no pin, a range,
    a URL, an editable, the same name twice.
    """
    wanted = canonicalize_name(package)
    pins = [pin for line in logical_lines(text) if (pin := _pin(line, wanted))]
    if not pins:
        raise Refused(say("no_pin", package=package))
    if len(pins) > 1:
        raise Refused(say("pinned_twice", package=package, line=pins[1].number))
    return pins[0]


def bump(text: str, package: str, version: str, digests: Sequence[str]) -> str:
    """`text` with the pin of `package` at `version` and its hashes replaced by `digests`.

    A file without any hash stays without: one hash would make pip demand all of them.
    """
    pin = find(text, package)
    raw = pin.raw
    hashes = [match.span() for match in HASH.finditer(raw)]
    options = [f"--hash={digest}" for digest in digests]
    if hashes:
        first, last = hashes[0][0], hashes[-1][1]
        gap = raw[hashes[0][1] : hashes[1][0]] if len(hashes) > 1 else _gap_before(raw, first)
        raw = raw[:first] + gap.join(options) + raw[last:]
    elif HASH.search(text):
        end = len(raw) - len(raw.lstrip()) + len(_code_end(raw))
        raw = raw[:end] + "".join(f" {option}" for option in options) + raw[end:]
    found = EQUALS.search(raw)
    if found is None:
        raise ValueError("a pin without its version")
    raw = raw[: found.start("version")] + version + raw[found.end("version") :]
    return text[: pin.start] + raw + text[pin.start + len(pin.raw) :]


def _pin(line: LogicalLine, wanted: str) -> Pin | None:
    code = line.code.lstrip("\ufeff")
    if code.startswith("-") or "://" in code.split(";")[0]:
        egg = EGG.search(line.raw)
        named = egg.group(1) if egg else re.split(r"[\s@]", code)[0]
        if canonicalize_name(named) == wanted:
            raise Refused(say("pin_is_a_url", package=wanted, line=line.number))
        return None
    option = OPTION.search(code)
    specification = code[: option.start()] if option else code
    name = NAME.match(specification)
    if name is None or canonicalize_name(name.group()) != wanted:
        return None
    try:
        specifiers = list(Requirement(specification).specifier)
        version = Version(specifiers[0].version)
    except (InvalidRequirement, InvalidVersion, IndexError):
        specifiers, version = [], None
    if version is None or len(specifiers) != 1 or specifiers[0].operator != "==":
        raise Refused(say("not_an_exact_pin", package=wanted, line=line.number, found=code[:80]))
    hashes = tuple(re.split(r"=|\s+", found, maxsplit=1)[1] for found in HASH.findall(line.raw))
    return Pin(line.number, line.start, line.raw, specifiers[0].version, hashes)


def _gap_before(raw: str, first: int) -> str:
    """The white space and continuation that separate the first hash from what precedes it."""
    before = raw[:first]
    return before[len(before.rstrip(" \t\r\n\\")) :] or " "


def _code_end(raw: str) -> str:
    """The requirement without its comment, its last newline and the blanks before them."""
    return COMMENT.sub("", raw.strip()).rstrip()
