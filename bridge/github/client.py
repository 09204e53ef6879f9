"""GitHub: one query to see, one document per act, and the repository as a tarball.

GraphQL answers 200 with an `errors` list for a stale head, a name that is taken and a spent rate
limit alike, so the list is read, not the status.
Source: https://docs.github.com/en/graphql/reference
"""

import base64
from dataclasses import dataclass
from typing import Literal, TypeVar

from pydantic import BaseModel, Field, JsonValue, ValidationError

from bridge.errors import Refused, Unavailable
from bridge.github import documents
from bridge.kit.http import Door
from bridge.release import PullRequest
from bridge.sentences import say

API_VERSION = "2022-11-28"
LATER = {"RATE_LIMITED", "STALE_DATA", "UNPROCESSABLE", "SERVICE_UNAVAILABLE"}
Answer = TypeVar("Answer", bound=BaseModel)


class _Oid(BaseModel):
    oid: str


class _Ref(BaseModel):
    id: str = ""
    target: _Oid | None = None


class _Blob(BaseModel):
    text: str | None = None
    is_truncated: bool = Field(default=False, alias="isTruncated")


class _Actor(BaseModel):
    login: str
    database_id: int | None = Field(default=None, alias="databaseId")


class _Rollup(BaseModel):
    state: str


class SeenPull(BaseModel):
    """A pull request as GitHub tells it now."""

    id: str
    number: int
    url: str
    state: Literal["OPEN", "CLOSED", "MERGED"]
    is_cross_repository: bool = Field(alias="isCrossRepository")
    head_sha: str = Field(alias="headRefOid")
    mergeable: str
    merge_commit: _Oid | None = Field(alias="mergeCommit")
    merged_by: _Actor | None = Field(alias="mergedBy")
    head_ref: _Ref | None = Field(alias="headRef")
    rollup: _Rollup | None = Field(alias="statusCheckRollup")

    @property
    def checks(self) -> str | None:
        """The rollup of all checks and statuses of the head, or None where there is none."""
        return self.rollup.state if self.rollup else None

    def as_fact(self) -> PullRequest:
        """What a release remembers of it."""
        return PullRequest(id=self.id, number=self.number, url=self.url, head_sha=self.head_sha)


class OpenPull(BaseModel):
    """Another open pull request against the same base."""

    id: str
    number: int
    head: str = Field(alias="headRefName")
    is_cross_repository: bool = Field(alias="isCrossRepository")
    head_ref: _Ref | None = Field(alias="headRef")


class _Ours(BaseModel):
    nodes: list[SeenPull]


class _Open(BaseModel):
    nodes: list[OpenPull]


class Sight(BaseModel):
    """Everything that a decision about one branch needs, seen at one moment.

    `text` and `head_text` are the requirements file on the base and on our branch; None where it
    is not there, not text, or too long to be told whole.
    """

    repository_id: str = Field(alias="id")
    base: _Ref | None
    base_file: _Blob | None = Field(alias="baseFile")
    head: _Ref | None
    head_file: _Blob | None = Field(alias="headFile")
    ours: _Ours
    open: _Open

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
        """Our pull request: the open one, else the newest; one from a fork is not ours."""
        mine = [pull for pull in self.ours.nodes if not pull.is_cross_repository]
        opened = [pull for pull in mine if pull.state == "OPEN"]
        return next(iter(opened + mine), None)


@dataclass(frozen=True)
class Proposal:
    """What a pull request is made of. `path` is the one file that changes, to `text`."""

    base: str
    base_sha: str
    branch: str
    head_sha: str | None
    path: str
    text: str | None
    title: str
    body: str


class _Looked(BaseModel):
    repository: Sight | None


class _Made(BaseModel):
    pull_request: PullRequest = Field(alias="pullRequest")


class _Proposed(BaseModel):
    pull: _Made


class _Error(BaseModel):
    type: str = ""
    message: str


class _Envelope(BaseModel):
    data: dict[str, JsonValue] | None = None
    errors: list[_Error] = []


