"""GitHub's client: the list of errors is read, not the status, and nothing odd is a bug."""

import base64
import hashlib
import json

import httpx
import pytest
from pydantic import JsonValue, SecretStr

from bridge.errors import Unavailable
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
    "isCrossRepository": False,
    "headRefOid": "c" * 40,
    "changedFiles": 1,
    "commits": {"totalCount": 1},
    "mergeable": "MERGEABLE",
    "mergeStateStatus": "CLEAN",
    "isDraft": False,
    "reviewDecision": None,
    "isInMergeQueue": False,
    "viewerCanEnableAutoMerge": False,
    "autoMergeRequest": None,
    "mergeCommit": None,
    "author": {"login": "bridge"},
    "mergedBy": None,
    "statusCheckRollup": {"state": "SUCCESS"},
    "headRef": {"id": "REF_1"},
}
PATH, LINK = "api/requirements.txt", 0o120000


def kept(text: str | None, mode: int = 0o100644, **changes: JsonValue) -> JsonValue:
    """A file as GitHub tells it."""
    data = (text or "").encode()
    oid = hashlib.sha1(b"blob %d\0%b" % (len(data), data), usedforsecurity=False).hexdigest()
    blob: dict[str, JsonValue] = {"oid": oid, "text": text, "isTruncated": False}
    return {"mode": mode, "object": {**blob, **changes}}


OLD, NEW = kept("m==0.1.0\n"), kept("m==0.1.1\n")
REPOSITORY: dict[str, JsonValue] = {
    "id": "R_1",
    "method": "SQUASH",
    "queue": None,
    "base": {"target": {"oid": "a" * 40, "file0": OLD}},
    "head": {
        "id": "REF_1",
        "target": {
            "oid": "c" * 40,
            "changedFilesIfAvailable": 1,
            "file0": None,
            "parents": {"nodes": [{"oid": "a" * 40, "file0": OLD}]},
        },
    },
    "ours": {"nodes": [PULL]},
}
VIEWER: JsonValue = {"login": "bridge"}
PROPOSAL = Proposal(
    "main", "a" * 40, "bridge/m-0.1.1", None, {"req.txt": "m==0.1.1\n"}, False, "T", "B"
)


class Forge(Street):
    """GitHub as `says` tells it to answer the next GraphQL calls."""

    def __init__(self) -> None:
        super().__init__(URL, TokenAuth(SecretStr("made-up-token")))
        self.github = GitHub(self.door, "acme/model", URL)
        self.graphql = self.router.post(f"{URL}/graphql")

    def shows(self, **changes: JsonValue) -> None:
        """The next look sees REPOSITORY with these changes."""
        self.says({"viewer": VIEWER, "repository": {**REPOSITORY, **changes}})

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
    forge.shows()
    sight = await forge.github.look("main", [PATH], "bridge/m-0.1.1")
    assert ("a" * 40, "c" * 40) == (sight.base_sha, sight.head_sha)
    assert {PATH: "m==0.1.0\n"} == sight.texts == sight.parent_texts
    assert {PATH: None} == sight.head_texts
    assert sight.pull is not None
    assert ("SUCCESS", 7, 1) == (
        sight.pull.checks,
        sight.pull.as_fact().number,
        sight.pull.changed_files,
    )
    document, variables = forge.heard()
    assert documents.LOOK == documents.look(1) == document
    assert PATH == variables["path0"]
    assert "refs/heads/bridge/m-0.1.1" == variables["headRef"]
    request = forge.asked[0]
    assert "Bearer made-up-token" == request.headers["authorization"]
    assert "2022-11-28" == request.headers["x-github-api-version"]


async def test_what_is_not_there_is_none(forge: Forge) -> None:
    forge.shows(base=None, head=None, ours={"nodes": []})
    sight = await forge.github.look("main", ["r"], "b")
    assert (None, None, None) == (sight.base_sha, sight.head_sha, sight.pull)
    assert {"r": None} == sight.texts == sight.head_texts == sight.parent_texts


@pytest.mark.parametrize(
    "file",
    [
        None,
        {"mode": 0o40000, "object": {"oid": "f"}},
        {"mode": 0o160000, "object": None},
        kept(None),
        kept("m==0.1.0\n", isTruncated=True),
        kept("../shared.txt", LINK),
        kept("m==0.1.0\n", LINK),
        kept("# caf\N{REPLACEMENT CHARACTER}\n", oid="f" * 40),
    ],
    ids=["gone", "folder", "submodule", "binary", "in part", "link", "sly link", "other bytes"],
)
async def test_only_a_plain_file_told_whole_is_edited(forge: Forge, file: JsonValue) -> None:
    forge.shows(base={"target": {"oid": "a" * 40, "file0": file}})
    assert {"r": None} == (await forge.github.look("main", ["r"], "b")).texts


