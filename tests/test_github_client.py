"""GitHub's client: the list of errors is read, not the status, and nothing odd is a bug."""

import base64
import json

import httpx
import pytest
from pydantic import JsonValue, SecretStr

from bridge.errors import Refused, Unavailable
from bridge.github import documents
from bridge.github.auth import TokenAuth
from bridge.github.client import GitHub, Proposal
from bridge.github.sight import SeenPull
from tests.bridge_kit import NOW, Street

URL = "https://api.github.test"
STORE = "https://codeload.github.test/acme/model/abc?token=short-lived"
PULL: dict[str, JsonValue] = {
    "id": "PR_1",
    "number": 7,
    "url": "https://github.test/acme/model/pull/7",
    "state": "OPEN",
    "title": "Bump",
    "isCrossRepository": False,
    "headRefName": "bridge/m-0.1.1",
    "headRefOid": "c" * 40,
    "mergeable": "MERGEABLE",
    "merged": False,
    "mergedAt": None,
    "mergeCommit": None,
    "author": {"login": "bridge"},
    "mergedBy": None,
    "statusCheckRollup": {"state": "SUCCESS"},
    "headRef": {"id": "REF_1"},
}
REPOSITORY: dict[str, JsonValue] = {
    "id": "R_1",
    "base": {"target": {"oid": "a" * 40}},
    "baseFile": {"oid": "f", "text": "m==0.1.0\n", "isTruncated": False},
    "head": {"id": "REF_1", "target": {"oid": "c" * 40}},
    "headFile": None,
    "ours": {"nodes": [PULL]},
    "open": {"nodes": []},
}
PROPOSAL = Proposal("main", "a" * 40, "bridge/m-0.1.1", None, "req.txt", "m==0.1.1\n", "T", "B")


class Forge(Street):
    """GitHub as `says` tells it to answer the next GraphQL calls."""

    def __init__(self) -> None:
        super().__init__(URL, TokenAuth(SecretStr("made-up-token")))
        self.github = GitHub(self.door, "acme/model")
        self.graphql = self.router.post(f"{URL}/graphql")

    def says(self, data: JsonValue, *errors: dict[str, JsonValue]) -> None:
        body: dict[str, JsonValue] = {"data": data}
        self.graphql.respond(200, json={**body, "errors": [*errors]} if errors else body)

    def heard(self) -> tuple[str, dict[str, JsonValue]]:
        """The document and the variables of the last call."""
        told = json.loads(self.asked[-1].content)
        return told["query"], told["variables"]


@pytest.fixture
def forge() -> Forge:
    return Forge()


async def test_one_query_sees_everything(forge: Forge) -> None:
    forge.says({"repository": REPOSITORY})
    sight = await forge.github.look("main", "api/requirements.txt", "bridge/m-0.1.1")
    assert ("a" * 40, "c" * 40) == (sight.base_sha, sight.head_sha)
    assert ("m==0.1.0\n", None) == (sight.text, sight.head_text)
    assert sight.pull is not None
    assert ("SUCCESS", 7) == (sight.pull.checks, sight.pull.as_fact().number)
    document, variables = forge.heard()
    assert documents.LOOK == document
    assert "main:api/requirements.txt" == variables["baseFile"]
    assert "refs/heads/bridge/m-0.1.1" == variables["headRef"]
    request = forge.asked[0]
    assert "Bearer made-up-token" == request.headers["authorization"]
    assert "2022-11-28" == request.headers["x-github-api-version"]


async def test_what_is_not_there_is_none(forge: Forge) -> None:
    empty: JsonValue = {
        **REPOSITORY,
        "base": None,
        "baseFile": None,
        "head": None,
        "ours": {"nodes": []},
    }
    forge.says({"repository": empty})
    sight = await forge.github.look("main", "r", "b")
    assert (None, None, None, None) == (sight.base_sha, sight.head_sha, sight.text, sight.pull)


@pytest.mark.parametrize("blob", [{}, {"text": None, "isTruncated": False}])
async def test_a_file_that_is_no_text_is_none(forge: Forge, blob: JsonValue) -> None:
    forge.says({"repository": {**REPOSITORY, "baseFile": blob}})
    assert (await forge.github.look("main", "r", "b")).text is None


