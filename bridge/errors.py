"""The tree of bad news.

    BridgeError
    ├── Refused          the world said no; final, with a reason
    │   ├── Declined     a person closed the pull request
    │   └── Superseded   a newer version took its place
    ├── Unavailable      no answer; ask again later
    ├── Forged           a delivery that its sender did not sign; 401, nothing is kept
    ├── Malformed        bytes that are not what they claim to be
    ├── LeaseLost        another worker has this row now; stop without a word
    └── Misconfigured    this configuration cannot work; exit 2

Anything else that is raised is a bug.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """Why something stands where it stands: a stable code for programs, a sentence for people."""

    code: str
    sentence: str


class BridgeError(Exception):
    """Bad news that we have a word for."""


class Refused(BridgeError):
    """The world said no. Asking again will not change it. `learned` are facts all the same."""

    def __init__(self, reason: Reason, learned: Mapping[str, object] | None = None) -> None:
        super().__init__(reason.sentence)
        self.reason = reason
        self.learned = learned or {}


class Declined(Refused):
    """A person closed the pull request: the version is not wanted."""


class Superseded(Refused):
    """A newer version took its place."""


class Unavailable(BridgeError):
    """Nobody answered, or the answer was "later" (`answered`). `retry_after` is in seconds, if
    they said."""

    def __init__(
        self, sentence: str, retry_after: float | None = None, *, answered: bool = True
    ) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after
        self.answered = answered


class Forged(BridgeError):
    """The signature does not hold. The text is for our log; the sender only learns 401."""


class Malformed(BridgeError):
    """The bytes cannot be read as what they claim to be."""


class LeaseLost(BridgeError):
    """The lease lapsed and another worker claimed the row: whatever we know is stale."""


class Misconfigured(BridgeError):
    """The configuration cannot work. The text names fields, never values."""
