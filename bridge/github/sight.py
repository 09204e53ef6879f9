"""What one look at GitHub shows: the base, our branch and our pull request."""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field, model_validator

from bridge.release import PullRequest

PLAIN = (0o100644, 0o100755)


class _Oid(BaseModel):
    oid: str


class _Blob(_Oid):
    text: str | None = None
    is_truncated: bool = Field(default=False, alias="isTruncated")


class _Entry(BaseModel):
    """A file in a commit, as git has it: `mode` tells a plain file from a link."""

    mode: int
    object: _Blob | None

    @property
    def text(self) -> str | None:
        """The file, if it is a plain one and this is it, byte for byte."""
        blob = self.object
        if blob is None or blob.text is None or blob.is_truncated or self.mode not in PLAIN:
            return None
        return blob.text if _oid_of(blob.text) == blob.oid else None


class _Tree(_Oid):
    """A commit with the files that were asked for; GraphQL tells them as file0, file1 and so on."""

    entries: list[_Entry | None] = []

    @model_validator(mode="before")
    @classmethod
    def gather(cls, told: object) -> object:
        """Put the files in the order in which they were asked for."""
        if not isinstance(told, dict):
            return told
        names = [name for name in told if re.fullmatch(r"file\d+", name)]
        return {**told, "entries": [told[name] for name in sorted(names, key=lambda n: int(n[4:]))]}


class _Parents(BaseModel):
    nodes: list[_Tree] = []


class GateShown(BaseModel):
    """Our commit status as GitHub shows it: SUCCESS, FAILURE, PENDING, and a sentence."""

    state: str
    description: str | None = None


class _Status(BaseModel):
    context: GateShown | None = None


class _Commit(_Tree):
    changed_files: int | None = Field(default=None, alias="changedFilesIfAvailable")
    parents: _Parents = _Parents()
    status: _Status | None = None


class Written(BaseModel):
    """A commit of the repository, by its first line."""

    oid: str
    headline: str = Field(alias="messageHeadline")


class _History(BaseModel):
    nodes: list[Written] = []


class _Built(BaseModel):
    history: _History = _History()


class _Ref(BaseModel):
    id: str = ""
    target: _Commit | None = None


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

    @property
    def checks(self) -> str | None:
        """The rollup of all checks and statuses of the head, or None where there is none."""
        return self.rollup.state if self.rollup else None

    @property
    def as_seen(self) -> str:
        """The same as long as nothing has changed that asks for a look."""
        marks = f"{' draft' if self.is_draft else ''}{' conflict' if self.conflicts else ''}"
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
    merge_commit: _Oid | None = Field(alias="mergeCommit")
    merged_by: Actor | None = Field(alias="mergedBy")
    head_ref: _Ref | None = Field(alias="headRef")

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
    `texts`, `head_texts` and `parent_texts` are the pipeline's files on the base, on our branch and
    below its head, by path; None where one is not there, a link, no UTF-8, or too long to be told
    whole.
    """

    viewer: Actor | None = None
    paths: tuple[str, ...] = ()
    repository_id: str = Field(alias="id")
    method: Literal["MERGE", "SQUASH", "REBASE"]
    queue: _Queue | None
    base: _Ref | None
    head: _Ref | None
    ours: _Ours
    url: str = ""
    built: _Built | None = None

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
        if _modes(commit) != _modes(self._parent):
            return False
        return all(head[path] == text != before[path] for path, text in files.items())

    @property
    def _parent(self) -> _Tree | None:
        commit = self.head.target if self.head else None
        return commit.parents.nodes[0] if commit and len(commit.parents.nodes) == 1 else None

    def _texts(self, commit: _Tree | None) -> dict[str, str | None]:
        entries = commit.entries if commit else [None for _ in self.paths]
        found = zip(self.paths, entries, strict=True)
        return {path: entry.text if entry else None for path, entry in found}

    def _is_ours(self, pull: SeenPull) -> bool:
        return not pull.is_cross_repository and self._is_viewer(pull.author)

    def _is_viewer(self, actor: Actor | None) -> bool:
        return actor is not None and self.viewer is not None and actor.is_the_same_as(self.viewer)


def _modes(commit: _Tree) -> list[int | None]:
    return [entry.mode if entry else None for entry in commit.entries]


def _oid_of(text: str) -> str:
    """What git calls these bytes. GitHub tells text, and another encoding shows only here."""
    data = text.encode(errors="surrogatepass")
    return hashlib.sha1(b"blob %d\0%b" % (len(data), data), usedforsecurity=False).hexdigest()
