"""Lossless edit of one pin in a requirements file. Pure.

Lines are joined, stripped of comments and read as pip does; every byte outside the pin stays.
Source: https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from bridge.errors import Refused
from bridge.sentences import say

COMMENT = re.compile(r"(^|\s+)#.*$")
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]+)")
OPTION = re.compile(r"\s--?[a-z]")
EQUALS = re.compile(r"(?<![=!<>~])==(?!=)[\s\\]*(?P<version>[^\s;,)\\#]+)")
HASH = re.compile(
    r"--hash(?:=|\s+)(?P<quote>[\"']?)(?P<digest>[A-Za-z0-9]+:[0-9A-Fa-f]+)(?P=quote)"
)


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

    A file without any hash stays without: one hash would make pip demand all of them. What was
    written is read again; raises Refused when it does not say what was asked for.
    """
    pin = find(text, package)
    hashed = any(HASH.search(line.code) for line in logical_lines(text))
    code, rest = _without_comment(pin.raw)
    code = _with_hashes(code, [f"--hash={digest}" for digest in digests] if hashed else [])
    found = EQUALS.search(code)
    if found is None:
        raise Refused(say("not_an_exact_pin", package=package, line=pin.number, found=pin.raw[:80]))
    code = code[: found.start("version")] + version + code[found.end("version") :]
    bumped = text[: pin.start] + code + rest + text[pin.start + len(pin.raw) :]
    after = find(bumped, package)
    if not after.is_at(version) or sorted(after.hashes) != sorted(digests if hashed else []):
        raise Refused(say("not_an_exact_pin", package=package, line=pin.number, found=pin.raw[:80]))
    return bumped


def _without_comment(raw: str) -> tuple[str, str]:
    """The code of a logical line, and what follows it: blanks, a comment, the line's end."""
    last = raw.rstrip("\r\n").splitlines(keepends=True)
    head, tail = "".join(last[:-1]), last[-1] if last else ""
    code = head + COMMENT.sub("", tail)
    code = code.rstrip(" \t\r\n\f\v\\")
    return code, raw[len(code) :]


def _with_hashes(code: str, options: list[str]) -> str:
    """The first hash becomes all of `options`, spaced as the old ones were; the others go."""
    present = [match.span() for match in HASH.finditer(code)]
    if not present:
        return " ".join([code, *options])
    first, *others = present
    gap = _gap_before(code, others[0][0] if others else first[0])
    for start, end in reversed(others):
        code = code[: start - len(_gap_before(code, start))] + code[end:]
    return code[: first[0]] + gap.join(options) + code[first[1] :]


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
    except (InvalidRequirement, ValueError, IndexError):
        specifiers, version = [], None
    if version is None or len(specifiers) != 1 or specifiers[0].operator != "==":
        raise Refused(say("not_an_exact_pin", package=wanted, line=line.number, found=code[:80]))
    hashes = tuple(found["digest"] for found in HASH.finditer(line.code))
    return Pin(line.number, line.start, line.raw, specifiers[0].version, hashes)


def _gap_before(raw: str, first: int) -> str:
    """The white space and continuation that separate the first hash from what precedes it."""
    before = raw[:first]
    return before[len(before.rstrip(" \t\r\n\\")) :] or " "
