"""The record that an auditor can check: canonical form, hash chain, verification. Pure.

A line's hash is sha256 over the hash before it and the line's canonical body, so no line can be
changed, removed or moved without breaking every line after it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

GENESIS = "0" * 64


@dataclass(frozen=True)
class Line:
    """One audit line: its place, its body without the hashes, and the two hashes."""

    seq: int
    body: Mapping[str, JsonValue]
    prev_hash: str
    hash: str


@dataclass(frozen=True)
class Verdict:
    """How many lines hold, the last hash, and the first bad `seq` with what is wrong there."""

    lines: int
    head: str
    bad_seq: int | None = None
    problem: str | None = None

    @property
    def holds(self) -> bool:
        """The chain is whole."""
        return self.bad_seq is None


def canonical(body: Mapping[str, JsonValue]) -> bytes:
    """Sorted keys, no spaces, UTF-8: the one way to write a body down."""
    return json.dumps(
        body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def link(prev_hash: str, body: Mapping[str, JsonValue]) -> str:
    """The hash that ties `body` to everything before it; 64 hex digits."""
    return hashlib.sha256(prev_hash.encode() + b"\n" + canonical(body)).hexdigest()


def verify(lines: Iterable[Line], count: int = 0, head: str = GENESIS) -> Verdict:
    """Walk the chain, from its first line or after `count` lines that end with `head`; stop at the
    first that does not hold."""
    for expected, line in enumerate(lines, start=count + 1):
        problem = None
        if line.seq != expected:
            problem = f"line {expected} is missing"
        elif line.prev_hash != head:
            problem = "it does not follow the line before it"
        elif line.hash != link(head, line.body):
            problem = "its content was changed"
        if problem:
            return Verdict(count, head, line.seq, problem)
        head, count = line.hash, expected
    return Verdict(count, head)
