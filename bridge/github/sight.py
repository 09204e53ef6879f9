"""What one look at GitHub shows: the base, our branch and our pull request."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from bridge.release import PullRequest


class _Oid(BaseModel):
    oid: str


class _Parents(BaseModel):
    nodes: list[_Oid] = []


class _Commit(_Oid):
    changed_files: int | None = Field(default=None, alias="changedFilesIfAvailable")
    parents: _Parents = _Parents()


class _Ref(BaseModel):
    id: str = ""
    target: _Commit | None = None


class _Blob(BaseModel):
    text: str | None = None
    is_truncated: bool = Field(default=False, alias="isTruncated")


class Actor(BaseModel):
    """Somebody at GitHub. The number stays when the login changes, and is never given again."""

    login: str
    database_id: int | None = Field(default=None, alias="databaseId")

    def is_the_same_as(self, other: "Actor") -> bool:
        """By number where GitHub tells both; GraphQL tells a bot's login without `[bot]`."""
        if self.database_id is not None and other.database_id is not None:
            return self.database_id == other.database_id
        return self.login.removesuffix("[bot]") == other.login.removesuffix("[bot]")


class _Rollup(BaseModel):
    state: str


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
    merge_state: str = Field(alias="mergeStateStatus")
    is_queued: bool = Field(alias="isInMergeQueue")
    may_merge_later: bool = Field(alias="viewerCanEnableAutoMerge")
    merges_later: _AutoMerge | None = Field(alias="autoMergeRequest")
    author: Actor | None
    merge_commit: _Oid | None = Field(alias="mergeCommit")
    merged_by: Actor | None = Field(alias="mergedBy")
    head_ref: _Ref | None = Field(alias="headRef")

    def as_fact(self) -> PullRequest:
        """What a release remembers of it."""
        return PullRequest(id=self.id, number=self.number, url=self.url, head_sha=self.head_sha)


class _Ours(BaseModel):
    nodes: list[SeenPull]


class Sight(BaseModel):
    """Everything that a decision about one branch needs, seen at one moment.

    `method` is how this repository merges, `queue` its merge queue for the base, if it has one.
    `viewer` is who the token belongs to.
    `text` and `head_text` are the requirements file on the base and on our branch; None where it
    is not there, not text, or too long to be told whole.
    """

    viewer: Actor | None = None
    repository_id: str = Field(alias="id")
    method: Literal["MERGE", "SQUASH", "REBASE"]
    queue: _Queue | None
    base: _Ref | None
    base_file: _Blob | None = Field(alias="baseFile")
    head: _Ref | None
    head_file: _Blob | None = Field(alias="headFile")
    ours: _Ours

    @property
    def base_sha(self) -> str | None:
        """The commit at the base branch."""
        return self.base.target.oid if self.base and self.base.target else None

    @property
    def head_sha(self) -> str | None:
        """The commit at our branch, if it exists."""
        return self.head.target.oid if self.head and self.head.target else None

    @property
    def text(self) -> str | None:
        """The requirements file on the base branch."""
        return _whole(self.base_file)

    @property
    def head_text(self) -> str | None:
        """The requirements file on our branch."""
        return _whole(self.head_file)

    @property
    def pull(self) -> SeenPull | None:
        """Our pull request: the open one, else the newest. One from a fork is not ours, and one
        of another author is not either."""
        mine = [pull for pull in self.ours.nodes if self._is_ours(pull)]
        opened = [pull for pull in mine if pull.state == "OPEN"]
        return next(iter(opened + mine), None)

    def head_is_only(self, text: str) -> bool:
        """Our branch is one commit on something, and that commit only makes the file `text`."""
        commit = self.head.target if self.head else None
        if commit is None or len(commit.parents.nodes) != 1:
            return False
        return commit.changed_files == 1 and self.head_text == text

    def _is_ours(self, pull: SeenPull) -> bool:
        return (
            not pull.is_cross_repository
            and pull.author is not None
            and self.viewer is not None
            and pull.author.is_the_same_as(self.viewer)
        )


def _whole(blob: _Blob | None) -> str | None:
    return blob.text if blob and not blob.is_truncated else None
