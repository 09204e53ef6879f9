"""The rehearsal's GitHub: our documents, executed over real git."""

import runpy
import subprocess
from pathlib import Path

import pytest
from graphql import parse, validate

from bridge.github import documents
from bridge.github.documents import DELETE_BRANCH, MERGE
from bridge.rehearsal.github import BOT, Call, Refusal, State
from bridge.rehearsal.github.graphql import schema
from tests.rehearsal_github_kit import BRANCH, FILE, NAME, NEW, OLD, Town

DOCUMENTS = {name: text for name, text in vars(documents).items() if name.isupper()}
STALE = "  Pull and try again."


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=True)
    return done.stdout.decode().strip()


def clone(town: Town, folder: Path) -> Path:
    git(folder, "clone", "--quiet", str(town.github.bare), "clone")
    return folder / "clone"


@pytest.mark.parametrize("text", DOCUMENTS.values(), ids=DOCUMENTS)
def test_what_the_bridge_says_is_valid_by_githubs_own_types(text: str) -> None:
    assert validate(schema(), parse(text)) == []
    unknown = text.rstrip().removesuffix("}") + " nonsense }"
    assert len(validate(schema(), parse(unknown))) == 1


def test_the_types_hold_no_more_than_the_documents_ask_for() -> None:
    """The tool, given its own product as if it were GitHub's, has nothing left to cut."""
    root = Path(__file__).parent.parent
    tool = runpy.run_path(str(root / "tools" / "prune_github_schema.py"))
    text = (root / "bridge" / "rehearsal" / "github" / "schema.graphql").read_text()
    body = text.partition("\n\n")[2]
    assert tool["prune"](text, DOCUMENTS.values()) == body
    assert tool["prune"](text, [documents.LOOK]) != body


def test_a_fresh_repository_shows_its_main_branch_and_nothing_else(town: Town) -> None:
    seen = town.look()
    assert town.root == seen["base"]["target"]["oid"]
    assert OLD.decode() == seen["base"]["target"]["file0"]["object"]["text"]
    assert 0o100644 == seen["base"]["target"]["file0"]["mode"]
    assert seen["head"] is None
    assert [] == seen["ours"]["nodes"]


def test_one_document_makes_branch_commit_and_pull_request(town: Town) -> None:
    said = town.propose()
    assert said.errors == []
    head = said.data["commit"]["commit"]["oid"]
    assert f"http://github.test/{NAME}/commit/{head}" == said.data["commit"]["commit"]["url"]
    assert head == said.data["pull"]["pullRequest"]["headRefOid"]
    seen = town.look()
    (pull,) = seen["ours"]["nodes"]
    target = seen["head"]["target"]
    assert (head, NEW.decode()) == (target["oid"], target["file0"]["object"]["text"])
    assert OLD.decode() == target["parents"]["nodes"][0]["file0"]["object"]["text"]
    assert (
        pull["state"],
        pull["mergeable"],
        pull["statusCheckRollup"],
    ) == ("OPEN", "MERGEABLE", None)
    assert pull["author"]["login"] == "house-prices-bridge"  # GraphQL leaves [bot] out
    effects = ("createRef", "createCommitOnBranch", "createPullRequest")
    assert [Call("POST", "Propose", effects, 200), Call("POST", "Look", (), 200)] == (
        town.github.calls
    )


def test_a_commit_of_the_api_changes_one_file_and_bears_the_clocks_time(town: Town) -> None:
    head = town.proposed()
    bare = town.github.bare
    assert git(bare, "diff", "--name-only", town.root, head) == FILE
    about = git(bare, "show", "-s", "--format=%an|%cn|%cI|%P|%B", head)
    assert (
        f"{BOT}|GitHub|2026-11-22T12:00:00+00:00|{town.root}|Bump regression-model\n\nto 0.1.1"
        == (about)
    )


def test_the_same_proposal_again_is_refused_three_times_and_makes_nothing(town: Town) -> None:
    head = town.proposed()
    again = town.propose()
    taken = f'A ref named "refs/heads/{BRANCH}" already exists in the repository.'
    moved = f'Expected branch to point to "{town.root}" but it did not.{STALE}'
    assert [
        ("UNPROCESSABLE", ["pull"], f"A pull request already exists for acme:{BRANCH}."),
        ("UNPROCESSABLE", ["branch"], taken),
        ("STALE_DATA", ["commit"], moved),
    ] == again.errors
    assert again.data == {"branch": None, "commit": None, "pull": {"pullRequest": None}}
    assert [head] == [one.head_sha for one in town.github.pulls.values()]
    assert town.github.calls[-1].effects == ()


def test_a_later_field_still_runs_after_an_earlier_one_has_failed(town: Town) -> None:
    town.github.create_ref(f"refs/heads/{BRANCH}", town.root, "ann")
    said = town.propose()
    assert [kind for kind, _, _ in said.errors] == ["UNPROCESSABLE"]
    assert said.data["pull"]["pullRequest"]["number"] == 1


