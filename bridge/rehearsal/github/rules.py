"""What the base branch's rules say about one pull request. Pure."""

from collections.abc import Iterable

from bridge.rehearsal.github.state import CommitStatus, Pull, Rules, latest, rollup


def obstacle(rules: Rules, pull: Pull, statuses: Iterable[CommitStatus]) -> str | None:
    """Why the button is grey, in GitHub's words; None when it is green."""
    said = {one.context: one.state for one in latest(statuses)}
    words = {None: "expected", "pending": "pending"}
    for context in sorted(rules.checks):
        state = said.get(context)
        if state != "success":
            return f'Required status check "{context}" is {words.get(state, "failing")}.'
    if rules.approvals and decision(rules, pull) != "APPROVED":
        count = rules.approvals
        return f"At least {count} approving review is required by reviewers with write access."
    return None


def decision(rules: Rules, pull: Pull) -> str | None:
    """GitHub's `reviewDecision`."""
    if "CHANGES_REQUESTED" in pull.reviews.values():
        return "CHANGES_REQUESTED"
    if not rules.approvals:
        return None
    return "APPROVED" if len(pull.reviews) >= rules.approvals else "REVIEW_REQUIRED"


def merge_state(rules: Rules, pull: Pull, statuses: list[CommitStatus], conflict: bool) -> str:
    """GitHub's `mergeStateStatus` of an open pull request."""
    if conflict:
        return "DIRTY"
    if pull.draft:
        return "DRAFT"
    if obstacle(rules, pull, statuses):
        return "BLOCKED"
    return "CLEAN" if rollup(statuses) in (None, "success") else "UNSTABLE"
