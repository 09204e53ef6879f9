"""CircleCI's filter expressions, the part that decides which jobs run. Pure.

    or < and < == != starts-with matches < not < ( … ) true false "string" name

`not` binds tightest, as theirs does: `not a == b` is `(not a) == b`. `matches` takes a /pattern/
and wants the whole string. A name that is not known is refused, and both sides of `and` and `or`
are always read: theirs stop early, but a mistake is better found before the day that it matters.
Numbers and their comparisons are refused, like anything else that this grammar does not have.

Source: https://circleci.com/docs/reference/configuration-reference/#expression-based-job-filters
"""

import re
from collections.abc import Mapping
from typing import NamedTuple, NoReturn

from bridge.errors import Misconfigured

Value = str | bool

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<operator> == | != | [()] | (?:starts-with|matches|and|or|not)(?![\w.-]) )
    | (?P<boolean> (?:true|false)(?![\w.-]) )
    | (?P<name> [A-Za-z][\w-]*(?:\.[\w-]+)* )
    | (?P<string> "[^"\\]*" )
    | (?P<pattern> /(?:[^/\\]|\\.)+/ )
    | (?P<end> $ )
    )""",
    re.VERBOSE | re.ASCII,
)


def holds(text: str, values: Mapping[str, Value]) -> bool:
    """Whether the expression is true of these values; an empty string counts as false.

    Raises `Misconfigured`, which names the position, for whatever cannot be read.
    """
    reader = _Reader(text, values)
    value = reader.either()
    reader.expect("end", "")
    return bool(value)


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


class _Reader:
    """Recursive descent, one method a rank of binding. Reads and evaluates in one go."""

    def __init__(self, text: str, values: Mapping[str, Value]) -> None:
        self.text = text
        self.values = values
        self.token = self._read(0)

    def either(self) -> Value:
        left = self._both()
        while self._take("or"):
            right = self._both()
            left = left or right
        return left

    def _both(self) -> Value:
        left = self._comparison()
        while self._take("and"):
            right = self._comparison()
            left = left and right
        return left

    def _comparison(self) -> Value:
        at = self.token.at
        left = self._negation()
        if self._take("=="):
            return left == self._negation()
        if self._take("!="):
            return left != self._negation()
        if self._take("starts-with"):
            right_at = self.token.at
            prefix = self._string(self._negation(), right_at)
            return self._string(left, at).startswith(prefix)
        if self._take("matches"):
            return self._pattern().fullmatch(self._string(left, at)) is not None
        return left

    def _negation(self) -> Value:
        if self._take("not"):
            return not self._negation()
        return self._operand()

    def _operand(self) -> Value:
        kind, text, at = self.token
        if self._take("("):
            inner = self.either()
            self.expect("operator", ")")
            return inner
        if kind not in ("boolean", "string", "name"):
            self._refuse(f"expected a value, found {text or 'the end'}", at)
        if kind == "name" and text not in self.values:
            self._refuse(f"{text} is not known", at)
        self._advance()
        if kind == "boolean":
            return text == "true"
        return text[1:-1] if kind == "string" else self.values[text]

    def _pattern(self) -> re.Pattern[str]:
        kind, text, at = self.token
        if kind != "pattern":
            self._refuse(f"expected /pattern/, found {text or 'the end'}", at)
        self._advance()
        try:
            return re.compile(text[1:-1])
        except re.error as error:
            self._refuse(f"bad pattern ({error})", at)

    def _string(self, value: Value, at: int) -> str:
        return value if isinstance(value, str) else self._refuse("expected a string", at)

    def expect(self, kind: str, text: str) -> None:
        if self.token[:2] != (kind, text):
            wanted, found = text or "the end", self.token.text or "the end"
            self._refuse(f"expected {wanted}, found {found}", self.token.at)
        if kind != "end":
            self._advance()

    def _take(self, operator: str) -> bool:
        if self.token[:2] != ("operator", operator):
            return False
        self._advance()
        return True

    def _advance(self) -> None:
        self.token = self._read(self.token.at + len(self.token.text))

    def _read(self, start: int) -> _Token:
        found = _TOKEN.match(self.text, start)
        if found is None or found.lastgroup is None:
            at = len(self.text) - len(self.text[start:].lstrip())
            self._refuse(f"{self.text[at]} is not understood here", at)
        return _Token(found.lastgroup, found[found.lastgroup], found.start(found.lastgroup))

    def _refuse(self, why: str, at: int) -> NoReturn:
        raise Misconfigured(f"filter, position {at + 1}: {why}: {self.text.strip()}")