async def test_several_files_are_seen_in_one_query_each_at_its_place(forge: Forge) -> None:
    paths = [f"{number}.txt" for number in range(11)]
    files = {f"file{number}": kept(f"{number}\n") for number in reversed(range(11))}
    forge.shows(base={"target": {"oid": "a" * 40, **files}}, head=None)
    sight = await forge.github.look("main", paths, "b")
    assert {path: f"{path[:-4]}\n" for path in paths} == sight.texts
    document, variables = forge.heard()
    assert documents.look(11) == document
    assert paths == [variables[f"path{number}"] for number in range(11)]
    assert 1 == len(forge.asked)


async def test_the_open_pull_request_is_ours_before_a_closed_one(forge: Forge) -> None:
    pulls: JsonValue = [
        {**PULL, "number": 9, "state": "CLOSED"},
        {**PULL, "number": 8, "isCrossRepository": True},
        {**PULL, "number": 7},
    ]
    forge.shows(ours={"nodes": pulls})
    seen = (await forge.github.look("main", ["r"], "b")).pull
    assert seen is not None
    assert 7 == seen.number


@pytest.mark.parametrize(
    "look_alike",
    [
        {"isCrossRepository": True},
        {"author": {"login": "mallory"}},
        {"author": {"login": "bridge-2"}},
        {"author": None},
    ],
)
async def test_a_pull_request_of_a_fork_or_of_somebody_else_is_not_ours(
    forge: Forge, look_alike: dict[str, JsonValue]
) -> None:
    forge.shows(ours={"nodes": [{**PULL, **look_alike}]})
    assert (await forge.github.look("main", ["r"], "b")).pull is None


@pytest.mark.parametrize(
    ("viewer", "author"),
    [("bridge", "bridge[bot]"), ("bridge[bot]", "bridge"), ("bridge[bot]", "bridge[bot]")],
)
async def test_a_bot_is_itself_however_its_login_is_told(
    forge: Forge, viewer: str, author: str
) -> None:
    mine: JsonValue = {**REPOSITORY, "ours": {"nodes": [{**PULL, "author": {"login": author}}]}}
    forge.says({"viewer": {"login": viewer}, "repository": mine})
    assert (await forge.github.look("main", ["r"], "b")).pull is not None


@pytest.mark.parametrize(
    ("commit", "file", "is_ours"),
    [
        ({}, NEW, True),
        ({}, kept("m==9.9.9\n"), False),
        ({}, kept("m==0.1.1\n", 0o100755), False),
        ({"changedFilesIfAvailable": 2}, NEW, False),
        ({"changedFilesIfAvailable": None}, NEW, False),
        ({"parents": {"nodes": []}}, NEW, False),
        ({"parents": {"nodes": [{"oid": "a" * 40, "file0": NEW}]}}, NEW, False),
        ({"parents": {"nodes": [{"oid": one * 40, "file0": OLD} for one in "ab"]}}, NEW, False),
    ],
)
async def test_a_branch_is_ours_if_it_is_one_commit_that_only_makes_the_file(
    forge: Forge, commit: dict[str, JsonValue], file: JsonValue, is_ours: bool
) -> None:
    one: dict[str, JsonValue] = {
        "oid": "c" * 40,
        "changedFilesIfAvailable": 1,
        "file0": file,
        "parents": {"nodes": [{"oid": "a" * 40, "file0": OLD}]},
    }
    head: JsonValue = {"id": "REF_1", "target": {**one, **commit}}
    forge.shows(head=head)
    sight = await forge.github.look("main", ["r"], "b")
    assert is_ours == sight.head_is_only({"r": "m==0.1.1\n"})


async def test_a_proposal_makes_what_is_missing_in_one_document(forge: Forge) -> None:
    made: JsonValue = {
        "id": "PR_1",
        "number": 7,
        "url": "https://github.test/7",
        "headRefOid": "e" * 40,
    }
    written: JsonValue = {"commit": {"oid": "d" * 40, "url": "https://github.test/d"}}
    forge.says({"branch": {}, "commit": written, "pull": {"pullRequest": made}})
    pull = await forge.github.propose("R_1", PROPOSAL)
    assert "d" * 40 == pull.head_sha, "what we wrote, not what the pull request shows by now"
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
    there = Proposal("main", "a" * 40, "b", "c" * 40, {"req.txt": "m==0.1.1\n"}, True, "T", "B")
    assert "c" * 40 == (await forge.github.propose("R_1", there)).head_sha
    _, variables = forge.heard()
    assert (False, False) == (variables["needsBranch"], variables["needsCommit"])
    assert json.dumps({"expectedHeadOid": "c" * 40})[1:-1] in json.dumps(variables["commit"])


