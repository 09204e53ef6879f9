"""The rehearsal's GitHub: who may call, REST, pages, and how it misbehaves on request."""

import io
import tarfile
from datetime import timedelta
from pathlib import Path

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bridge.rehearsal.gate import Fault
from bridge.rehearsal.github import APP_ID, BOT, INSTALLATION, Refusal, State
from tests.rehearsal_github_kit import BEARER, BRANCH, FILE, NAME, NEW, Town
from tests.rehearsal_kit import served

API = f"/repos/{NAME}"
TOKENS = f"/app/installations/{INSTALLATION}/access_tokens"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


@pytest.fixture
def app(town: Town) -> Town:
    """The town, where an App with a key of its own has been made."""
    town.github.app_public_key = PUBLIC.decode()
    return town


def signed(town: Town, issuer: str = APP_ID, life: int = 540, age: int = 60) -> dict[str, str]:
    now = town.now
    claims = {"iss": issuer, "iat": now - timedelta(seconds=age)}
    proof = jwt.encode(claims | {"exp": now + timedelta(seconds=life)}, KEY, algorithm="RS256")
    return {"authorization": f"Bearer {proof}"}


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic token-made-up"}]
)
def test_nobody_gets_in_without_the_token(town: Town, headers: dict[str, str]) -> None:
    body = {"query": "query Q { repository(owner: 1, name: 2) { id } }"}
    for response in (
        town.ask("POST", "/graphql", body, headers),
        town.ask("GET", f"{API}/pulls/1", None, headers),
        town.ask("GET", f"{API}/tarball/main", None, headers),
    ):
        assert (response.status_code, response.json()["message"]) == (401, "Bad credentials")


def test_an_app_proves_itself_and_gets_a_token_for_an_hour(app: Town) -> None:
    found = app.ask("GET", f"{API}/installation", headers=signed(app))
    assert found.json()["id"] == INSTALLATION
    made = app.ask("POST", TOKENS, {"permissions": {"contents": "write"}}, signed(app))
    assert made.status_code == 201
    assert made.json()["expires_at"] == "2026-11-22T13:00:00Z"
    assert made.json()["permissions"] == {"contents": "write"}
    bearer = {"authorization": f"Bearer {made.json()['token']}"}
    assert app.ask("GET", f"{API}/tarball/main", None, bearer).status_code == 302
    app.now += timedelta(hours=1)
    assert app.ask("GET", f"{API}/tarball/main", None, bearer).status_code == 401


@pytest.mark.parametrize(
    ("issuer", "life", "age"),
    [("another-app", 540, 60), (APP_ID, 0, 60), (APP_ID, 601, 60), (APP_ID, 540, -1)],
    ids=["another App's", "too old", "too long", "from the future"],
)
def test_a_doubtful_proof_is_refused(app: Town, issuer: str, life: int, age: int) -> None:
    response = app.ask("POST", TOKENS, {}, signed(app, issuer, life, age))
    assert response.status_code == 401


def test_a_proof_by_another_key_is_refused(town: Town) -> None:
    assert town.ask("POST", TOKENS, {}, signed(town)).status_code == 401
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    town.github.app_public_key = other.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()
    assert town.ask("POST", TOKENS, {}, signed(town)).status_code == 401


@pytest.mark.parametrize(
    "wish",
    [{"permissions": {"checks": "write"}}, {"permissions": {"x": "read"}}, {"repositories": ["x"]}],
)
def test_an_app_gets_no_more_than_it_was_given(app: Town, wish: dict[str, object]) -> None:
    assert app.ask("POST", TOKENS, wish, signed(app)).status_code == 422


def test_a_tarball_is_a_redirect_to_what_git_archives(town: Town) -> None:
    head = town.proposed()
    for name in (BRANCH, head):
        first = town.ask("GET", f"{API}/tarball/{name}")
        assert first.status_code == 302
        packed = town.ask("GET", first.headers["location"], headers={})
        with tarfile.open(fileobj=io.BytesIO(packed.content)) as archive:
            found = archive.extractfile(f"acme-model-deployment-{head[:7]}/{FILE}")
            assert found is not None
            assert found.read() == NEW
    assert town.ask("GET", f"{API}/tarball/no-such-branch").status_code == 404


