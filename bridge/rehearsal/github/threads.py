"""Pull requests at the simulated GitHub: opened, talked about, edited and closed."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from bridge.rehearsal.github import letters as letters
from bridge.rehearsal.github.accounts import Json
from bridge.rehearsal.github.refs import person
from bridge.rehearsal.github.shapes import Shapes
from bridge.rehearsal.github.state import Comment, Pull, Rules, unprocessable
from bridge.rehearsal.github.statuses import Statuses

LONGEST_BODY = 65_536


class Threads(Statuses):
    """One repository with its pull requests; `people` and `teams` can be asked for a review."""

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
            for name in dict.fromkeys(name for name in names if name not in pull.labels):
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

    def mergeable(self, pull: Pull) -> bool | None:
        """Whether it merges without conflict; GitHub does not say for one that has ended."""
        if pull.state != "OPEN":
            return None
        return self.git.merge_tree(pull.base_sha, pull.head_sha) is not None

    def pull_shape(self, pull: Pull, merge: str | None) -> Json:
        size = self.git.size(pull.base_sha, pull.head_sha)
        return self.shapes.pull(pull, size, self.mergeable(pull), merge)

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
