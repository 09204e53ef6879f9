"""The addresses of the simulated GitHub: GraphQL, the little REST that the bridge uses, pages."""

from collections.abc import Callable

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from bridge.rehearsal.github import access as access
from bridge.rehearsal.github.door import Answer, Asked, Door, Endpoint
from bridge.rehearsal.github.graphql import Execution, operation_name
from bridge.rehearsal.github.page import commit_page, pull_page
from bridge.rehearsal.github.pulls import Pulls
from bridge.rehearsal.github.state import Pull, Refusal, State, latest, rollup, unprocessable

NEWER = "2026-03-10"  # the API version in which REST lost these two
LOST_IN_NEWER = ("assignee", "merge_commit_sha")


class Question(BaseModel):
    query: str
    variables: dict[str, object] | None = None


class NewStatus(BaseModel):
    state: State
    context: str = "default"
    description: str | None = None
    target_url: str | None = None


class Labels(BaseModel):
    labels: list[str]


class Reviewers(BaseModel):
    reviewers: list[str] = []
    team_reviewers: list[str] = []


class Rest:
    """Answers for one repository; `bot` is the login of the App that holds the token."""

    def __init__(self, pulls: Pulls, door: Door, bot: str) -> None:
        self.pulls, self.door, self.bot = pulls, door, bot

    def routes(self) -> list[Route]:
        opened, api, page = self.door.endpoint, f"/repos/{self._name}", f"/{self._name}"
        tokens = f"/app/installations/{access.INSTALLATION}/access_tokens"
        return [
            post("/graphql", opened(name_of, self.graphql)),
            get(f"{api}/tarball", opened("tarball", self.tarball)),
            get(f"{api}/tarball/{{ref:path}}", opened("tarball", self.tarball)),
            get(
                f"/codeload{page}/legacy.tar.gz/{{ref:path}}",
                opened("codeload", self.codeload, "none"),
            ),
            post(f"{api}/statuses/{{sha}}", opened("createStatus", self.create_status)),
            get(f"{api}/commits/{{ref:path}}/status", opened("combinedStatus", self.combined)),
            get(f"{api}/compare/{{base}}...{{head}}", opened("compare", self.compare)),
            get(f"{api}/commits/{{sha}}/statuses", opened("listStatuses", self.list_statuses)),
            get(f"{api}/pulls/{{number:int}}", opened("pull", self.pull)),
            post(f"{api}/issues/{{number:int}}/labels", opened("addLabels", self.add_labels)),
            post(
                f"{api}/pulls/{{number:int}}/requested_reviewers",
                opened("requestReviewers", self.request_reviewers),
            ),
            get(f"{api}/installation", opened("installation", self.installation, "app")),
            post(tokens, opened("accessToken", self.access_token, "app")),
            get(f"{page}/pull/{{number:int}}", self.pull_page),
            get(f"{page}/commit/{{sha}}", self.commit_page),
        ]

    @property
    def _name(self) -> str:
        return self.pulls.shapes.full_name

    def graphql(self, asked: Asked) -> Answer:
        question = Question.model_validate_json(asked.body)
        with self.pulls.act():
            execution = Execution(self.pulls, self.bot, self.door.before)
            body = execution.run(question.query, question.variables or {})
        headers = {"x-ratelimit-resource": "graphql"}
        effects = tuple(execution.effects)
        return Answer(body, headers=headers, effects=effects, fault=execution.fault)

    def tarball(self, asked: Asked) -> Answer:
        sha = self._commit(asked.path.get("ref", "main"))
        shapes = self.pulls.shapes
        location = f"{shapes.url}/codeload/{self._name}/legacy.tar.gz/{sha}"
        return Answer(status=302, headers={"location": location})

    def codeload(self, asked: Asked) -> Answer:
        sha, shapes = self._commit(asked.path["ref"]), self.pulls.shapes
        prefix = f"{shapes.owner}-{shapes.name}-{sha[:7]}"
        headers = {
            "content-type": "application/x-gzip",
            "content-disposition": f"attachment; filename={prefix}.tar.gz",
        }
        return Answer(self.pulls.git.archive(sha, prefix), headers=headers)

    def create_status(self, asked: Asked) -> Answer:
        try:
            wish = NewStatus.model_validate_json(asked.body)
        except ValidationError as error:
            raise unprocessable("Validation Failed") from error
        sha = asked.path["sha"]
        one = self.pulls.set_status(
            sha, wish.state, wish.context, self.bot, wish.description, wish.target_url
        )
        creator = {"creator": self.pulls.shapes.user(self.bot)}
        return Answer(self.pulls.shapes.status(one) | creator, 201, effects=("createStatus",))

    def combined(self, asked: Asked) -> Answer:
        """REST has no word for "none" nor for "error": pending and failure stand for them."""
        sha, shapes = self._commit(asked.path["ref"]), self.pulls.shapes
        last = latest(self.pulls.statuses(sha))
        state = rollup(last) or "pending"
        return Answer(
            {
                "state": "failure" if state == "error" else state,
                "statuses": [shapes.status(one) for one in last],
                "sha": sha,
                "total_count": len(last),
                "repository": shapes.repository(),
                "commit_url": f"{shapes.api}/commits/{sha}",
                "url": f"{shapes.api}/commits/{sha}/status",
            }
        )

    def compare(self, asked: Asked) -> Answer:
        """Of what GitHub tells, only how the two stand to each other."""
        base, head = self._commit(asked.path["base"]), self._commit(asked.path["head"])
        ahead = self.pulls.git.contains(head, base)
        behind = self.pulls.git.contains(base, head)
        states = {(True, True): "identical", (True, False): "ahead", (False, True): "behind"}
        return Answer({"status": states.get((ahead, behind), "diverged")})

    def list_statuses(self, asked: Asked) -> Answer:
        """Newest first, those of an older word of the same context, too."""
        sha = asked.path["sha"]
        if self.pulls.git.resolve(sha) != sha:
            raise unprocessable(f"No commit found for SHA: {sha}")
        return Answer([self.pulls.shapes.status(one) for one in self.pulls.statuses(sha)[::-1]])

    def add_labels(self, asked: Asked) -> Answer:
        one, wish = self._pull(asked), Labels.model_validate_json(asked.body)
        self.pulls.label(one.number, self.bot, wish.labels)
        shapes = [self.pulls.shapes.label(name) for name in one.labels]
        return Answer(shapes, effects=("addLabels",))

    def request_reviewers(self, asked: Asked) -> Answer:
        one, wish = self._pull(asked), Reviewers.model_validate_json(asked.body)
        self.pulls.ask_for_review(one.number, self.bot, wish.reviewers, wish.team_reviewers)
        shape = self.pulls.pull_shape(one, one.merge_sha)
        return Answer(shape, 201, effects=("requestReviewers",))

    def pull(self, asked: Asked) -> Answer:
        one = self._pull(asked)
        shape = self.pulls.pull_shape(one, one.merge_sha)
        lost = LOST_IN_NEWER if asked.headers.get("x-github-api-version") == NEWER else ()
        return Answer({key: value for key, value in shape.items() if key not in lost})

    def installation(self, asked: Asked) -> Answer:
        return Answer(access.installation(self.pulls.shapes, self.bot))

    def access_token(self, asked: Asked) -> Answer:
        wanted = access.Wanted.model_validate_json(asked.body or b"{}")
        token = self.door.access.new_token(wanted, self.pulls.shapes.name)
        return Answer(token, 201, effects=("accessToken",))

    async def pull_page(self, request: Request) -> Response:
        return seen(lambda: pull_page(self.pulls, request.path_params["number"]))

    async def commit_page(self, request: Request) -> Response:
        return seen(lambda: commit_page(self.pulls, request.path_params["sha"]))

    def _pull(self, asked: Asked) -> Pull:
        one = self.pulls.pulls.get(int(asked.path["number"]))
        if one is None:
            raise Refusal("NOT_FOUND", "Not Found")
        return one

    def _commit(self, ref: str) -> str:
        sha = self.pulls.git.resolve(ref)
        if sha is None:
            raise Refusal("NOT_FOUND", "Not Found")
        return sha


def seen(page: Callable[[], str]) -> Response:
    try:
        return HTMLResponse(page())
    except Refusal as refusal:
        return HTMLResponse(refusal.message, 404)


def name_of(body: bytes) -> str:
    return operation_name(Question.model_validate_json(body).query)


def get(path: str, endpoint: Endpoint) -> Route:
    return Route(path, endpoint, methods=["GET"])


def post(path: str, endpoint: Endpoint) -> Route:
    return Route(path, endpoint, methods=["POST"])
