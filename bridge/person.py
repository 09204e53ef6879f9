"""A person who is known to us, and what they may do. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue


class Role(StrEnum):
    """A viewer sees everything, an operator acts too."""

    VIEWER = "viewer"
    OPERATOR = "operator"


class By(StrEnum):
    """How somebody is known."""

    LOOPBACK = "loopback"
    TOKEN = "token"  # noqa: S105 - a word
    GITHUB = "github"
    PROXY = "proxy"


@dataclass(frozen=True)
class Person:
    """`id` stays with one person for good, as GitHub's number does; `name` is what others read."""

    id: str
    name: str
    role: Role
    by: By

    def __str__(self) -> str:
        return self.name

    @property
    def is_operator(self) -> bool:
        """Whether they may act."""
        return self.role is Role.OPERATOR


Who = Person | str
"""Who does something: a person who signed in, or the name of a user of this machine."""


def actor(who: Who) -> str:
    """Who did it as the record says it: the name, and what stays when the name changes."""
    return f"{who.name} ({who.by} {who.id})" if isinstance(who, Person) else who


def as_json(who: Who) -> dict[str, JsonValue]:
    """The same for programs."""
    if isinstance(who, Person):
        return {"who": who.name, "person": {"id": who.id, "by": who.by.value}}
    return {"who": who}
