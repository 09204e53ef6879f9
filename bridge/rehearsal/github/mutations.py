"""GraphQL's mutations as acts on the simulated repository, each with the payload it answers."""

from collections.abc import Callable, Mapping

from bridge.rehearsal.github import inputs as inputs
from bridge.rehearsal.github.accounts import Json
from bridge.rehearsal.github.pulls import Pulls
from bridge.rehearsal.github.queries import commit, no_node, pull, pull_of, ref, ref_of
from bridge.rehearsal.github.state import unprocessable

Act = Callable[[Pulls, str, Json], Json]


def create_ref(pulls: Pulls, login: str, given: Json) -> Json:
    wish = inputs.CreateRef.model_validate(given)
    check_repository(pulls, wish.repository_id)
    pulls.create_ref(wish.name, wish.oid, login)
    return {"ref": ref(pulls, wish.name)}


def delete_ref(pulls: Pulls, login: str, given: Json) -> Json:
    wish = inputs.DeleteRef.model_validate(given)
    name = ref_of(wish.ref_id)
    if name not in pulls.git.refs():
        raise no_node(wish.ref_id)
    pulls.delete_ref(name, login)
    return {}


def update_refs(pulls: Pulls, login: str, given: Json) -> Json:
    wish = inputs.UpdateRefs.model_validate(given)
    check_repository(pulls, wish.repository_id)
    pulls.update_refs(wish.ref_updates, login)
    return {}


def create_commit(pulls: Pulls, login: str, given: Json) -> Json:
    wish = inputs.CreateCommit.model_validate(given)
    changes = wish.file_changes
    files: dict[str, bytes | None] = {one.path: None for one in changes.deletions}
    files |= {one.path: one.contents for one in changes.additions}
    message = "\n\n".join(filter(None, (wish.message.headline, wish.message.body)))
    branch = branch_name(pulls, wish.branch)
    sha = pulls.commit(branch, files, message, login, expected=wish.expected_head_oid)
    return {"commit": commit(pulls, sha)}


def branch_name(pulls: Pulls, branch: inputs.Branch) -> str:
    if branch.id:
        return ref_of(branch.id)
    if (branch.repository_name_with_owner or "").lower() != pulls.shapes.full_name.lower():
        raise no_node(branch.repository_name_with_owner or "")
    return branch.branch_name or ""


def create_pull(pulls: Pulls, login: str, given: Json) -> Json:
    wish = inputs.CreatePull.model_validate(given)
    check_repository(pulls, wish.repository_id)
    number = pulls.open_pull(
        wish.head_ref_name,
        login,
        wish.title,
        body=wish.body or "",
        base=wish.base_ref_name,
        draft=wish.draft,
    )
    return {"pullRequest": pull(pulls, pulls.pulls[number])}


def merge_pull(pulls: Pulls, login: str, given: Json) -> Json:
    wish = inputs.MergePull.model_validate(given)
    one = pull_of(pulls, wish.pull_request_id)
    if wish.merge_method != pulls.rules.method:
        method = wish.merge_method.capitalize()
        raise unprocessable(f"{method} merges are not allowed on this repository.")
    pulls.merge(
        one.number,
        login,
        expected=wish.expected_head_oid,
        headline=wish.commit_headline,
        body=wish.commit_body,
    )
    return {"pullRequest": pull(pulls, one)}


def merge_later(pulls: Pulls, login: str, given: Json) -> Json:
    wish = inputs.MergePull.model_validate(given)
    one = pull_of(pulls, wish.pull_request_id)
    pulls.merge_later(one.number, login, wish.expected_head_oid)
    return {}


def hold(pulls: Pulls, login: str, given: Json) -> Json:
    pulls.hold(pull_of(pulls, inputs.ClosePull.model_validate(given).pull_request_id).number)
    return {}


def enqueue(pulls: Pulls, login: str, given: Json) -> Json:
    wish = inputs.EnqueuePull.model_validate(given)
    pulls.enqueue(pull_of(pulls, wish.pull_request_id).number, wish.expected_head_oid)
    return {}


def update_pull(pulls: Pulls, login: str, given: Json) -> Json:
    wish = inputs.UpdatePull.model_validate(given)
    one = pull_of(pulls, wish.pull_request_id)
    pulls.edit(one.number, login, title=wish.title, body=wish.body)
    return {"pullRequest": pull(pulls, one)}


def close_pull(pulls: Pulls, login: str, given: Json) -> Json:
    one = pull_of(pulls, inputs.ClosePull.model_validate(given).pull_request_id)
    pulls.close(one.number, login)
    return {"pullRequest": pull(pulls, one)}


def add_comment(pulls: Pulls, login: str, given: Json) -> Json:
    wish = inputs.AddComment.model_validate(given)
    pulls.comment(pull_of(pulls, wish.subject_id).number, login, wish.body)
    return {}


def check_repository(pulls: Pulls, node_id: str) -> None:
    if node_id != pulls.shapes.node_id:
        raise no_node(node_id)


MUTATIONS: Mapping[str, Act] = {
    "addComment": add_comment,
    "closePullRequest": close_pull,
    "createCommitOnBranch": create_commit,
    "createPullRequest": create_pull,
    "createRef": create_ref,
    "deleteRef": delete_ref,
    "disablePullRequestAutoMerge": hold,
    "enablePullRequestAutoMerge": merge_later,
    "enqueuePullRequest": enqueue,
    "mergePullRequest": merge_pull,
    "updatePullRequest": update_pull,
    "updateRefs": update_refs,
}
