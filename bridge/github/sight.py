"""What one look at GitHub shows: the base, our branch and our pull request."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from bridge.facts import PullRequest
from bridge.github.tree import Built, GateShown, Oid, Ref, Tree, Written, modes


class _Count(BaseModel):
    total: int = Field(alias="totalCount")


class Actor(BaseModel):
    """Somebody at GitHub. The number stays when the login changes, and is never given again."""

    login: str
    database_id: int | None = Field(default=None, alias="databaseId")

    def is_the_same_as(self, other: "Actor") -> bool:
        """By number where GitHub tells both; GraphQL tells a bot's login without `[bot]`."""
        if self.database_id is not None and other.database_id is not None:
            return self.database_id == other.database_id
        return self.login.removesuffix("[bot]") == other.login.removesuffix("[bot]")


class _Contexts(BaseModel):
    count: int = Field(alias="totalCount")


class _Rollup(BaseModel):
    state: str
    contexts: _Contexts | None = None


class _AutoMerge(BaseModel):
    enabled_at: datetime | None = Field(alias="enabledAt")


class _Queue(BaseModel):
    id: str


class PullState(BaseModel):
    """What is asked of many pull requests at once: state, head, checks, conflicts."""

    id: str
    state: Literal["OPEN", "CLOSED", "MERGED"]
    head_sha: str = Field(alias="headRefOid")
    mergeable: str
    is_draft: bool = Field(alias="isDraft")
    review: str | None = Field(alias="reviewDecision")
    rollup: _Rollup | None = Field(alias="statusCheckRollup")
    approvals: _Count | None = None

    @property
    def checks(self) -> str | None:
        """The rollup of all checks and statuses of the head, or None where there is none."""
        return self.rollup.state if self.rollup else None

    @property
    def as_seen(self) -> str:
        """The same as long as nothing has changed that asks for a look."""
        marks = f"{' draft' if self.is_draft else ''}{' conflict' if self.conflicts else ''}"
        if self.approvals and self.approvals.total:
            marks += f" {self.approvals.total} approved"
        return f"{self.state} {self.head_sha} {self.checks} {self.review}{marks}"

    @property
    def conflicts(self) -> bool:
        """The base moved so that this cannot be merged. No webhook tells of it."""
        return self.mergeable == "CONFLICTING"


class SeenPull(PullState):
    """A pull request as GitHub tells it now."""

    number: int
    url: str
    is_cross_repository: bool = Field(alias="isCrossRepository")
    changed_files: int = Field(alias="changedFiles")
    commits: _Count
    merge_state: str = Field(alias="mergeStateStatus")
    is_queued: bool = Field(alias="isInMergeQueue")
    may_merge_later: bool = Field(alias="viewerCanEnableAutoMerge")
    merges_later: _AutoMerge | None = Field(alias="autoMergeRequest")
    author: Actor | None
    merged_at: datetime | None = Field(default=None, alias="mergedAt")
    merge_commit: Oid | None = Field(alias="mergeCommit")
    merged_by: Actor | None = Field(alias="mergedBy")
    head_ref: Ref | None = Field(alias="headRef")

    @property
    def is_blocked(self) -> bool:
        """The rules of the base branch do not let it be merged now."""
        return self.merge_state == "BLOCKED"

    def as_fact(self) -> PullRequest:
        """What a release remembers of it."""
        return PullRequest(id=self.id, number=self.number, url=self.url, head_sha=self.head_sha)


class _Ours(BaseModel):
    nodes: list[SeenPull]


class Sight(BaseModel):
    """Everything that a decision about one branch needs, seen at one moment.

    `method` is how this repository merges, `queue` its merge queue for the base, if it has one.
    `viewer` is who the token belongs to. `built` is the commit that the wheel was built from, if it
    is one of this repository and was asked for.
    `texts`, `head_texts`, `parent_texts` and `built_texts` are the pipeline's files on the base, on
    our branch, below its head and at the commit `built`, by path; None where one is not there, a
    link, no UTF-8, or too long to be told whole.
    """

    viewer: Actor | None = None
    paths: tuple[str, ...] = ()
    repository_id: str = Field(alias="id")
    method: Literal["MERGE", "SQUASH", "REBASE"]
    queue: _Queue | None
    base: Ref | None
    head: Ref | None
    ours: _Ours
    url: str = ""
    built: Built | None = None

    @property
    def base_sha(self) -> str | None:
        """The commit at the base branch."""
        return self.base.target.oid if self.base and self.base.target else None

    @property
    def head_sha(self) -> str | None:
        """The commit at our branch, if it exists."""
        return self.head.target.oid if self.head and self.head.target else None

    @property
    def texts(self) -> dict[str, str | None]:
        """The files on the base branch."""
        return self._texts(self.base.target if self.base else None)

    @property
    def head_texts(self) -> dict[str, str | None]:
        """The files on our branch."""
        return self._texts(self.head.target if self.head else None)

    @property
    def parent_texts(self) -> dict[str, str | None]:
        """The files before the last commit on our branch."""
        return self._texts(self._parent)

    @property
    def built_texts(self) -> dict[str, str | None]:
        """The files at the commit that was asked for; every one None where it is not known."""
        return self._texts(self.built if self.built and self.built.entries else None)

    @property
    def pull(self) -> SeenPull | None:
        """Our pull request: the open one, else the newest. One from a fork is not ours, and one
        of another author is not either."""
        mine = [pull for pull in self.ours.nodes if self._is_ours(pull)]
        opened = [pull for pull in mine if pull.state == "OPEN"]
        return next(iter(opened + mine), None)

    @property
    def gate(self) -> GateShown | None:
        """What our own commit status says at the head of our branch."""
        commit = self.head.target if self.head else None
        return commit.status.context if commit and commit.status else None

    @property
    def checks(self) -> str | None:
        """What the others' checks say together; our own gate alone does not vouch for itself."""
        rollup = self.pull.rollup if self.pull else None
        if rollup is None or (self.gate and rollup.contexts and rollup.contexts.count == 1):
            return None
        return rollup.state

    @property
    def history(self) -> list[Written]:
        """The commit that was built and those before it, newest first."""
        return self.built.history.nodes if self.built else []

    def merged_by_us(self) -> bool:
        """Whether the merge was ours, which asked the gate before."""
        return self.pull is not None and self._is_viewer(self.pull.merged_by)

    def head_is_only(self, files: Mapping[str, str]) -> bool:
        """Our branch is one commit on something, and all that it does is to make these files so."""
        head, before = self.head_texts, self.parent_texts
        commit = self.head.target if self.head else None
        if commit is None or self._parent is None or commit.changed_files != len(files):
            return False
        if modes(commit) != modes(self._parent):
            return False
        return all(head[path] == text != before[path] for path, text in files.items())

    @property
    def _parent(self) -> Tree | None:
        commit = self.head.target if self.head else None
        return commit.parents.nodes[0] if commit and len(commit.parents.nodes) == 1 else None

    def _texts(self, commit: Tree | None) -> dict[str, str | None]:
        entries = commit.entries if commit else [None for _ in self.paths]
        found = zip(self.paths, entries, strict=True)
        return {path: entry.text if entry else None for path, entry in found}

    def _is_ours(self, pull: SeenPull) -> bool:
        return not pull.is_cross_repository and self._is_viewer(pull.author)

    def _is_viewer(self, actor: Actor | None) -> bool:
        return actor is not None and self.viewer is not None and actor.is_the_same_as(self.viewer)
