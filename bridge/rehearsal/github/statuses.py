"""Commit statuses at the simulated GitHub: what a CI, or the bridge, says about a commit."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from bridge.rehearsal.github import letters as letters
from bridge.rehearsal.github.accounts import Json
from bridge.rehearsal.github.refs import Refs
from bridge.rehearsal.github.shapes import Shapes
from bridge.rehearsal.github.state import CommitStatus, State, unprocessable


class Statuses(Refs):
    """One repository with the statuses of its commits."""

    def __init__(
        self,
        bare: Path,
        shapes: Shapes,
        clock: Callable[[], datetime],
        send: Callable[[str, Json], None],
    ) -> None:
        super().__init__(bare, shapes, clock, send)
        self._statuses: list[CommitStatus] = []

    def set_status(
        self,
        sha: str,
        state: State,
        context: str,
        login: str,
        description: str | None = None,
        target_url: str | None = None,
    ) -> CommitStatus:
        """What a CI says about a commit."""
        with self.act():
            if self.git.resolve(sha) != sha:
                raise unprocessable(f"No commit found for SHA: {sha}")
            one = CommitStatus(
                number=len(self._statuses) + 1,
                sha=sha,
                context=context,
                state=state,
                description=description,
                target_url=target_url,
                creator=login,
                at=self.clock(),
            )
            self._statuses.append(one)
            tips = [ref for ref, tip in self.git.refs().items() if tip == sha]
            names = [ref.removeprefix("refs/heads/") for ref in tips if "refs/heads/" in ref]
            commit = self.git.log("-1", sha)[0]
            self._send("status", letters.status(self.shapes, one, commit, names))
            self._said(sha)
            return one

    def statuses(self, sha: str) -> list[CommitStatus]:
        """Every status of a commit, oldest first."""
        return [one for one in self._statuses if one.sha == sha]

    def _said(self, sha: str) -> None:
        """A commit has a new status: for who waits for it."""
