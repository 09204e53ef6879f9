"""Merges at the simulated GitHub, by the rules of the base branch and over real git."""

from bridge.rehearsal.github import letters as letters
from bridge.rehearsal.github.accounts import Json
from bridge.rehearsal.github.git import ZERO
from bridge.rehearsal.github.refs import person
from bridge.rehearsal.github.rules import decision, merge_state, obstacle
from bridge.rehearsal.github.state import Pull, Review, unprocessable
from bridge.rehearsal.github.threads import Threads


class Pulls(Threads):
    """One repository with its pull requests, and the `rules` of its base branch."""

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
            pull.reviewed[login] = (pull.head_sha, self.clock())
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