async def test_a_file_that_is_told_in_part_is_not_edited(forge: Forge) -> None:
    part: JsonValue = {"oid": "f", "text": "m==0.1.0\n", "isTruncated": True}
    forge.says({"repository": {**REPOSITORY, "baseFile": part}})
    assert (await forge.github.look("main", "r", "b")).text is None


async def test_the_open_pull_request_is_ours_before_a_closed_one(forge: Forge) -> None:
    pulls: JsonValue = [
        {**PULL, "number": 9, "state": "CLOSED"},
        {**PULL, "number": 8, "isCrossRepository": True},
        {**PULL, "number": 7},
    ]
    forge.says({"repository": {**REPOSITORY, "ours": {"nodes": pulls}}})
    seen = (await forge.github.look("main", "r", "b")).pull
    assert seen is not None
    assert 7 == seen.number


async def test_a_pull_request_of_a_fork_is_not_ours(forge: Forge) -> None:
    pulls: JsonValue = [{**PULL, "isCrossRepository": True}]
    forge.says({"repository": {**REPOSITORY, "ours": {"nodes": pulls}}})
    assert (await forge.github.look("main", "r", "b")).pull is None


async def test_a_proposal_makes_what_is_missing_in_one_document(forge: Forge) -> None:
    made: JsonValue = {
        "id": "PR_1",
        "number": 7,
        "url": "https://github.test/7",
        "headRefOid": "d" * 40,
    }
    forge.says({"branch": {}, "commit": {}, "pull": {"pullRequest": made}})
    assert "d" * 40 == (await forge.github.propose("R_1", PROPOSAL)).head_sha
    document, variables = forge.heard()
    assert documents.PROPOSE == document
    assert (True, True) == (variables["needsBranch"], variables["needsCommit"])
    commit = json.dumps(variables["commit"])
    assert base64.b64encode(b"m==0.1.1\n").decode() in commit
    assert json.dumps({"expectedHeadOid": "a" * 40})[1:-1] in commit


async def test_a_branch_that_is_there_is_adopted_at_its_own_head(forge: Forge) -> None:
    made: JsonValue = {
        "id": "PR_1",
        "number": 7,
        "url": "https://github.test/7",
        "headRefOid": "c" * 40,
    }
    forge.says({"pull": {"pullRequest": made}})
    there = Proposal("main", "a" * 40, "b", "c" * 40, "req.txt", None, "T", "B")
    await forge.github.propose("R_1", there)
    _, variables = forge.heard()
    assert (False, False) == (variables["needsBranch"], variables["needsCommit"])
    assert json.dumps({"expectedHeadOid": "c" * 40})[1:-1] in json.dumps(variables["commit"])


async def test_a_merge_expects_the_head_that_was_seen(forge: Forge) -> None:
    forge.says({"merge": {"pullRequest": {"merged": True, "mergeCommit": {"oid": "e" * 40}}}})
    await forge.github.merge("PR_1", "c" * 40)
    assert (
        documents.MERGE,
        {"input": {"pullRequestId": "PR_1", "expectedHeadOid": "c" * 40}},
    ) == forge.heard()


@pytest.mark.parametrize("ref", [{"id": "REF_9"}, None])
async def test_closing_deletes_the_branch_that_is_there(
    forge: Forge, ref: dict[str, str] | None
) -> None:
    forge.says({})
    pull = SeenPull.model_validate({**PULL, "headRef": ref})
    await forge.github.close_pull(pull, "It was superseded.")
    _, variables = forge.heard()
    assert (ref is not None) == variables["hasRef"]


@pytest.mark.parametrize(
    "error",
    [
        {
            "type": "STALE_DATA",
            "path": ["commit"],
            "message": 'Expected branch to point to "a" but it did not.  Pull and try again.',
        },
        {"type": "UNPROCESSABLE", "message": "A ref named x already exists in the repository."},
        {"type": "UNPROCESSABLE", "message": "Pull request is in clean status"},
        {"type": "RATE_LIMITED", "message": "API rate limit exceeded for user ID 1."},
        {"type": "SERVICE_UNAVAILABLE", "message": "Something went wrong"},
        {"message": "Something went wrong while executing your query."},
    ],
)
async def test_a_world_that_moved_is_looked_at_again(
    forge: Forge, error: dict[str, JsonValue]
) -> None:
    forge.says({"commit": None}, error)
    with pytest.raises(Unavailable, match="GitHub said"):
        await forge.github.propose("R_1", PROPOSAL)


