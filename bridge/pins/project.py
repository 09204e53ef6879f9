"""The pin in the dependency arrays of a pyproject.toml, changed without touching another byte.

Which string is the pin is not guessed: it is the one whose change changes just that entry of the
document, as a TOML parser reads it.
Source: https://packaging.python.org/en/latest/specifications/pyproject-toml/ and
https://packaging.python.org/en/latest/specifications/dependency-groups/
"""

import contextlib
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from packaging.utils import canonicalize_name

from bridge.errors import Refused
from bridge.pins.pin import EQUALS, Loose, Mention, Pin, only_one, read
from bridge.sentences import say

STRING = re.compile(
    r'#[^\n]*|"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'',
    re.DOTALL,
)
MARK = "the entry that is looked for"
Table = dict[str, Any]


def look(text: str, path: str, package: str) -> Mention | None:
    """What the file says of the package: its pin, something looser, or nothing.

    Raises Refused for a URL, for the same name twice and for a file that is no such document.
    """
    try:
        document = _parsed(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Refused(say("not_toml", path=path, why=error)) from error
    wanted = canonicalize_name(package)
    return only_one(_mentions(text, path, document, wanted), package)


def edit(text: str, pin: Pin, version: str) -> str:
    """`text` with this version in the place of the pin's."""
    found = EQUALS.search(pin.raw)
    if found is None:
        return text
    at = pin.start + found.start("version")
    return text[:at] + version + text[pin.start + found.end("version") :]


def _parsed(text: str) -> Table:
    return tomllib.loads(text, parse_float=str)


def _mentions(text: str, path: str, document: Table, wanted: str) -> Iterator[Mention]:
    for array in _arrays(document):
        for index, said in enumerate(array):
            if not isinstance(said, str) or not _may_name(said, wanted):
                continue
            start, raw = _place(text, document, array, index)
            number = text.count("\n", 0, start) + 1
            requirement, version, why = read(said, path, number)
            if requirement.url:
                raise Refused(say("pin_is_a_url", package=wanted, path=path, line=number))
            if version is None:
                yield Loose(path, number, said, why, requirement)
            else:
                yield Pin(path, number, start, raw, version)


def _arrays(document: Table) -> Iterator[list[object]]:
    """Every array whose entries are requirements."""
    project = _table(document, "project")
    groups = (_table(project, "optional-dependencies"), _table(document, "dependency-groups"))
    found = [project.get("dependencies"), *(array for group in groups for array in group.values())]
    yield from (array for array in found if isinstance(array, list))


def _table(document: Table, name: str) -> Table:
    found = document.get(name)
    return found if isinstance(found, dict) else {}


def _may_name(said: str, wanted: str) -> bool:
    name = re.match(r"\s*([A-Za-z0-9._-]+)", said)
    return name is not None and canonicalize_name(name[1]) == wanted


def _place(text: str, document: Table, array: list[object], index: int) -> tuple[int, str]:
    """Where the string of one entry stands: offset and raw text."""
    said, array[index] = array[index], MARK
    try:
        for token in STRING.finditer(text):
            raw = token.group()
            if raw.startswith("#") or _parsed(f"it = {raw}")["it"] != said:
                continue
            marked = f'{text[: token.start()]}"{MARK}"{text[token.end() :]}'
            with contextlib.suppress(tomllib.TOMLDecodeError):
                if _parsed(marked) == document:
                    return token.start(), raw
    finally:
        array[index] = said
    raise AssertionError("an entry of a document stands in its text")
