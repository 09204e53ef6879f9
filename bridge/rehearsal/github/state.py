"""What the simulated GitHub remembers beside git: pull requests, statuses, and its refusals."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bridge.rehearsal.gate import Fault

Before = Callable[[str], Fault | None]
State = Literal["pending", "success", "failure", "error"]
Review = Literal["APPROVED", "CHANGES_REQUESTED"]


@dataclass
class Rules:
    """What the base branch asks of a merge, and how the repository merges."""

    checks: set[str] = field(default_factory=set)
    approvals: int = 0
    queue: bool = False
    auto_merge: bool = True
    method: Literal["MERGE", "SQUASH", "REBASE"] = "MERGE"


class Refusal(Exception):
    """GitHub's own no. `kind` is the type of a GraphQL error, the message is GitHub's."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind, self.message = kind, message


def unprocessable(message: str) -> Refusal:
    return Refusal("UNPROCESSABLE", message)


@dataclass(frozen=True)
class Call:
    """One call of the API. `name` is a GraphQL operation or a path of REST.

    `effects` are the mutations (REST: the operation) that took effect. The status of a lost reply
    is that of the reply.
    """

    method: str
    name: str
    effects: tuple[str, ...]
    status: int


@dataclass(frozen=True)
class Comment:
    author: str
    body: str
    at: datetime


@dataclass(frozen=True)
class CommitStatus:
    number: int
    sha: str
    context: str
    state: State
    description: str | None
    target_url: str | None
    creator: str
    at: datetime


@dataclass
class Pull:
    """A pull request. `head` is a branch name, of `head_owner`'s copy of the repository.

    `head_sha` and `base_sha` follow their branches while it is open, and then stay. `reviews` are
    the last words of each reviewer, `reviewed` at which head and when, `later` who wished
    auto-merge and when.
    """

    number: int
    title: str
    body: str
    head: str
    head_owner: str
    base: str
    head_sha: str
    base_sha: str
    author: str
    draft: bool
    cross: bool
    created_at: datetime
    updated_at: datetime
    state: Literal["OPEN", "CLOSED", "MERGED"] = "OPEN"
    closed_at: datetime | None = None
    merged_by: str | None = None
    merge_sha: str | None = None
    comments: list[Comment] = field(default_factory=list)
    reviews: dict[str, Review] = field(default_factory=dict)
    reviewed: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    later: tuple[str, datetime] | None = None
    queued: bool = False
    labels: list[str] = field(default_factory=list)
    reviewers: list[str] = field(default_factory=list)
    teams: list[str] = field(default_factory=list)

    @property
    def node_id(self) -> str:
        return f"PR_rehearsal{self.number}"

    @property
    def merged(self) -> bool:
        return self.state == "MERGED"

    @property
    def merged_at(self) -> datetime | None:
        return self.closed_at if self.merged else None

    @property
    def head_ref(self) -> str:
        return fork_ref(self.head_owner, self.head) if self.cross else f"refs/heads/{self.head}"


def fork_ref(owner: str, branch: str) -> str:
    """Where a fork's branch lies. As at GitHub, forks share the objects and a clone omits them."""
    return f"refs/forks/{owner}/heads/{branch}"


def account_id(login: str) -> int:
    """The number of an account: the same in every run."""
    return int(hashlib.sha256(login.encode()).hexdigest()[:7], 16)


def address(login: str) -> str:
    return f"{account_id(login)}+{login}@users.noreply.github.com"


def latest(statuses: Iterable[CommitStatus]) -> list[CommitStatus]:
    """The last word of every context, newest first."""
    last = {one.context: one for one in statuses}
    return sorted(last.values(), key=lambda one: -one.number)


def rollup(statuses: Iterable[CommitStatus]) -> State | None:
    """What all contexts together say, the worst first; None if nobody said anything."""
    states = {one.state for one in latest(statuses)}
    order: tuple[State, ...] = ("failure", "error", "pending", "success")
    return next((state for state in order if state in states), None)