async def test_a_merge_expects_the_head_that_was_seen(forge: Forge) -> None:
    forge.says({"merge": {"pullRequest": {"merged": True, "mergeCommit": {"oid": "e" * 40}}}})
    await forge.github.merge("PR_1", "c" * 40, "SQUASH")
    assert (
        documents.MERGE,
        {
            "input": {
                "pullRequestId": "PR_1",
                "expectedHeadOid": "c" * 40,
                "mergeMethod": "SQUASH",
            }
        },
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
        {"type": "NOT_FOUND", "message": "Could not resolve to a Repository."},
        {"type": "FORBIDDEN", "message": "Resource not accessible by integration"},
        {"type": "INSUFFICIENT_SCOPES", "message": "Your token has not been granted the scopes."},
    ],
)
async def test_nothing_that_github_says_is_final(forge: Forge, error: dict[str, JsonValue]) -> None:
    forge.says({"commit": None}, error)
    with pytest.raises(Unavailable, match="GitHub said") as told:
        await forge.github.propose("R_1", PROPOSAL)
    assert str(error["message"]) in str(told.value)
    assert told.value.answered


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
        await forge.github.look("main", ["r"], "b")
    assert 600 == told.value.retry_after


@pytest.mark.parametrize(
    ("rest", "graphql"),
    [
        ("https://api.github.test", "https://api.github.test/graphql"),
        ("https://github.example/api/v3", "https://github.example/api/graphql"),
        ("https://github.example/api/v3/", "https://github.example/api/graphql"),
    ],
)
async def test_graphql_lies_beside_the_rest_api(rest: str, graphql: str) -> None:
    street = Street(rest)
    route = street.router.post(graphql)
    route.respond(200, json={"data": {"viewer": VIEWER, "repository": REPOSITORY}})
    await GitHub(street.door, "acme/model", rest).look("main", ["r"], "b")
    assert 1 == route.call_count


async def test_a_lost_reply_was_no_answer(forge: Forge) -> None:
    forge.graphql.mock(side_effect=httpx.ReadTimeout("lost"))
    with pytest.raises(Unavailable) as told:
        await forge.github.merge("PR_1", "c" * 40, "SQUASH")
    assert not told.value.answered
    assert 1 == forge.graphql.call_count


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
        httpx.Response(200, json={"data": {"viewer": {"login": "b"}, "repository": None}}),
        httpx.Response(200, json={"data": {"viewer": {"login": "b"}, "repository": {"id": "R_1"}}}),
        httpx.Response(200, json={"data": {"repository": REPOSITORY}}),
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
        await forge.github.look("main", ["r"], "b")
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


async def test_the_gate_is_set_by_rest_at_one_commit(forge: Forge) -> None:
    route = forge.router.post(f"{URL}/repos/acme/model/statuses/{'c' * 40}")
    route.respond(201, json={})
    await forge.github.set_status(
        "c" * 40, "bridge/gate", "failure", "Gate broken.", "https://bridge.test/1"
    )
    assert {
        "state": "failure",
        "context": "bridge/gate",
        "description": "Gate broken.",
        "target_url": "https://bridge.test/1",
    } == json.loads(forge.asked[0].content)


@pytest.mark.parametrize("status", [200, 403, 404, 422])
async def test_a_gate_that_is_not_taken_is_unavailable(forge: Forge, status: int) -> None:
    forge.router.post(f"{URL}/repos/acme/model/statuses/abc").respond(status, json={})
    with pytest.raises(Unavailable, match="may the token write commit statuses"):
        await forge.github.set_status(
            "abc", "bridge/gate", "success", "Better.", "https://b.test/1"
        )


async def test_people_and_teams_are_asked_by_name(forge: Forge) -> None:
    labels = forge.router.post(f"{URL}/repos/acme/model/issues/7/labels").respond(200, json=[])
    asked = forge.router.post(f"{URL}/repos/acme/model/pulls/7/requested_reviewers")
    asked.respond(422, json={"message": "not a collaborator"})
    await forge.github.ask_for(7, ["model"], ["octocat", "acme/ml"])
    assert {"labels": ["model"]} == json.loads(labels.calls[0].request.content)
    wanted = {"reviewers": ["octocat"], "team_reviewers": ["ml"]}
    assert wanted == json.loads(asked.calls[0].request.content)


async def test_our_own_gate_is_seen_and_not_counted_as_a_check(forge: Forge) -> None:
    gate: JsonValue = {"context": {"state": "SUCCESS", "description": "Better."}}
    target: JsonValue = {"oid": "c" * 40, "status": gate}
    for count, checks in ((1, None), (2, "SUCCESS")):
        rollup: JsonValue = {"state": "SUCCESS", "contexts": {"totalCount": count}}
        forge.shows(
            head={"id": "REF_1", "target": target},
            ours={"nodes": [{**PULL, "statusCheckRollup": rollup}]},
        )
        sight = await forge.github.look("main", "r", "b")
        assert sight.gate
        assert ("SUCCESS", "Better.") == (sight.gate.state, sight.gate.description)
        assert checks == sight.checks