def test_a_status_is_kept_and_told(town: Town) -> None:
    body = {"state": "success", "context": "ci", "description": "passed"}
    response = town.ask("POST", f"{API}/statuses/{town.root}", body)
    assert (response.status_code, response.json()["creator"]["login"]) == (201, BOT)
    assert [one.context for one in town.github.statuses(town.root)] == ["ci"]
    (told,) = town.told("status")
    assert (told["state"], told["branches"][0]["name"]) == ("success", "main")
    for path, wrong in (("0" * 40, body), (town.root, {"state": "fine"})):
        assert town.ask("POST", f"{API}/statuses/{path}", wrong).status_code == 422


def test_the_combined_status_knows_neither_none_nor_error(town: Town) -> None:
    path = f"{API}/commits/main/status"
    assert town.ask("GET", path).json()["state"] == "pending"
    town.github.set_status(town.root, "error", "ci", "circleci")
    assert town.ask("GET", path).json()["state"] == "failure"


def test_rest_reads_with_an_independent_clients_models(app: Town) -> None:
    """githubkit's models are made from GitHub's published description."""
    from githubkit_schemas.latest import models

    head = app.proposed()
    status = app.ask("POST", f"{API}/statuses/{head}", {"state": "pending"})
    models.Status.model_validate_json(status.content)
    combined = app.ask("GET", f"{API}/commits/{head}/status").content
    models.CombinedCommitStatus.model_validate_json(combined)
    app.github.merge(1, "ann")
    pull = models.PullRequest.model_validate_json(app.ask("GET", f"{API}/pulls/1").content)
    assert (pull.merged, pull.head.sha, pull.user.login) == (True, head, BOT)
    found = app.ask("GET", f"{API}/installation", headers=signed(app)).content
    models.Installation.model_validate_json(found)
    made = app.ask("POST", TOKENS, {}, signed(app)).content
    models.InstallationToken.model_validate_json(made)


def test_rest_of_the_newer_version_has_no_merge_sha(town: Town) -> None:
    town.proposed()
    newer = BEARER | {"x-github-api-version": "2026-03-10"}
    assert "merge_commit_sha" in town.ask("GET", f"{API}/pulls/1").json()
    assert "merge_commit_sha" not in town.ask("GET", f"{API}/pulls/1", None, newer).json()
    assert town.ask("GET", f"{API}/pulls/2").status_code == 404


def test_every_answer_says_how_many_calls_are_left(town: Town) -> None:
    left = [
        int(town.ask("GET", f"{API}/tarball/main").headers["x-ratelimit-remaining"])
        for _ in range(2)
    ]
    assert left == [4999, 4998]


def test_a_lost_reply_leaves_one_effect(town: Town) -> None:
    town.github.before = lambda name: Fault("lost_reply") if name == "Propose" else None
    with pytest.raises(httpx.TransportError):
        town.propose()
    assert len(town.look()["ours"]["nodes"]) == 1
    town.github.before = lambda name: None
    assert len(town.propose().errors) == 3
    effects = [one for call in town.github.calls for one in call.effects]
    assert effects.count("createPullRequest") == 1


def test_a_reply_lost_at_a_field_ends_the_document_there(town: Town) -> None:
    name = "createCommitOnBranch"
    town.github.before = lambda asked: Fault("lost_reply") if asked == name else None
    with pytest.raises(httpx.TransportError):
        town.propose()
    assert town.github.calls[-1].effects == ("createRef", name)
    assert town.github.pulls == {}


@pytest.mark.parametrize(
    ("name", "effects"), [("Propose", ()), ("createCommitOnBranch", ("createRef",))]
)
def test_a_refusal_is_answered_instead(town: Town, name: str, effects: tuple[str, ...]) -> None:
    slow = Fault("refuse", 403, {"message": "slow down"}, {"retry-after": "60"})
    town.github.before = lambda asked: slow if asked == name else None
    with pytest.raises(AssertionError, match="slow down"):
        town.propose()
    assert (town.github.calls[-1].effects, town.github.calls[-1].status) == (effects, 403)
    body = {"query": 'query Propose { repository(owner: "acme", name: "x") { id } }'}
    town.github.before = lambda asked: slow
    assert town.ask("POST", "/graphql", body).headers["retry-after"] == "60"


