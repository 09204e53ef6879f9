"""GitHub: one query to see, one document per act, and the repository as a tarball.

Source: https://docs.github.com/en/graphql/reference
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, Field

from bridge.errors import Unavailable
from bridge.facts import PullRequest
from bridge.github import documents
from bridge.github.graphql import GraphQL, read
from bridge.github.rest import Rest
from bridge.github.reviews import Reviewers
from bridge.github.sight import Actor, PullState, SeenPull, Sight
from bridge.github.tree import Oid
from bridge.kit.http import Door

NOTHING = "0" * 40
GATE = "bridge/gate"


@dataclass(frozen=True)
class Proposal:
    """What a pull request is made of. `files` are those that change, by path; `written` when our
    branch has them so."""

    base: str
    base_sha: str
    branch: str
    head_sha: str | None
    files: Mapping[str, str]
    written: bool
    title: str
    body: str


class _Looked(BaseModel):
    viewer: Actor
    repository: Sight | None


class _Pulls(BaseModel):
    nodes: list[PullState | None]


class _Made(BaseModel):
    pull_request: PullRequest = Field(alias="pullRequest")


class _Written(BaseModel):
    commit: Oid


class _Proposed(BaseModel):
    commit: _Written | None = None
    pull: _Made


class _Drafted(BaseModel):
    commit: _Written


class GitHub(Rest, Reviewers):
    """One repository (`owner/name`) on GitHub, whose REST API is at `url`.

    On Enterprise hosts GraphQL is at `/api/graphql`, beside `/api/v3`.
    """

    def __init__(self, door: Door, repository: str, url: str = "") -> None:
        super().__init__(door, repository)
        self._graphql = GraphQL(door, f"{url.rstrip('/').removesuffix('/v3')}/graphql")
        self._owner, _, self._name = repository.partition("/")

    async def look(
        self, base: str, paths: Sequence[str], branch: str, built: str | None = None
    ) -> Sight:
        """See base, files, our branch and the pull requests in one query, and the history and the
        files of the commit `built`, where it is asked for. Raises Unavailable."""
        data = await self._graphql.speak(
            documents.look(len(paths)),
            {
                "owner": self._owner,
                "name": self._name,
                "base": base,
                "baseRef": f"refs/heads/{base}",
                "head": branch,
                "headRef": f"refs/heads/{branch}",
                **{f"path{number}": path for number, path in enumerate(paths)},
                "gate": GATE,
                "built": built or "",
                "wantsHistory": built is not None,
            },
        )
        looked = read(_Looked, data)
        if looked.repository is None:
            raise Unavailable(f"GitHub shows no {self.repository}; may the token see it?")
        return looked.repository.model_copy(update={"viewer": looked.viewer, "paths": tuple(paths)})

    async def pulls(self, ids: Sequence[str]) -> dict[str, PullState]:
        """Up to 100 pull requests by their node id, in one query; what is gone is left out.

        Raises Unavailable. Source: https://docs.github.com/en/graphql/reference/queries#nodes
        """
        data = await self._graphql.speak(documents.PULLS, {"ids": list(ids)}, may_lack="NOT_FOUND")
        return {pull.id: pull for pull in read(_Pulls, data).nodes if pull}

    async def propose(self, repository_id: str, proposal: Proposal) -> PullRequest:
        """Make what is missing of branch, commit and pull request, in one document.

        The commit expects the head that was seen, so nothing of anybody else is overwritten.
        Raises Unavailable when the world moved meanwhile: look again.
        """
        data = await self._graphql.speak(
            documents.PROPOSE,
            {
                "ref": {
                    "repositoryId": repository_id,
                    "name": f"refs/heads/{proposal.branch}",
                    "oid": proposal.base_sha,
                },
                "commit": self._commit(
                    proposal, proposal.branch, proposal.head_sha or proposal.base_sha
                ),
                "pull": {
                    "repositoryId": repository_id,
                    "baseRefName": proposal.base,
                    "headRefName": proposal.branch,
                    "title": proposal.title,
                    "body": proposal.body,
                },
                "needsBranch": proposal.head_sha is None,
                "needsCommit": not proposal.written,
            },
        )
        made = read(_Proposed, data)
        written = made.commit.commit.oid if made.commit else proposal.head_sha
        return made.pull.pull_request.model_copy(update={"head_sha": written})

    async def rewrite(self, repository_id: str, proposal: Proposal, pull: PullRequest) -> str:
        """Put our branch anew on the base, as one commit; the new head.

        The commit is made on a branch beside ours, which then moves in one atomic act that expects
        the head that was seen: a head that equals its base would close the pull request.
        Raises Unavailable when the world moved meanwhile: look again.
        Source: https://docs.github.com/en/graphql/reference/mutations#updaterefs
        """
        ours, beside = f"refs/heads/{proposal.branch}", f"refs/heads/{proposal.branch}.next"
        start = {"name": beside, "afterOid": proposal.base_sha, "force": True}
        data = await self._graphql.speak(
            documents.DRAFT,
            {
                "start": {"repositoryId": repository_id, "refUpdates": [start]},
                "commit": self._commit(proposal, f"{proposal.branch}.next", proposal.base_sha),
                "pull": {
                    "pullRequestId": pull.id,
                    "title": proposal.title,
                    "body": proposal.body,
                },
            },
        )
        sha = read(_Drafted, data).commit.commit.oid
        move = {"name": ours, "beforeOid": pull.head_sha, "afterOid": sha, "force": True}
        tidy = {"name": beside, "beforeOid": sha, "afterOid": NOTHING}
        await self._graphql.speak(
            documents.SWAP, {"input": {"repositoryId": repository_id, "refUpdates": [move, tidy]}}
        )
        return sha

    async def merge(self, pull_id: str, head_sha: str, method: str) -> None:
        """Merge at exactly this head. Raises Unavailable when the world moved meanwhile."""
        wish = {"pullRequestId": pull_id, "expectedHeadOid": head_sha, "mergeMethod": method}
        await self._graphql.speak(documents.MERGE, {"input": wish})

    async def merge_later(self, pull_id: str, head_sha: str, method: str) -> None:
        """Have GitHub merge this head as soon as its rules allow: GitHub's auto-merge."""
        wish = {"pullRequestId": pull_id, "expectedHeadOid": head_sha, "mergeMethod": method}
        await self._graphql.speak(documents.MERGE_LATER, {"input": wish})

    async def hold(self, pull_id: str) -> None:
        """Take the wish for auto-merge back."""
        await self._graphql.speak(documents.HOLD, {"input": {"pullRequestId": pull_id}})

    async def enqueue(self, pull_id: str, head_sha: str) -> None:
        """Put this head into the merge queue of its base."""
        wish = {"pullRequestId": pull_id, "expectedHeadOid": head_sha}
        await self._graphql.speak(documents.ENQUEUE, {"input": wish})

    async def close_pull(self, pull: SeenPull, comment: str) -> None:
        """Close a pull request with a sentence, and delete its branch."""
        await self._graphql.speak(
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
        await self._graphql.speak(documents.DELETE_BRANCH, {"input": {"refId": ref_id}})

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

    def _commit(self, proposal: Proposal, branch: str, head_sha: str) -> dict[str, object]:
        additions = [
            {"path": path, "contents": base64.b64encode(text.encode()).decode()}
            for path, text in proposal.files.items()
        ]
        return {
            "branch": {"repositoryNameWithOwner": self.repository, "branchName": branch},
            "expectedHeadOid": head_sha,
            "message": {"headline": proposal.title},
            "fileChanges": {"additions": additions},
        }
