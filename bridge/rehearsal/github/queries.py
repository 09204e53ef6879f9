"""What a GraphQL query sees of the simulated repository: dictionaries, lazy where git is asked."""

import base64

from bridge.rehearsal.github.accounts import Json, iso, iso_or_none
from bridge.rehearsal.github.git import Commit
from bridge.rehearsal.github.people import actor, git_actor, review, tag
from bridge.rehearsal.github.pulls import Pulls
from bridge.rehearsal.github.state import (
    Pull,
    Refusal,
    latest,
    rollup,
    unprocessable,
)

KINDS = {"blob": "Blob", "commit": "Commit", "tag": "Tag", "tree": "Tree"}
TEXT_LIMIT = 512_000  # beyond it GitHub cuts a blob's text and says isTruncated


def repository(pulls: Pulls) -> Json:
    def find_ref(_: object, **arguments: str) -> Json | None:
        return ref(pulls, arguments["qualifiedName"])

    def find_commit(_: object, expression: str) -> Json | None:
        sha = pulls.git.resolve(expression)
        return commit(pulls, sha) if sha else None

    def find_pulls(_: object, **arguments: object) -> Json:
        return {"nodes": [pull(pulls, one) for one in select(pulls, arguments)]}

    def find_queue(_: object, branch: str) -> Json | None:
        return {"id": f"MQ_{branch}"} if pulls.rules.queue else None

    return {
        "id": pulls.shapes.node_id,
        "url": pulls.shapes.page,
        "ref": find_ref,
        "object": find_commit,
        "pullRequests": find_pulls,
        "viewerDefaultMergeMethod": pulls.rules.method,
        "mergeQueue": find_queue,
    }


def ref(pulls: Pulls, name: str) -> Json | None:
    full = name if name.startswith("refs/") else f"refs/heads/{name}"
    sha = pulls.git.refs().get(full)
    if sha is None:
        return None
    return {"id": ref_id(full), "target": tag(pulls.git, full) or commit(pulls, sha)}


def ref_id(ref: str) -> str:
    return "REF_" + base64.urlsafe_b64encode(ref.encode()).decode()


def ref_of(node_id: str) -> str:
    if not node_id.startswith("REF_"):
        raise no_node(node_id)
    return base64.urlsafe_b64decode(node_id.removeprefix("REF_")).decode()


def pull_of(pulls: Pulls, node_id: str) -> Pull:
    for one in pulls.pulls.values():
        if one.node_id == node_id:
            return one
    raise no_node(node_id)


def nodes(pulls: Pulls, ids: list[str]) -> list[Json | Refusal]:
    """Pull requests by their node ids; GitHub answers null and an error for one that is gone."""
    return [_node(pulls, identifier) for identifier in ids]


def _node(pulls: Pulls, identifier: str) -> Json | Refusal:
    try:
        return {"__typename": "PullRequest"} | pull(pulls, pull_of(pulls, identifier))
    except Refusal as refusal:
        return refusal


def no_node(node_id: str) -> Refusal:
    return Refusal("NOT_FOUND", f"Could not resolve to a node with the global id of '{node_id}'")


def commit(pulls: Pulls, sha: str) -> Json:
    def parents(_: object, first: int) -> Json:
        return {
            "nodes": [commit(pulls, one) for one in pulls.git.log("-1", sha)[0].parents[:first]]
        }

    def changed_files(_: object) -> int:
        before = pulls.git.log("-1", sha)[0].parents
        return pulls.git.size(before[0], sha)[1] if before else 0

    def file(_: object, path: str) -> Json | None:
        return entry(pulls, sha, path)

    def status(_: object) -> Json | None:
        last = {one.context: one for one in pulls.statuses(sha)}

        def context(_: object, name: str) -> Json | None:
            one = last.get(name)
            return {"state": one.state.upper(), "description": one.description} if one else None

        return {"context": context} if last else None

    def history(_: object, first: int) -> Json:
        before = pulls.git.log(f"-{first}", sha)
        return {"nodes": [{"oid": one.sha, "messageHeadline": subject(one)} for one in before]}

    def authors(_: object, first: int) -> Json:
        return {"nodes": [git_actor(pulls.git.log("-1", sha)[0].author.email)]}

    return {
        "__typename": "Commit",
        "file": file,
        "oid": sha,
        "status": status,
        "history": history,
        "authors": authors,
        "url": f"{pulls.shapes.page}/commit/{sha}",
        "parents": parents,
        "changedFilesIfAvailable": changed_files,
    }