async def test_over_a_socket_a_lost_reply_is_a_lost_connection(town: Town) -> None:
    town.github.before = lambda name: Fault("lost_reply") if name == "tarball" else None
    async with served(town.github.app) as port:
        client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=BEARER)
        async with client:
            with pytest.raises(httpx.TransportError):
                await client.get(f"{API}/tarball/main")
            assert (await client.get(f"{API}/commits/main/status")).status_code == 200


def test_a_pull_request_can_be_read_by_a_person(town: Town) -> None:
    head = town.proposed()
    town.github.comment(1, "ann", "<b>Looks</b> good")
    town.github.merge(1, "ann")
    response = town.ask("GET", f"/{NAME}/pull/1", headers={})
    assert response.headers["content-type"].startswith("text/html")
    for words in ("Bump &lt;regression-model&gt; #1", "From 0.1.0 &amp; on", "merged by ann"):
        assert words in response.text
    assert f"+{NEW.decode()}" in response.text
    assert "<b>" not in response.text
    commit = town.ask("GET", f"/{NAME}/commit/{head}", headers={}).text
    assert f"+{NEW.decode()}" in commit
    for path in ("pull/9", f"commit/{'0' * 40}", "commit/--all"):
        assert town.ask("GET", f"/{NAME}/{path}", headers={}).status_code == 404


def test_labels_and_reviewers_by_name(town: Town) -> None:
    town.proposed()
    made = town.ask("POST", f"{API}/issues/1/labels", {"labels": ["model", "model"]})
    assert [200, ["model"]] == [made.status_code, [one["name"] for one in made.json()]]
    wish = {"reviewers": ["octocat"], "team_reviewers": ["ml"]}
    asked = town.ask("POST", f"{API}/pulls/1/requested_reviewers", wish)
    assert 201 == asked.status_code
    told = asked.json()
    assert ["octocat"] == [one["login"] for one in told["requested_reviewers"]]
    assert ["ml"] == [one["slug"] for one in told["requested_teams"]]
    assert ["model"] == [one["name"] for one in told["labels"]]
    assert "review_requested" == town.told("pull_request")[-1]["action"]


@pytest.mark.parametrize("wish", [{"reviewers": ["stranger"]}, {"team_reviewers": ["nobody"]}])
def test_a_stranger_is_not_asked_for_a_review(town: Town, wish: dict[str, list[str]]) -> None:
    town.proposed()
    refused = town.ask("POST", f"{API}/pulls/1/requested_reviewers", wish)
    assert 422 == refused.status_code
    assert [] == town.github.pulls[1].reviewers


def test_a_required_status_holds_the_merge_button_but_no_administrator(town: Town) -> None:
    head = town.proposed()
    town.github.rules.checks = {"bridge/gate"}
    town.github.set_status(head, "failure", "bridge/gate", "bridge")
    refused = town.merge(1, head)
    assert 'Required status check "bridge/gate" is failing.' == refused.errors[0][2]
    assert town.github.merge(1, "rosa", bypass=True)


def test_a_text_that_is_too_long_is_refused(town: Town) -> None:
    town.github.commit(BRANCH, {FILE: NEW}, "Bump", "rosa")
    with pytest.raises(Refusal, match="maximum is 65536"):
        town.github.open_pull(BRANCH, "rosa", "Bump", body="x" * 65_537)


def test_a_page_shows_what_was_said_and_nothing_of_it_acts(town: Town) -> None:
    town.github.commit(BRANCH, {FILE: NEW}, "Bump", "rosa")
    text = "| a | b |\n| - | - |\n| <script>x</script> | **c** |\n\n<!-- hidden -->"
    town.github.open_pull(BRANCH, "rosa", "Bump", body=text)
    page = town.ask("GET", f"/{NAME}/pull/1", headers={}).text
    assert "<td><strong>c</strong></td>" in page
    assert "<script>" not in page
    assert "hidden" not in page


