"""The lines of a requirements file, as pip reads them. Pure.

Joined at backslashes, stripped of comments, split into a requirement and its options.
Source: https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from bridge.errors import Refused
from bridge.pins.pin import VARIABLE, unreadable
from bridge.sentences import say

COMMENT = re.compile(r"(^|\s+)#.*$")
CODING = re.compile(r"^\ufeff?[ \t\f]*#.*?coding[:=]\s*(?P<name>[-\w.]+)")
HASH = re.compile(r"--hash(?:=|\s+)(?P<quote>[\"']?)(?P<digest>[A-Za-z0-9]+:[^\s\"'\\]+)(?P=quote)")
ARCHIVES = (".whl", ".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tar.xz", ".txz")
VALUED = {
    **{"-i": "--index-url", "--pypi-url": "--index-url", "-r": "--requirement"},
    **{"-c": "--constraint", "-e": "--editable", "-f": "--find-links", "-C": "--config-settings"},
    **{"--config-setting": "--config-settings"},
}
WITH_VALUE = {
    *VALUED.values(),
    *("--extra-index-url", "--no-binary", "--only-binary", "--trusted-host", "--use-feature"),
    *("--all-releases", "--only-final", "--hash"),
}
UTF_8 = ("utf-8", "utf8", "utf-8-sig")
STRONG = ("sha256:", "sha384:", "sha512:")
FLAGS = {"--no-index", "--prefer-binary", "--require-hashes", "--no-require-hashes", "--pre"}


@dataclass(frozen=True)
class Line:
    """One logical line: its first line's number, its offset, the raw text, and what pip reads of
    it: `requirement` is the part before the options."""

    path: str
    number: int
    start: int
    raw: str
    code: str
    requirement: str
    options: tuple[tuple[str, str], ...]

    @property
    def hashes(self) -> tuple[str, ...]:
        """`sha256:…` of each --hash option."""
        return self.all("--hash")

    @property
    def asks_for_hashes(self) -> bool:
        """This line makes pip demand a hash of every requirement."""
        return bool(self.requirement and self.hashes) or ("--require-hashes", "") in self.options

    @property
    def is_link(self) -> bool:
        """A URL, a folder or a file instead of a name and a version."""
        code = self.requirement.split(";")[0].strip()
        name = code.partition("[")[0].strip()
        return (
            "://" in code
            or name.startswith((".", "/", "file:"))
            or name.lower().endswith(ARCHIVES)
            or (re.fullmatch(r"[\w.+-]+(?:[/\\][\w.+-]*)+", name) is not None)
        )

    def all(self, option: str) -> tuple[str, ...]:
        """The values of one option, in order."""
        return tuple(value for name, value in self.options if name == option)


def lines(text: str, path: str) -> Iterator[Line]:
    """The logical lines that say something. Raises Refused where pip cannot read the file."""
    _must_be_utf8(text, path)
    for number, start, raw in _joined(text):
        code = _code(raw if start else raw.removeprefix("\ufeff"))
        if code:
            requirement, options = _split(code, path, number)
            yield Line(path, number, start, raw, code, requirement, options)


def _joined(text: str) -> Iterator[tuple[int, int, str]]:
    """Join lines that end in a backslash; a comment line ends what it follows, as in pip."""
    start, number, offset, raw = 0, 1, 0, ""
    for count, line in enumerate(text.splitlines(keepends=True), start=1):
        if not raw:
            start, number = offset, count
        raw += line
        offset += len(line)
        content = line.splitlines()[0]
        if not content.endswith("\\") or COMMENT.match(content):
            yield number, start, raw
            raw = ""
    if raw:
        yield number, start, raw


def _code(raw: str) -> str:
    parts = raw.splitlines()
    joined = "".join(
        f" {part}" if COMMENT.match(part) else part.strip("\\") if part.endswith("\\") else part
        for part in parts
    )
    return COMMENT.sub("", joined).strip()


def _split(code: str, path: str, number: int) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The requirement and the options of a line: they begin at the first word with a dash."""
    words = code.split(" ")
    first = next((i for i, word in enumerate(words) if word.startswith("-")), len(words))
    try:
        given = iter(shlex.split(" ".join(words[first:])))
    except ValueError as error:
        raise unreadable(path, number, code) from error
    options = []
    for word in given:
        name, equals, value = word.partition("=")
        if not word.startswith("--") and len(word) > 2:
            name, equals, value = word[:2], "=", word[2:]
        name = VALUED.get(name, name)
        if name in WITH_VALUE and not equals:
            value = next(given, "")
        if (name not in FLAGS or equals) and (name not in WITH_VALUE or not value):
            raise unreadable(path, number, code)
        if name == "--hash" and not value.startswith(STRONG):
            raise unreadable(path, number, code)
        options.append((name, value))
    return " ".join(words[:first]).strip(), tuple(options)


def _must_be_utf8(text: str, path: str) -> None:
    """We write UTF-8. A file that says that it is something else must not notice."""
    said = [
        match["name"].lower() for line in text.splitlines()[:2] if (match := CODING.match(line))
    ]
    foreign = not text.isascii() and any(name.replace("_", "-") not in UTF_8 for name in said)
    if foreign or "\N{REPLACEMENT CHARACTER}" in text:
        raise Refused(say("not_text", path=path))


def is_from_the_environment(said: str) -> bool:
    """pip puts variables in before it reads the line."""
    return VARIABLE.search(said) is not None