def test_a_branch_without_a_commit_of_its_own_gets_no_pull_request(town: Town) -> None:
    said = town.propose(needsCommit=False)
    assert [("UNPROCESSABLE", ["pull"], f"No commits between main and {BRANCH}")] == said.errors
    said = town.propose("bridge/other", needsBranch=False, needsCommit=False)
    assert "Head ref must be a branch" in said.errors[0][2]


def test_a_ref_must_have_a_name_and_a_commit(town: Town) -> None:
    for name in ("refs/heads/a b", "refs/heads/main/below", "main"):
        with pytest.raises(Refusal, match="not a valid ref name"):
            town.github.create_ref(name, town.root, "ann")
    with pytest.raises(Refusal, match="does not exist"):
        town.github.create_ref("refs/heads/x", "0" * 39 + "1", "ann")


def test_a_clone_shows_the_merge_commit(town: Town, tmp_path: Path) -> None:
    head = town.proposed()
    said = town.merge(1, head)
    sha = said.data["merge"]["pullRequest"]["mergeCommit"]["oid"]
    copy = clone(town, tmp_path)
    assert sha == git(copy, "rev-parse", "HEAD")
    assert f"{town.root} {head}" == git(copy, "show", "-s", "--format=%P")
    assert f"Merge pull request #1 from acme/{BRANCH}\n\nBump <regression-model>" == git(
        copy, "show", "-s", "--format=%B"
    )
    assert (copy / FILE).read_bytes() == NEW
    (pull,) = town.look()["ours"]["nodes"]
    assert ("MERGED", sha, "house-prices-bridge") == (
        pull["state"],
        pull["mergeCommit"]["oid"],
        pull["mergedBy"]["login"],
    )


def test_one_sees_whose_a_pull_request_is_and_how_much_it_changes(town: Town) -> None:
    head = town.proposed()
    seen = town.look()
    me = town.speak("query { viewer { login } }").data["viewer"]["login"]
    (pull,) = seen["ours"]["nodes"]
    assert (me, 1) == (pull["author"]["login"], pull["changedFiles"])
    assert {"totalCount": 1} == pull["commits"]
    target = seen["head"]["target"]
    assert (head, 1) == (target["oid"], target["changedFilesIfAvailable"])
    assert [town.root] == [one["oid"] for one in target["parents"]["nodes"]]
    more = {"a.txt": b"a\n", "b.txt": b"b\n"}
    town.github.commit(BRANCH, more, "Two more", "mallory")
    seen = town.look()
    assert 3 == seen["ours"]["nodes"][0]["changedFiles"], "of the pull request"
    assert 2 == seen["head"]["target"]["changedFilesIfAvailable"], "of its last commit"
    assert {"totalCount": 2} == seen["ours"]["nodes"][0]["commits"]
    assert [head] == [one["oid"] for one in seen["head"]["target"]["parents"]["nodes"]]


def test_a_look_sees_what_kind_of_thing_stands_at_a_path(town: Town) -> None:
    kinds = {FILE: 0o100644, "api": 0o40000, "nowhere": None, "api/*": None, "api/": None}
    document = (
        "query Q($p: String!) { repository(owner: %s, name: %s) { base: ref(qualifiedName: %s) {"
    )
    document += " target { oid ... on Commit { file(path: $p) { mode object { oid } } } } } } }"
    names = tuple(f'"{name}"' for name in (*NAME.split("/"), "refs/heads/main"))
    for path, mode in kinds.items():
        said = town.speak(document % names, p=path)
        found = said.data["repository"]["base"]["target"]["file"]
        assert mode == (found["mode"] if found else None), path


def test_a_pull_request_of_somebody_else_says_so(town: Town) -> None:
    town.github.commit(BRANCH, {FILE: NEW}, "Bump", "mallory")
    town.github.open_pull(BRANCH, "mallory", "Bump")
    (pull,) = town.look()["ours"]["nodes"]
    assert ("mallory", False) == (pull["author"]["login"], pull["isCrossRepository"])
    assert pull["headRef"]["id"] == town.look()["head"]["id"]


def test_a_merge_at_another_head_is_refused(town: Town) -> None:
    head = town.proposed()
    ours = town.github.commit(BRANCH, {"note.txt": b"by hand\n"}, "Touch it", "ann")
    said = town.merge(1, head)
    message = "Head branch was modified. Review and try the merge again."
    assert [("UNPROCESSABLE", ["merge"], message)] == said.errors
    assert said.data == {"merge": None}
    assert ours == town.look()["ours"]["nodes"][0]["headRefOid"]


def test_a_conflict_is_seen_and_is_not_merged(town: Town) -> None:
    head = town.proposed()
    main = town.github.commit("main", {FILE: b"regression-model==0.0.9\n"}, "Go back", "ann")
    assert town.look()["ours"]["nodes"][0]["mergeable"] == "CONFLICTING"
    said = town.merge(1, head)
    assert said.errors == [("UNPROCESSABLE", ["merge"], "Pull Request is not mergeable")]
    assert main == town.look()["base"]["target"]["oid"]


