"""GitHub: one query to see, one document per act, and the repository as a tarball.

GraphQL answers 200 with an `errors` list for a stale head, a name that is taken and a spent rate
limit alike, so the list is read, not the status. None of them is final: a name that is taken is
seen by the next look, and a token can be mended.
Source: https://docs.github.com/en/graphql/reference
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, Field, JsonValue, ValidationError

from bridge.errors import Unavailable
from bridge.github import documents
from bridge.github.sight import PullState, SeenPull, Sight
from bridge.kit.http import Door
from bridge.release import PullRequest

API_VERSION = "2022-11-28"
Answer = TypeVar("Answer", bound=BaseModel)


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


class _Oid(BaseModel):
    oid: str


class _Viewer(BaseModel):
    login: str


class _Looked(BaseModel):
    viewer: _Viewer
    repository: Sight | None


class _Pulls(BaseModel):
    nodes: list[PullState | None]


class _Made(BaseModel):
    pull_request: PullRequest = Field(alias="pullRequest")


class _Written(BaseModel):
    commit: _Oid


class _Proposed(BaseModel):
    commit: _Written | None = None
    pull: _Made


class _Error(BaseModel):
    type: str = ""
    message: str


class _Envelope(BaseModel):
    data: dict[str, JsonValue] | None = None
    errors: list[_Error] = []


class GitHub:
    """One repository (`owner/name`) on GitHub, whose REST API is at `url`.

    On Enterprise hosts GraphQL is at `/api/graphql`, beside `/api/v3`.
    """

    def __init__(self, door: Door, repository: str, url: str = "") -> None:
        self._door = door
        self._graphql = f"{url.rstrip('/').removesuffix('/v3')}/graphql"
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
        looked = _read(_Looked, data)
        if looked.repository is None:
            raise Unavailable(f"GitHub shows no {self.repository}; may the token see it?")
        return looked.repository.model_copy(update={"viewer": looked.viewer.login})

    async def pulls(self, ids: Sequence[str]) -> dict[str, PullState]:
        """Up to 100 pull requests by their node id, in one query; what is gone is left out.

        Raises Unavailable. Source: https://docs.github.com/en/graphql/reference/queries#nodes
        """
        data = await self._speak(documents.PULLS, {"ids": list(ids)}, may_lack="NOT_FOUND")
        return {pull.id: pull for pull in _read(_Pulls, data).nodes if pull}

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
        made = _read(_Proposed, data)
        written = made.commit.commit.oid if made.commit else proposal.head_sha
        return made.pull.pull_request.model_copy(update={"head_sha": written})

    async def merge(self, pull_id: str, head_sha: str) -> None:
        """Merge at exactly this head. Raises Unavailable when the world moved meanwhile."""
        await self._speak(
            documents.MERGE, {"input": {"pullRequestId": pull_id, "expectedHeadOid": head_sha}}
        )

    async def close_pull(self, pull: SeenPull, comment: str) -> None:
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
        answer = await self._door.fetch(f"/repos/{self.repository}/tarball/{sha}")
        if answer.status_code != 200:
            raise Unavailable(f"GitHub answered {answer.status_code} for the tree at {sha[:8]}")
        return answer.content

    async def close(self) -> None:
        """Give back the connections."""
        await self._door.close()

    async def _speak(
        self, document: str, variables: dict[str, object], may_lack: str = ""
    ) -> dict[str, JsonValue]:
        answer = await self._door.ask(
            "POST",
            self._graphql,
            json={"query": document, "variables": variables},
            headers={"x-github-api-version": API_VERSION},
        )
        if answer.status_code != 200:
            raise Unavailable(f"GitHub answered {answer.status_code}; is its token right?")
        try:
            envelope = _Envelope.model_validate_json(answer.content)
        except ValidationError as error:
            raise Unavailable("GitHub sent an answer that cannot be read") from error
        serious = [error for error in envelope.errors if error.type != may_lack or not may_lack]
        if serious:
            message = f"GitHub said: {serious[0].message}"
            raise Unavailable(message, self._door.retry_after(answer))
        return envelope.data or {}


def _read(model: type[Answer], data: dict[str, JsonValue]) -> Answer:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise Unavailable("GitHub sent an answer that cannot be read") from error