async def test_a_spent_limit_says_when_to_come_back(forge: Forge) -> None:
    """GraphQL tells a spent limit with 200, and the moment of its renewal in the headers.

    Source: https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
    """
    forge.graphql.respond(
        200,
        json={"data": None, "errors": [{"type": "RATE_LIMITED", "message": "exceeded"}]},
        headers={
            "x-ratelimit-remaining": "0",
            "x-ratelimit-reset": str(int(NOW.timestamp()) + 600),
        },
    )
    with pytest.raises(Unavailable) as told:
        await forge.github.look("main", "r", "b")
    assert 600 == told.value.retry_after


@pytest.mark.parametrize("kind", ["FORBIDDEN", "INSUFFICIENT_SCOPES"])
async def test_what_github_forbids_is_refused(forge: Forge, kind: str) -> None:
    forge.says(None, {"type": kind, "message": "Resource not accessible by integration"})
    with pytest.raises(Refused, match="Resource not accessible by integration") as refusal:
        await forge.github.merge("PR_1", "c" * 40)
    assert "github_refused" == refusal.value.reason.code


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, json={"message": "Bad credentials"}),
        httpx.Response(403, json={"message": "secondary"}, headers={"retry-after": "60"}),
        httpx.Response(403, json={"message": "Resource not accessible by integration"}),
        httpx.Response(404, json={"message": "Not Found"}),
        httpx.Response(410, json={"message": "API version"}),
        httpx.Response(502, html="<h1>Unicorn</h1>"),
        httpx.Response(200, html="<h1>Sign in</h1>"),
        httpx.Response(200, text='{"data": {"repository": {"id": "R_'),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={}),
        httpx.Response(200, json={"data": None}),
        httpx.Response(200, json={"data": {"repository": None}}),
        httpx.Response(200, json={"data": {"repository": {"id": "R_1"}}}),
        httpx.Response(200, content=b"\xff\xfe"),
        httpx.Response(204),
        httpx.Response(301, headers={"location": "http://evil.test"}),
    ],
)
async def test_what_cannot_be_understood_is_unavailable(
    forge: Forge, answer: httpx.Response
) -> None:
    forge.graphql.mock(return_value=answer)
    with pytest.raises(Unavailable) as told:
        await forge.github.look("main", "r", "b")
    assert "made-up-token" not in str(told.value)
    assert 1 == forge.graphql.call_count
    expected = 60 if answer.headers.get("retry-after") else None
    assert expected == told.value.retry_after


async def test_a_tarball_comes_from_another_host_without_our_token(forge: Forge) -> None:
    forge.router.get(f"{URL}/repos/acme/model/tarball/abc").respond(
        302, headers={"location": STORE}
    )
    forge.router.get(STORE).respond(200, content=b"tar")
    assert b"tar" == await forge.github.tarball("abc")
    assert [True, False] == ["authorization" in request.headers for request in forge.asked]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (httpx.Response(404), None),
        (httpx.Response(302, headers={"location": STORE}), httpx.Response(403)),
        (httpx.Response(302, headers={"location": STORE}), httpx.Response(302)),
        (httpx.Response(302), None),
        (httpx.Response(302, headers={"location": "ftp://codeload.github.test/x"}), None),
    ],
)
async def test_a_tarball_that_does_not_come_is_unavailable(
    forge: Forge, first: httpx.Response, second: httpx.Response | None
) -> None:
    forge.router.get(f"{URL}/repos/acme/model/tarball/abc").mock(return_value=first)
    if second is not None:
        forge.router.get(STORE).mock(return_value=second)
    else:
        forge.router.get("ftp://codeload.github.test/x").mock(
            side_effect=httpx.UnsupportedProtocol("ftp")
        )
    with pytest.raises(Unavailable):
        await forge.github.tarball("abc")