def subject(commit: Commit) -> str:
    return commit.message.partition("\n")[0]


def entry(pulls: Pulls, sha: str, path: str) -> Json | None:
    """A file, folder, link or submodule of a commit, as the tree has it."""
    found = pulls.git.entry(sha, path)
    if found is None:
        return None
    mode, oid, kind, content = found
    shape: Json = {"__typename": KINDS[kind], "oid": oid}
    if kind == "blob":
        binary = b"\0" in content
        cut = content[:TEXT_LIMIT]
        shape["text"] = None if binary else cut.decode(errors="replace")
        shape["isTruncated"] = not binary and len(content) > TEXT_LIMIT
    return {"mode": mode, "object": shape}


def select(pulls: Pulls, wanted: dict[str, object]) -> list[Pull]:
    """Pull requests by branch name and state. A head of that name in a fork counts, too."""
    first = wanted.get("first")
    if not isinstance(first, int) or not 1 <= first <= 100:
        raise unprocessable("`first` on the `pullRequests` connection must be from 1 to 100.")
    states = wanted.get("states")
    found = [
        one
        for one in pulls.pulls.values()
        if wanted.get("headRefName") in (None, one.head)
        and wanted.get("baseRefName") in (None, one.base)
        and (not isinstance(states, list) or one.state in states)
    ]
    order = wanted.get("orderBy")
    if isinstance(order, dict):
        keys = {"CREATED_AT": created, "UPDATED_AT": updated, "COMMENTS": comments}
        found.sort(key=keys[order["field"]], reverse=order["direction"] == "DESC")
    return found[:first]


def created(one: Pull) -> tuple[str, int]:
    return iso(one.created_at), one.number


def updated(one: Pull) -> tuple[str, int]:
    return iso(one.updated_at), one.number


def comments(one: Pull) -> tuple[str, int]:
    return f"{len(one.comments):09}", one.number


def pull(pulls: Pulls, one: Pull) -> Json:
    def mergeable(_: object) -> str:
        return {True: "MERGEABLE", False: "CONFLICTING", None: "UNKNOWN"}[pulls.mergeable(one)]

    def checks(_: object) -> Json | None:
        said = pulls.statuses(one.head_sha)
        state, count = rollup(said), len(latest(said))

        def contexts(_: object, first: int) -> Json:
            return {"totalCount": count}

        return {"state": state.upper(), "contexts": contexts} if state else None

    def changed_files(_: object) -> int:
        return pulls.git.size(one.base_sha, one.head_sha)[1]

    def commits(_: object, last: int = 1) -> Json:
        count = pulls.git.size(one.base_sha, one.head_sha)[0]
        shas = [found.sha for found in pulls.git.log(f"-{min(last, max(count, 1))}", one.head_sha)]
        return {
            "totalCount": count,
            "nodes": lambda _: [{"commit": commit(pulls, sha)} for sha in reversed(shas)],
        }

    def opinions(_: object, first: int) -> Json:
        return {"nodes": [review(one, login) for login in list(one.reviews)[:first]]}

    def reviews(_: object, states: list[str]) -> Json:
        return {"totalCount": sum(verdict in states for verdict in one.reviews.values())}

    def head_ref(_: object) -> Json | None:
        return ref(pulls, one.head_ref)

    return {
        "id": one.node_id,
        "number": one.number,
        "url": f"{pulls.shapes.page}/pull/{one.number}",
        "title": one.title,
        "state": one.state,
        "closed": one.state != "OPEN",
        "merged": one.merged,
        "mergedAt": iso_or_none(one.merged_at),
        "mergedBy": actor(one.merged_by),
        "mergeCommit": commit(pulls, one.merge_sha) if one.merge_sha else None,
        "mergeable": mergeable,
        "author": actor(one.author),
        "headRef": head_ref,
        "headRefName": one.head,
        "headRefOid": one.head_sha,
        "isCrossRepository": one.cross,
        "changedFiles": changed_files,
        "commits": commits,
        "reviews": reviews,
        "latestOpinionatedReviews": opinions,
        "statusCheckRollup": checks,
        "isDraft": one.draft,
        "mergeStateStatus": lambda _: pulls.merge_state(one),
        "reviewDecision": pulls.decision(one),
        "isInMergeQueue": one.queued,
        "viewerCanEnableAutoMerge": lambda _: pulls.may_merge_later(one),
        "autoMergeRequest": {"enabledAt": iso(one.later[1])} if one.later else None,
    }