def test_a_person_approves_and_merges_on_the_page(town: Town) -> None:
    head = town.proposed()
    town.github.rules.checks = {"bridge/gate"}
    page = f"/{NAME}/pull/1"
    approved = town.ask("POST", f"{page}/approve", headers={})
    assert [303, page] == [approved.status_code, approved.headers["location"]]
    assert {"rosa": "APPROVED"} == town.github.pulls[1].reviews
    told = town.ask("GET", page, headers={}).text
    assert f"<b>rosa</b> approved <code>{head[:8]}</code>" in told
    town.github.set_status(head, "success", "bridge/gate", "bridge")
    assert '<button class="merge">' in town.ask("GET", page, headers={}).text
    assert 303 == town.ask("POST", f"{page}/merge", headers={}).status_code
    assert "rosa" == town.github.pulls[1].merged_by
    told = town.ask("GET", page, headers={}).text
    assert "merged by rosa" in told
    assert "<button" not in told


@pytest.mark.parametrize(
    ("state", "words", "looks_again"), [("pending", "pending", True), ("failure", "failing", False)]
)
def test_the_merge_button_is_grey_and_says_why(
    town: Town, state: State, words: str, looks_again: bool
) -> None:
    head = town.proposed()
    town.github.rules.checks = {"bridge/gate"}
    town.github.set_status(head, state, "bridge/gate", "bridge")
    page = f"/{NAME}/pull/1"
    no = f"Required status check &quot;bridge/gate&quot; is {words}."
    told = town.ask("GET", page, headers={}).text
    assert '<button class="merge" disabled>' in told
    assert no in told
    assert looks_again is ('http-equiv="refresh"' in told)
    refused = town.ask("POST", f"{page}/merge", headers={})
    assert 422 == refused.status_code
    assert no in refused.text
    assert "OPEN" == town.github.pulls[1].state


def test_nobody_approves_what_is_not_there_or_their_own(town: Town) -> None:
    assert 404 == town.ask("POST", f"/{NAME}/pull/9/approve", headers={}).status_code
    town.github.commit(BRANCH, {FILE: NEW}, "Bump", "rosa")
    town.github.open_pull(BRANCH, "rosa", "Bump")
    refused = town.ask("POST", f"/{NAME}/pull/1/approve", headers={})
    assert 422 == refused.status_code
    assert "Can not approve your own pull request" in refused.text


def test_deployments_read_with_an_independent_clients_models(town: Town) -> None:
    from githubkit_schemas.latest import models

    path, wish = f"{API}/deployments", {"ref": town.root, "required_contexts": []}
    for environment in ("staging", "app"):
        made = town.ask("POST", path, wish | {"environment": environment, "task": "deploy x"})
        models.Deployment.model_validate_json(made.content)
    found = town.ask("GET", f"{path}?sha={town.root}&environment=app&task=deploy%20x").json()
    assert [2] == [one["id"] for one in found]
    told = {"state": "in_progress", "description": "building", "log_url": "http://b.test/1"}
    said = town.ask("POST", f"{path}/2/statuses", told)
    assert "in_progress" == models.DeploymentStatus.model_validate_json(said.content).state
    [last] = town.ask("GET", f"{path}/2/statuses?per_page=1").json()
    models.DeploymentStatus.model_validate(last)


def test_a_deployment_is_of_a_commit_whose_checks_are_green_unless_asked_otherwise(
    town: Town,
) -> None:
    town.github.set_status(town.root, "failure", "ci", "circleci")
    path, ref = f"{API}/deployments", {"ref": town.root}
    assert 409 == town.ask("POST", path, ref).status_code
    assert 201 == town.ask("POST", path, ref | {"required_contexts": []}).status_code
    assert 422 == town.ask("POST", path, {"ref": "0" * 40}).status_code
    assert 404 == town.ask("GET", f"{path}/9/statuses").status_code
    long = {"state": "success", "description": "x" * 141}
    assert 422 == town.ask("POST", f"{path}/1/statuses", long).status_code


def test_the_statuses_of_a_commit_are_told_newest_first(town: Town) -> None:
    for state in ("pending", "success"):
        town.ask("POST", f"{API}/statuses/{town.root}", {"state": state, "context": "ci"})
    told = town.ask("GET", f"{API}/commits/{town.root}/statuses").json()
    assert ["success", "pending"] == [one["state"] for one in told]
    assert 422 == town.ask("GET", f"{API}/commits/{'0' * 40}/statuses").status_code
