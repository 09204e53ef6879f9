"""Pull requests and commit statuses at the simulated GitHub, over real git merges."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from bridge.rehearsal.github import letters as letters
from bridge.rehearsal.github.accounts import Json
from bridge.rehearsal.github.git import ZERO
from bridge.rehearsal.github.refs import person
from bridge.rehearsal.github.rules import decision, merge_state, obstacle
from bridge.rehearsal.github.shapes import Shapes
from bridge.rehearsal.github.state import Comment, Pull, Review, Rules, unprocessable
from bridge.rehearsal.github.statuses import Statuses

LONGEST_BODY = 65_536


class Pulls(Statuses):
    """One repository with its pull requests, and the `rules` of its base branch; `people` and
    `teams` can be asked for a review."""

    def __init__(
        self,
        bare: Path,
        shapes: Shapes,
        clock: Callable[[], datetime],
        send: Callable[[str, Json], None],
    ) -> None:
        super().__init__(bare, shapes, clock, send)
        self.pulls: dict[int, Pull] = {}
        self.rules = Rules()
        self.people, self.teams = {"octocat", "rosa"}, {"ml"}

    def open_pull(
        self,
        head: str,
        login: str,
        title: str,
        *,
        body: str = "",
        base: str = "main",
        draft: bool = False,
    ) -> int:
        """Open a pull request and return its number. `mallory:fix` comes from mallory's fork."""
        with self.act():
            if len(body) > LONGEST_BODY:
                raise unprocessable(f"Body is too long (maximum is {LONGEST_BODY} characters)")
            refs = self.git.refs()
            owner, name, ref = self.split(head)
            if ref not in refs or f"refs/heads/{base}" not in refs:
                raise unprocessable(
                    "Head sha can't be blank, Base sha can't be blank, "
                    f"No commits between {base} and {head}, Head ref must be a branch"
                )
            for other in self.pulls.values():
                if other.state == "OPEN" and (other.head_ref, other.base) == (ref, base):
                    raise unprocessable(f"A pull request already exists for {owner}:{name}.")
            base_sha, head_sha = refs[f"refs/heads/{base}"], refs[ref]
            if self.git.contains(base_sha, head_sha):
                raise unprocessable(f"No commits between {base} and {head}")
            now, cross = self.clock(), owner != self.shapes.owner
            pull = Pull(
                number=len(self.pulls) + 1,
                title=title,
                body=body,
                head=name,
                head_owner=owner,
                base=base,
                head_sha=head_sha,
                base_sha=base_sha,
                author=login,
                draft=draft,
                cross=cross,
                created_at=now,
                updated_at=now,
            )
            self.pulls[pull.number] = pull
            self._tell_pull("opened", pull, login)
            return pull.number

    def comment(self, number: int, login: str, body: str) -> None:
        with self.act():
            self.pulls[number].comments.append(Comment(login, body, self.clock()))

    def edit(self, number: int, login: str, *, title: str | None, body: str | None) -> None:
        with self.act():
            pull = self.pulls[number]
            changed = (title or pull.title, pull.body if body is None else body)
            if changed != (pull.title, pull.body):
                pull.title, pull.body = changed
                pull.updated_at = self.clock()
                self._tell_pull("edited", pull, login, {"changes": {}})

    def label(self, number: int, login: str, names: Sequence[str]) -> None:
        """Put labels on it; one that there is not yet is made."""
        with self.act():
            pull = self.pulls[number]
            for name in [name for name in names if name not in pull.labels]:
                pull.labels.append(name)
                self._tell_pull("labeled", pull, login, {"label": self.shapes.label(name)})

    def ask_for_review(
        self, number: int, login: str, people: Sequence[str], teams: Sequence[str]
    ) -> None:
        """All of them or, if one cannot be asked, nobody."""
        with self.act():
            pull = self.pulls[number]
            if pull.author in people:
                raise unprocessable("Review cannot be requested from pull request author.")
            if not {*people} <= self.people or not {*teams} <= self.teams:
                message = "Reviews may only be requested from collaborators."
                raise unprocessable(f"{message} One or more of the users or teams is not one.")
            pull.reviewers = sorted({*pull.reviewers, *people})
            pull.teams = sorted({*pull.teams, *teams})
            self._tell_pull("review_requested", pull, login)

    def close(self, number: int, login: str) -> None:
        with self.act():
            pull = self.pulls[number]
            if pull.merged:
                raise unprocessable("Pull request is already merged")
            if pull.state == "OPEN":
                self._end(pull, "CLOSED", login)

    def merge(
        self,
        number: int,
        login: str,
        *,
        expected: str | None = None,
        headline: str | None = None,
        body: str | None = None,
        bypass: bool = False,
    ) -> str:
        """Merge with a merge commit, as the button does, and return its sha.

        An administrator may `bypass` the required checks.
        """
        with self.act():
            pull = self.pulls[number]
            # Also for one that is merged: GitHub has no other words for it.
            if pull.state != "OPEN":
                raise unprocessable("Pull Request is not mergeable")
            if pull.draft:
                raise unprocessable("Pull Request is still a draft")
            if expected not in (None, pull.head_sha):
                raise unprocessable("Head branch was modified. Review and try the merge again.")
            if not bypass and (no := obstacle(self.rules, pull, self.statuses(pull.head_sha))):
                raise unprocessable(no)
            if self.rules.queue and expected is not None:
                raise unprocessable("Changes must be made through the merge queue")
            tree = self.git.merge_tree(pull.base_sha, pull.head_sha)
            if tree is None:
                raise unprocessable("Pull Request is not mergeable")
            subject = f"Merge pull request #{number} from {pull.head_owner}/{pull.head}"
            message = f"{headline or subject}\n\n{pull.title if body is None else body}".strip()
            parents = (pull.base_sha, pull.head_sha)
            sha = self.git.commit_tree(tree, parents, message, person(login), self.clock())
            self.git.set_ref(f"refs/heads/{pull.base}", sha, pull.base_sha)
            base_sha = pull.base_sha
            pull.merge_sha = sha
            self._end(pull, "MERGED", login)
            self._moved(f"refs/heads/{pull.base}", base_sha, sha, login)
            return sha

    def review(self, number: int, login: str, verdict: Review) -> None:
        """A person approves the pull request, or asks for changes."""
        with self.act():
            pull = self.pulls[number]
            if login == pull.author:
                raise unprocessable("Can not approve your own pull request")
            pull.reviews[login] = verdict
            pull.updated_at = self.clock()
            shape = self.pull_shape(pull, None)
            told: Json = {"review": {"state": verdict.lower(), "user": self.shapes.user(login)}}
            body = letters.pull_request(self.shapes, "submitted", shape, login, told)
            self._send("pull_request_review", body)
            self._said(pull.head_sha)

    def merge_later(self, number: int, login: str, expected: str | None) -> None:
        """GitHub's auto-merge: merge as soon as nothing is in the way."""
        with self.act():
            pull = self.pulls[number]
            if not self.rules.auto_merge:
                raise unprocessable("Auto merge is not allowed for this repository")
            if expected not in (None, pull.head_sha):
                raise unprocessable("Head branch was modified. Review and try the merge again.")
            state = self.merge_state(pull)
            if state != "BLOCKED":
                raise unprocessable(f"Pull request is in {state.lower()} status")
            pull.later = (login, self.clock())

    def hold(self, number: int) -> None:
        """No auto-merge any more."""
        with self.act():
            if self.pulls[number].later is None:
                raise unprocessable("Auto merge is not enabled for this pull request.")
            self.pulls[number].later = None

    def enqueue(self, number: int, expected: str | None) -> None:
        """Into the merge queue, which merges when `work_off_the_queue` is called."""
        with self.act():
            pull = self.pulls[number]
            if not self.rules.queue:
                raise unprocessable("Merge queue is not enabled for this branch")
            if expected not in (None, pull.head_sha):
                raise unprocessable("Head branch was modified. Review and try the merge again.")
            pull.queued = True

    def work_off_the_queue(self) -> None:
        """What stands in the merge queue is merged, by the queue itself."""
        for pull in [one for one in self.pulls.values() if one.queued]:
            pull.queued = False
            self.merge(pull.number, "github-merge-queue[bot]")

    def merge_state(self, pull: Pull) -> str:
        """GitHub's `mergeStateStatus`; UNKNOWN for one that has ended."""
        if pull.state != "OPEN":
            return "UNKNOWN"
        conflict = self.mergeable(pull) is False
        return merge_state(self.rules, pull, self.statuses(pull.head_sha), conflict)

    def decision(self, pull: Pull) -> str | None:
        """GitHub's `reviewDecision`."""
        return decision(self.rules, pull)

    def may_merge_later(self, pull: Pull) -> bool:
        """Whether GitHub offers auto-merge."""
        return self.rules.auto_merge and not pull.later and self.merge_state(pull) == "BLOCKED"

    def _said(self, sha: str) -> None:
        for pull in [one for one in self.pulls.values() if one.later and one.state == "OPEN"]:
            if pull.later and pull.head_sha == sha and self.merge_state(pull) == "CLEAN":
                self.merge(pull.number, pull.later[0])

    def mergeable(self, pull: Pull) -> bool | None:
        """Whether it merges without conflict; GitHub does not say for one that has ended."""
        if pull.state != "OPEN":
            return None
        return self.git.merge_tree(pull.base_sha, pull.head_sha) is not None

    def pull_shape(self, pull: Pull, merge: str | None) -> Json:
        size = self.git.size(pull.base_sha, pull.head_sha)
        return self.shapes.pull(pull, size, self.mergeable(pull), merge)

    def _moved(self, ref: str, before: str, after: str, login: str) -> None:
        super()._moved(ref, before, after, login)
        for pull in [one for one in self.pulls.values() if one.state == "OPEN"]:
            if pull.head_ref == ref and after == ZERO:
                self._end(pull, "CLOSED", login)
            elif pull.head_ref == ref:
                pull.head_sha, pull.updated_at = after, self.clock()
                self._tell_pull("synchronize", pull, login, {"before": before, "after": after})
                if self.git.contains(pull.base_sha, after):
                    self._end(pull, "CLOSED", login)  # nothing is left to merge
            elif f"refs/heads/{pull.base}" == ref and self.git.contains(after, pull.head_sha):
                # Somebody merged by hand and pushed: GitHub notices.
                pull.merge_sha = after
                self._end(pull, "MERGED", login)
            elif f"refs/heads/{pull.base}" == ref:
                pull.base_sha = after

    def _end(self, pull: Pull, state: Literal["CLOSED", "MERGED"], login: str) -> None:
        pull.state = state
        pull.closed_at = pull.updated_at = self.clock()
        pull.merged_by = login if state == "MERGED" else None
        self._tell_pull("closed", pull, login)

    def _tell_pull(self, action: str, pull: Pull, login: str, more: Json | None = None) -> None:
        shape = self.pull_shape(pull, pull.merge_sha or self._trial_merge(pull))
        body = letters.pull_request(self.shapes, action, shape, login, more or {})
        self._send("pull_request", body)

    def _trial_merge(self, pull: Pull) -> str | None:
        """GitHub tries the merge and tells that commit, also of one closed without merging."""
        tree = self.git.merge_tree(pull.base_sha, pull.head_sha)
        if tree is None or pull.state == "OPEN":
            return None
        parents, words = (pull.base_sha, pull.head_sha), f"Merge {pull.head_sha}"
        return self.git.commit_tree(tree, parents, words, person(pull.author), pull.updated_at)
