"""The pin in a requirements file: found, and changed without touching another byte. Pure."""

import re
from collections.abc import Iterator, Sequence

from packaging.utils import canonicalize_name

from bridge.errors import Refused
from bridge.pins.lines import COMMENT, HASH, Line, is_from_the_environment, lines
from bridge.pins.pin import EQUALS, Loose, Mention, Pin, no_exact_pin, only_one, read
from bridge.sentences import say

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]+)")


def look(text: str, path: str, package: str) -> Mention | None:
    """What the file says of the package: its pin, something looser, or nothing.

    Raises Refused for a URL, an editable or a folder in place of a version, for a version from
    the environment, for the same name twice, and for a file that pip cannot read.
    """
    wanted = canonicalize_name(package)
    return only_one(_mentions(lines(text, path), wanted), package)


def asks_for_hashes(text: str, path: str) -> bool:
    """One hash in a file makes pip demand a hash of everything."""
    return any(line.asks_for_hashes for line in lines(text, path))


def nested(text: str, path: str) -> Iterator[tuple[Line, str, bool]]:
    """The files that pip reads from this one: the line, the name there, whether it constrains."""
    for line in lines(text, path):
        if not line.requirement and not line.all("--editable"):
            files, constraints = line.all("--requirement"), line.all("--constraint")
            if files or constraints:  # pip takes the first one of a line, and no other
                yield line, (files or constraints)[0], not files


def edit(text: str, pin: Pin, version: str, digests: Sequence[str]) -> str:
    """`text` with this version and exactly these hashes in the place of the pin's."""
    code, rest = _without_comment(pin.raw)
    code = _with_hashes(code, [f"--hash={digest}" for digest in digests])
    found = EQUALS.search(code)
    if found:
        code = code[: found.start("version")] + version + code[found.end("version") :]
    return text[: pin.start] + code + rest + text[pin.start + len(pin.raw) :]


def _mentions(found: Iterator[Line], wanted: str) -> Iterator[Mention]:
    for line in found:
        links = line.all("--editable")
        if links or line.is_link:
            _must_be_another(line, links, wanted)
        elif line.requirement and (mention := _mention(line, wanted)):
            yield mention


def _must_be_another(line: Line, editables: Sequence[str], wanted: str) -> None:
    """A package that is taken from a URL or a folder has no pin."""
    egg = EGG.search(line.code)
    places = [re.split(r"[\s@\[;]", place)[0] for place in (*editables, line.requirement)]
    names = [place.rstrip("/\\").replace("\\", "/").rpartition("/")[2] for place in places]
    if wanted in [str(canonicalize_name(name)) for name in (*names, egg[1] if egg else "")]:
        raise Refused(say("pin_is_a_url", package=wanted, path=line.path, line=line.number))


def _mention(line: Line, wanted: str) -> Mention | None:
    name = NAME.match(line.requirement)
    is_ours = name is not None and canonicalize_name(name.group()) == wanted
    if is_from_the_environment(line.requirement):
        if is_ours:
            why = "the environment decides"
            raise no_exact_pin(line.path, line.number, wanted, line.code, why)
        return None
    requirement, version, why = read(line.requirement, line.path, line.number)
    if not is_ours:
        return None
    if requirement.url:
        raise Refused(say("pin_is_a_url", package=wanted, path=line.path, line=line.number))
    if version is None:
        return Loose(line.path, line.number, line.code, why, requirement)
    return Pin(line.path, line.number, line.start, line.raw, version, line.hashes)


def _without_comment(raw: str) -> tuple[str, str]:
    """The code of a logical line, and what follows it: blanks, a comment, the line's end."""
    last = raw.splitlines(keepends=True)
    head, tail = "".join(last[:-1]), last[-1]
    code = head + COMMENT.sub("", tail.splitlines()[0])
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


def _gap_before(raw: str, first: int) -> str:
    """The white space and continuation that separate the first hash from what precedes it."""
    before = raw[:first]
    return before[len(before.rstrip(" \t\r\n\\")) :] or " "
