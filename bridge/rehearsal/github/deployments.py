"""Deployments at the simulated GitHub, and what is said of them.

Source: https://docs.github.com/en/rest/deployments
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.routing import Route

from bridge.rehearsal.github.accounts import Json, iso
from bridge.rehearsal.github.door import Answer, Asked, Door
from bridge.rehearsal.github.pulls import Pulls
from bridge.rehearsal.github.state import Refusal, rollup, unprocessable

Wish = TypeVar("Wish", bound=BaseModel)
State = Literal["error", "failure", "inactive", "in_progress", "queued", "pending", "success"]


class NewDeployment(BaseModel):
    ref: str
    task: str = "deploy"
    environment: str = "production"
    description: str | None = None
    auto_merge: bool = True
    required_contexts: list[str] | None = None


class NewDeploymentStatus(BaseModel):
    state: State
    description: str | None = None
    log_url: str = ""
    environment_url: str = ""
    auto_inactive: bool = True


@dataclass(frozen=True)
class DeploymentStatus:
    number: int
    wish: NewDeploymentStatus
    at: datetime


@dataclass
class Deployment:
    number: int
    sha: str
    wish: NewDeployment
    at: datetime
    statuses: list[DeploymentStatus] = field(default_factory=list)

    @property
    def states(self) -> list[State]:
        """All that it ever said, oldest first."""
        return [one.wish.state for one in self.statuses]


class Deployments:
    """All of one repository, oldest first."""

    def __init__(self, pulls: Pulls, door: Door, bot: str, clock: Callable[[], datetime]) -> None:
        self._pulls, self._door, self._bot, self._clock = pulls, door, bot, clock
        self.all: list[Deployment] = []

    def routes(self) -> list[Route]:
        top = f"/repos/{self._pulls.shapes.full_name}/deployments"
        statuses, one = f"{top}/{{number:int}}/statuses", self._door.endpoint
        return [
            Route(top, one("listDeployments", self.list), methods=["GET"]),
            Route(top, one("createDeployment", self.create), methods=["POST"]),
            Route(statuses, one("listDeploymentStatuses", self.list_statuses), methods=["GET"]),
            Route(statuses, one("createDeploymentStatus", self.create_status), methods=["POST"]),
        ]

    def list(self, asked: Asked) -> Answer:
        def fits(one: Deployment) -> bool:
            has = {"sha": one.sha, "task": one.wish.task, "environment": one.wish.environment}
            return all(asked.query.get(name, value) == value for name, value in has.items())

        return Answer([self._shape(one) for one in reversed(self.all) if fits(one)])

    def create(self, asked: Asked) -> Answer:
        wish = _read(NewDeployment, asked)
        sha = self._pulls.git.resolve(wish.ref)
        if sha is None:
            raise unprocessable(f"No ref found for: {wish.ref}")
        if wish.required_contexts is None and rollup(self._pulls.statuses(sha)) not in (
            None,
            "success",
        ):
            body = {"message": "Conflict: Commit status checks failed for this ref."}
            return Answer(body, 409)
        one = Deployment(len(self.all) + 1, sha, wish, self._clock())
        self.all.append(one)
        return Answer(self._shape(one), 201, effects=("createDeployment",))

    def list_statuses(self, asked: Asked) -> Answer:
        one = self._find(asked)
        shapes = [self._status(one, status) for status in reversed(one.statuses)]
        return Answer(shapes[: int(asked.query.get("per_page", "30"))])

    def create_status(self, asked: Asked) -> Answer:
        one, wish = self._find(asked), _read(NewDeploymentStatus, asked)
        if len(wish.description or "") > 140:
            raise unprocessable("Validation Failed")
        status = self._say(one, wish)
        if wish.state == "success" and wish.auto_inactive:
            self._retire_others(one)
        return Answer(self._status(one, status), 201, effects=("createDeploymentStatus",))

    def _retire_others(self, new: Deployment) -> None:
        """GitHub does so for every environment but one that is called production."""
        where = new.wish.environment
        for one in self.all:
            active = one.states and one.states[-1] == "success"
            if active and one is not new and one.wish.environment == where != "production":
                self._say(one, NewDeploymentStatus(state="inactive"))

    def _say(self, one: Deployment, wish: NewDeploymentStatus) -> DeploymentStatus:
        number = sum(len(each.statuses) for each in self.all) + 1
        one.statuses.append(DeploymentStatus(number, wish, self._clock()))
        return one.statuses[-1]

    def _find(self, asked: Asked) -> Deployment:
        number = int(asked.path["number"])
        if not 1 <= number <= len(self.all):
            raise Refusal("NOT_FOUND", "Not Found")
        return self.all[number - 1]

    def _shape(self, one: Deployment) -> Json:
        shapes, wish = self._pulls.shapes, one.wish
        url = f"{shapes.api}/deployments/{one.number}"
        return {
            "url": url,
            "id": one.number,
            "node_id": f"DE_rehearsal{one.number}",
            "sha": one.sha,
            "ref": wish.ref,
            "task": wish.task,
            "payload": {},
            "original_environment": wish.environment,
            "environment": wish.environment,
            "description": wish.description,
            "creator": shapes.user(self._bot),
            "created_at": iso(one.at),
            "updated_at": iso(one.statuses[-1].at if one.statuses else one.at),
            "statuses_url": f"{url}/statuses",
            "repository_url": shapes.api,
            "transient_environment": False,
            "production_environment": wish.environment == "production",
        }

    def _status(self, one: Deployment, status: DeploymentStatus) -> Json:
        shapes, wish = self._pulls.shapes, status.wish
        url = f"{shapes.api}/deployments/{one.number}"
        return {
            "url": f"{url}/statuses/{status.number}",
            "id": status.number,
            "node_id": f"DES_rehearsal{status.number}",
            "state": wish.state,
            "creator": shapes.user(self._bot),
            "description": wish.description or "",
            "environment": one.wish.environment,
            "environment_url": wish.environment_url,
            "log_url": wish.log_url,
            "target_url": wish.log_url,
            "created_at": iso(status.at),
            "updated_at": iso(status.at),
            "deployment_url": url,
            "repository_url": shapes.api,
        }


def _read(model: type[Wish], asked: Asked) -> Wish:
    try:
        return model.model_validate_json(asked.body)
    except ValidationError as error:
        raise unprocessable("Validation Failed") from error
