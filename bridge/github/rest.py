"""What GitHub takes by REST alone: commit statuses, labels and reviewers, deployments.

GraphQL deploys a branch by its node id, REST a commit by its sha, which is what was merged.
Source: https://docs.github.com/en/rest/deployments/deployments
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from httpx import Response
from pydantic import BaseModel, TypeAdapter, ValidationError

from bridge.errors import Refused, Unavailable
from bridge.github.graphql import API_VERSION
from bridge.kit.http import Door
from bridge.sentences import capped, say

LONGEST_DESCRIPTION = 140
COURTESY_WITHIN = 5.0
"""So many seconds an answer is waited for that no release depends on."""
Answer = TypeVar("Answer")


class Told(BaseModel):
    """What a commit status or a deployment status says."""

    state: str
    context: str | None = None


class Deployment(BaseModel):
    """A deployment as GitHub has it; it says nothing by itself, its newest status does."""

    id: int


class _Compared(BaseModel):
    status: str


class Rest:
    """The REST part of one repository (`owner/name`)."""

    def __init__(self, door: Door, repository: str) -> None:
        self._door = door
        self.repository = repository

    async def set_status(self, sha: str, context: str, state: str, why: str, page: str) -> None:
        """Set a commit status, which GraphQL cannot. Raises Unavailable."""
        told = {"state": state, "context": context, "target_url": page}
        told["description"] = capped(why, LONGEST_DESCRIPTION)
        answer = await self._post(f"statuses/{sha}", told)
        if answer.status_code != 201:
            what = f"GitHub answered {answer.status_code} to the status {context}"
            raise Unavailable(f"{what}; may the token write commit statuses?")

    async def statuses(self, sha: str) -> list[Told] | None:
        """What is said of a commit, newest first; None where the repository has no such commit.

        Raises Unavailable.
        """
        answer = await self._get(f"commits/{sha}/statuses?per_page=100")
        return None if answer.status_code in (404, 422) else _read(list[Told], answer)

    async def contains(self, commit: str, sha: str) -> bool:
        """Whether `sha` is `commit` or came before it; False where GitHub knows one of them not.

        Raises Unavailable. Source: https://docs.github.com/en/rest/commits/commits
        """
        answer = await self._get(f"compare/{sha}...{commit}?per_page=1")
        if answer.status_code in (404, 422):
            return False
        return _read(_Compared, answer).status in ("ahead", "identical")

    async def ask_for(self, number: int, labels: Sequence[str], reviewers: Sequence[str]) -> None:
        """Label a pull request and ask people, and teams (`acme/ml`), for a review: by name, where
        GraphQL wants ids. Raises Unavailable only for no answer."""
        people = [name for name in reviewers if "/" not in name]
        teams = [name.partition("/")[2] for name in reviewers if "/" in name]
        if labels:
            await self._post(f"issues/{number}/labels", {"labels": list(labels)})
        if reviewers:
            wanted = {"reviewers": people, "team_reviewers": teams}
            await self._post(f"pulls/{number}/requested_reviewers", wanted)

    async def deployment(self, sha: str, environment: str, task: str) -> Deployment | None:
        """The deployment of this name, if it was made. Raises Unavailable, and Refused where the
        token may not see deployments."""
        found = await self._get(
            "deployments", {"sha": sha, "environment": environment, "task": task}
        )
        return next(iter(_read(list[Deployment], self._allowed(found))), None)

    async def create_deployment(
        self, sha: str, environment: str, task: str, description: str
    ) -> Deployment:
        """Make a deployment of just this commit: GitHub would else merge the base into it, and
        wait for every check of it. Raises Unavailable and Refused."""
        wish = {
            "ref": sha,
            "environment": environment,
            "task": task,
            "description": capped(description, LONGEST_DESCRIPTION),
            "auto_merge": False,
            "required_contexts": [],
        }
        return _read(Deployment, self._allowed(await self._post("deployments", wish)))

    async def deployment_status(self, deployment: Deployment) -> Told | None:
        """What a deployment says now. Raises Unavailable and Refused."""
        path = f"deployments/{deployment.id}/statuses?per_page=1"
        return next(iter(_read(list[Told], self._allowed(await self._get(path)))), None)

    async def set_deployment_status(
        self, deployment: Deployment, state: str, why: str, page: str, url: str
    ) -> None:
        """Have a deployment say something else. `success` makes GitHub say `inactive` of the others
        of its environment. Raises Unavailable and Refused."""
        told = {"state": state, "log_url": page, "environment_url": url}
        told["description"] = capped(why, LONGEST_DESCRIPTION)
        path = f"deployments/{deployment.id}/statuses"
        _read(Told, self._allowed(await self._post(path, told)))

    def _allowed(self, answer: Response) -> Response:
        if answer.status_code in (403, 404):
            raise Refused(say("deployments_hidden", repository=self.repository))
        return answer

    async def _get(self, path: str, params: Mapping[str, str] | None = None) -> Response:
        version = {"x-github-api-version": API_VERSION}
        url = f"/repos/{self.repository}/{path}"
        return await self._door.ask(
            "GET", url, params=params, headers=version, within=COURTESY_WITHIN
        )

    async def _post(self, path: str, told: Mapping[str, object]) -> Response:
        version = {"x-github-api-version": API_VERSION}
        url = f"/repos/{self.repository}/{path}"
        return await self._door.ask("POST", url, json=told, headers=version)


def _read(model: type[Answer], answer: Response) -> Answer:
    if not answer.is_success:
        raise Unavailable(f"GitHub answered {answer.status_code} about {answer.request.url.path}")
    try:
        return TypeAdapter(model).validate_json(answer.content)
    except ValidationError as error:
        raise Unavailable("GitHub sent an answer that cannot be read") from error