class GitHub:
    """One repository (`owner/name`) on GitHub."""

    def __init__(self, door: Door, repository: str) -> None:
        self._door = door
        self.repository = repository
        self._owner, _, self._name = repository.partition("/")

    async def look(self, base: str, path: str, branch: str) -> Sight:
        """See base, file, our branch and the pull requests in one query. Raises Unavailable."""
        data = await self._speak(
            documents.LOOK,
            {
                "owner": self._owner,
                "name": self._name,
                "base": base,
                "baseRef": f"refs/heads/{base}",
                "baseFile": f"{base}:{path}",
                "head": branch,
                "headRef": f"refs/heads/{branch}",
                "headFile": f"{branch}:{path}",
            },
        )
        seen = _read(_Looked, data).repository
        if seen is None:
            raise Unavailable(f"GitHub shows no {self.repository}; may the token see it?")
        return seen

    async def propose(self, repository_id: str, proposal: Proposal) -> PullRequest:
        """Make what is missing of branch, commit and pull request, in one document.

        The commit expects the head that was seen, so nothing of anybody else is overwritten.
        Raises Unavailable when the world moved meanwhile: look again.
        """
        addition = base64.b64encode((proposal.text or "").encode()).decode()
        data = await self._speak(
            documents.PROPOSE,
            {
                "ref": {
                    "repositoryId": repository_id,
                    "name": f"refs/heads/{proposal.branch}",
                    "oid": proposal.base_sha,
                },
                "commit": {
                    "branch": {
                        "repositoryNameWithOwner": self.repository,
                        "branchName": proposal.branch,
                    },
                    "expectedHeadOid": proposal.head_sha or proposal.base_sha,
                    "message": {"headline": proposal.title},
                    "fileChanges": {"additions": [{"path": proposal.path, "contents": addition}]},
                },
                "pull": {
                    "repositoryId": repository_id,
                    "baseRefName": proposal.base,
                    "headRefName": proposal.branch,
                    "title": proposal.title,
                    "body": proposal.body,
                },
                "needsBranch": proposal.head_sha is None,
                "needsCommit": proposal.text is not None,
            },
        )
        return _read(_Proposed, data).pull.pull_request

    async def merge(self, pull_id: str, head_sha: str) -> None:
        """Merge at exactly this head. Raises Unavailable when the world moved meanwhile."""
        await self._speak(
            documents.MERGE, {"input": {"pullRequestId": pull_id, "expectedHeadOid": head_sha}}
        )

    async def close_pull(self, pull: OpenPull | SeenPull, comment: str) -> None:
        """Close a pull request with a sentence, and delete its branch."""
        await self._speak(
            documents.CLOSE,
            {
                "comment": {"subjectId": pull.id, "body": comment},
                "pull": {"pullRequestId": pull.id},
                "ref": {"refId": pull.head_ref.id if pull.head_ref else ""},
                "hasRef": pull.head_ref is not None,
            },
        )

    async def delete_branch(self, ref_id: str) -> None:
        """Delete a branch that has served."""
        await self._speak(documents.DELETE_BRANCH, {"input": {"refId": ref_id}})

    async def tarball(self, sha: str) -> bytes:
        """The repository at `sha` as a gzipped tarball, under one top-level folder.

        GitHub redirects to a short-lived address of another host, which gets no credentials.
        Source: https://docs.github.com/en/rest/repos/contents
        """
        answer = await self._door.ask("GET", f"/repos/{self.repository}/tarball/{sha}")
        if answer.status_code == 302:
            answer = await self._door.ask("GET", answer.headers["location"], anonymous=True)
        if answer.status_code != 200:
            raise Unavailable(f"GitHub answered {answer.status_code} for the tree at {sha[:8]}")
        return answer.content

    async def close(self) -> None:
        """Give back the connections."""
        await self._door.close()

    async def _speak(self, document: str, variables: dict[str, object]) -> dict[str, JsonValue]:
        answer = await self._door.ask(
            "POST",
            "/graphql",
            json={"query": document, "variables": variables},
            headers={"x-github-api-version": API_VERSION},
        )
        if answer.status_code != 200:
            raise Unavailable(f"GitHub answered {answer.status_code}; is its token right?")
        try:
            envelope = _Envelope.model_validate_json(answer.content)
        except ValidationError as error:
            raise Unavailable("GitHub sent an answer that cannot be read") from error
        if envelope.errors:
            first = envelope.errors[0]
            if first.type in LATER or not first.type:
                raise Unavailable(f"GitHub said: {first.message}")
            raise Refused(say("github_refused", message=first.message))
        return envelope.data or {}


def _whole(blob: _Blob | None) -> str | None:
    return blob.text if blob and not blob.is_truncated else None


def _read(model: type[Answer], data: dict[str, JsonValue]) -> Answer:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise Unavailable("GitHub sent an answer that cannot be read") from error
