"""What the rehearsal's GitHub sends: signed as GitHub signs, in GitHub's own shapes."""

import hashlib
import hmac
import threading
from pathlib import Path

import pytest

from bridge.rehearsal.github import BOT
from bridge.rehearsal.github.letters import letter
from tests.rehearsal_github_kit import BRANCH, SECRET, Town

ZERO = "0" * 40


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


def test_a_letter_bears_the_signature_that_github_documents() -> None:
    one = letter("ping", {"zen": "x"}, SECRET)
    digest = hmac.new(SECRET.encode(), one.body, hashlib.sha256).hexdigest()
    assert f"sha256={digest}" == one.headers["X-Hub-Signature-256"]
    assert "X-Hub-Signature" not in one.headers


def test_every_letter_has_a_delivery_id_of_its_own(town: Town) -> None:
    town.propose()
    ids = {one.headers["X-GitHub-Delivery"] for one in town.letters}
    assert (len(town.letters), len(ids)) == (3, 3)
    assert {"github"} == {one.source for one in town.letters}


def test_a_proposal_is_told_as_two_pushes_and_an_opened_pull_request(town: Town) -> None:
    head = town.proposed()
    first, second = town.told("push")
    assert (True, ZERO, town.root) == (first["created"], first["before"], first["after"])
    assert (f"refs/heads/{BRANCH}", head) == (second["ref"], second["after"])
    assert [head] == [one["id"] for one in second["commits"]]
    (opened,) = town.told("pull_request")
    assert (
        opened["action"],
        opened["sender"]["login"],
        opened["sender"]["type"],
    ) == ("opened", BOT, "Bot")
    assert tuple(opened["pull_request"][key] for key in ("commits", "additions", "deletions")) == (
        1,
        1,
        1,
    )


def test_a_push_to_our_branch_is_told_as_synchronize(town: Town) -> None:
    head = town.proposed()
    new = town.github.commit(BRANCH, {"note.txt": b"x"}, "Touch", "ann")
    told = town.told("pull_request")[-1]
    assert ("synchronize", head, new, "ann") == (
        told["action"],
        told["before"],
        told["after"],
        told["sender"]["login"],
    )


def test_merged_and_declined_differ_in_merged_only(town: Town) -> None:
    """Also one that was closed without merging names a merge commit: GitHub's trial of it."""
    town.propose()
    sha = town.github.merge(1, "ann")
    merged = town.told("pull_request")[-1]["pull_request"]
    assert (True, sha, "ann") == (
        merged["merged"],
        merged["merge_commit_sha"],
        merged["merged_by"]["login"],
    )
    town.github.commit("other", {"note.txt": b"x"}, "Touch", "ann")
    town.github.close(town.github.open_pull("other", "ann", "Other"), "ann")
    closed = town.told("pull_request")[-1]["pull_request"]
    assert (closed["merged"], closed["merged_at"]) == (False, None)
    assert closed["merge_commit_sha"] is not None
    assert sha == town.told("push")[-2]["after"]


def test_every_letter_reads_with_an_independent_clients_models(town: Town) -> None:
    """githubkit's models are made from GitHub's published description."""
    from githubkit.webhooks import parse
    from pydantic import ValidationError

    head = town.proposed()
    town.github.commit(BRANCH, {"note.txt": b"x"}, "Touch", "ann")
    town.github.set_status(head, "success", "ci", "circleci", "passed", "http://ci.test/1")
    town.github.commit("mallory:fix", {"x": b"x"}, "Fix", "mallory")
    town.github.close(town.github.open_pull("mallory:fix", "mallory", "Fix"), "ann")
    town.github.merge(1, "ann")
    town.github.delete_ref(f"refs/heads/{BRANCH}", "ann")
    town.github.tag("v1", town.root, "ann")
    town.github.ping("ann")
    events = [one.headers["X-GitHub-Event"] for one in town.letters]
    assert {event: events.count(event) for event in ("push", "pull_request", "status", "ping")} == {
        "push": 6,
        "pull_request": 5,
        "status": 1,
        "ping": 1,
    }
    for one in town.letters:
        parse(one.headers["X-GitHub-Event"], one.body)
    with pytest.raises(ValidationError):
        parse("push", town.letters[0].body.replace(b'"pusher"', b'"pushed_by"'))


def test_who_hears_of_a_push_may_speak_from_another_thread(town: Town) -> None:
    """A CI that starts at once must not wait for an act that waits for it."""
    said: list[str] = []

    def start(ref: str, sha: str) -> None:
        report = threading.Thread(
            target=lambda: said.append(
                town.github.set_status(sha, "pending", "ci", "circleci").state
            )
        )
        report.start()
        report.join(timeout=5)

    town.github.on_push.append(start)
    town.propose()
    assert said == ["pending", "pending"]