def test_what_is_merged_cannot_be_merged_again_nor_closed(town: Town) -> None:
    head = town.proposed()
    town.merge(1, head)
    main = town.look()["base"]["target"]["oid"]
    assert (town.merge(1, head).errors) == [
        ("UNPROCESSABLE", ["merge"], "Pull Request is not mergeable")
    ]
    with pytest.raises(Refusal, match="already merged"):
        town.github.close(1, "ann")
    assert main == town.look()["base"]["target"]["oid"]


def test_a_squash_is_not_done_as_a_merge(town: Town) -> None:
    town.propose()
    wish = {"pullRequestId": town.github.pulls[1].node_id, "mergeMethod": "SQUASH"}
    said = town.speak(MERGE, input=wish)
    assert said.errors[0][2] == "Squash merges are not allowed on this repository."
    assert town.github.pulls[1].state == "OPEN"


def test_a_required_check_must_succeed_before_the_merge(town: Town) -> None:
    head = town.proposed()
    town.github.rules.checks = {"ci"}
    words: list[tuple[State | None, str]] = [
        (None, "expected"),
        ("pending", "pending"),
        ("failure", "failing"),
    ]
    for state, word in words:
        if state:
            town.github.set_status(head, state, "ci", "circleci")
        assert f'Required status check "ci" is {word}.' == town.merge(1, head).errors[0][2]
    town.github.set_status(head, "success", "ci", "circleci")
    assert town.merge(1, head).errors == []


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([("a", "pending")], "PENDING"),
        ([("a", "pending"), ("a", "success")], "SUCCESS"),
        ([("a", "success"), ("b", "pending")], "PENDING"),
        ([("a", "error"), ("b", "success")], "ERROR"),
        ([("a", "failure"), ("b", "error"), ("c", "pending")], "FAILURE"),
    ],
)
def test_the_last_word_of_every_context_counts(
    town: Town, states: list[tuple[str, State]], expected: str
) -> None:
    head = town.proposed()
    for context, state in states:
        town.github.set_status(head, state, context, "circleci")
    count = len({context for context, _ in states})
    rollup = {"state": expected, "contexts": {"totalCount": count}}
    assert rollup == town.look()["ours"]["nodes"][0]["statusCheckRollup"]


def test_closing_leaves_a_comment_and_takes_the_branch_away(town: Town) -> None:
    town.propose()
    ref = town.look()["head"]["id"]
    assert town.close(1, "Superseded by 0.1.2", ref).errors == []
    seen = town.look()
    assert (seen["ours"]["nodes"][0]["state"], seen["head"]) == ("CLOSED", None)
    assert [(one.author, one.body) for one in town.github.pulls[1].comments] == [
        (BOT, "Superseded by 0.1.2")
    ]
    gone = town.speak(DELETE_BRANCH, input={"refId": ref})
    assert [(kind, path) for kind, path, _ in gone.errors] == [("NOT_FOUND", ["ref"])]


def test_a_deleted_branch_closes_its_pull_request(town: Town) -> None:
    town.propose()
    town.speak(DELETE_BRANCH, input={"refId": town.look()["head"]["id"]})
    assert town.github.pulls[1].state == "CLOSED"


def test_a_look_alike_from_a_fork_is_listed_and_says_so(town: Town, tmp_path: Path) -> None:
    town.github.commit(f"mallory:{BRANCH}", {FILE: b"evil==1\n"}, "Help", "mallory")
    town.github.open_pull(f"mallory:{BRANCH}", "mallory", "Bump")
    seen = town.look()
    assert [
        (one["isCrossRepository"], one["author"]["login"]) for one in seen["ours"]["nodes"]
    ] == [(True, "mallory")]
    assert seen["head"] is None
    assert "origin/bridge" not in git(clone(town, tmp_path), "branch", "--remotes")


def test_a_merge_that_a_person_pushes_ends_the_pull_request(town: Town) -> None:
    head = town.proposed()
    bare = town.github.bare
    git(bare, "update-ref", "refs/heads/main", head)
    town.github.commit("main", {"README.md": b"# More\n"}, "Write", "ann")
    assert (town.github.pulls[1].state, town.github.pulls[1].merged_by) == ("MERGED", "ann")


def test_everybody_who_listens_hears_of_every_branch_and_tag(town: Town) -> None:
    heard: list[tuple[str, str]] = []
    town.github.on_push.append(lambda ref, sha: heard.append((ref, sha)))
    head = town.proposed()
    town.github.tag("v0.1.1", town.root, "ann")
    merged = town.github.merge(1, "ann")
    town.speak(DELETE_BRANCH, input={"refId": town.look()["head"]["id"]})
    assert [
        (f"refs/heads/{BRANCH}", town.root),
        (f"refs/heads/{BRANCH}", head),
        ("refs/tags/v0.1.1", town.root),
        ("refs/heads/main", merged),
    ] == heard
