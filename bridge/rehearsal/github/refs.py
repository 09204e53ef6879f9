"""Branches and tags at the simulated GitHub: what people and the API do to them, over real git.

Every act takes the login of who does it, raises Refusal in GitHub's own words where GitHub says
no, and sends the webhooks that GitHub sends. Letters and `on_push` go out after the act, outside
the lock, in the thread of the caller.
"""

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

from bridge.rehearsal.github import letters as letters
from bridge.rehearsal.github.accounts import Json
from bridge.rehearsal.github.git import FORGE, ZERO, Git, GitError, Person
from bridge.rehearsal.github.inputs import RefUpdate
from bridge.rehearsal.github.shapes import Shapes
from bridge.rehearsal.github.state import Refusal, address, fork_ref, unprocessable

MAIN = "refs/heads/main"


class Refs:
    """One repository, without its pull requests. `send` posts an event's body as a webhook."""

    def __init__(
        self,
        bare: Path,
        shapes: Shapes,
        clock: Callable[[], datetime],
        send: Callable[[str, Json], None],
    ) -> None:
        self.bare, self.shapes, self.clock = bare, shapes, clock
        self.git = Git(bare)
        self.git.create()
        # (ref, sha) of every branch and tag that came or moved. A deletion calls nobody.
        self.on_push: list[Callable[[str, str], None]] = []
        self._lock = threading.RLock()
        self._send_now = send
        self._outbox: list[Callable[[], None]] = []
        self._depth = 0

    def seed(
        self, tree: Path | Mapping[str, bytes], message: str, author: str = "house-prices-team"
    ) -> str:
        """The first commit on main, from a folder (without .git) or from bytes. No webhook."""
        files, executable = read_tree(tree) if isinstance(tree, Path) else (tree, set[str]())
        who = person(author)
        return self.git.commit(MAIN, None, files, message, who, who, self.clock(), executable)

    def commit(
        self,
        branch: str,
        files: Mapping[str, bytes | None],
        message: str,
        login: str,
        *,
        expected: str | None = None,
    ) -> str:
        """A commit on a branch, which starts at main if there is none. Returns its sha.

        `mallory:fix` is a branch of mallory's fork. `expected` comes from the API only: the head
        must be there, and the forge is the committer.
        """
        with self.act():
            refs = self.git.refs()
            ref = self.split(branch)[2]
            old = refs.get(ref)
            if expected is not None and old is None:
                raise Refusal("NOT_FOUND", f"No ref found for '{ref}'.")
            if expected is not None and old != expected:
                message = f'Expected branch to point to "{expected}" but it did not.'
                raise Refusal("STALE_DATA", f"{message}  Pull and try again.")
            parent, who = old or refs[MAIN], person(login)
            committer = who if expected is None else FORGE
            if old is None:
                self.git.set_ref(ref, parent, ZERO)
            new = self.git.commit(ref, parent, files, message, who, committer, self.clock())
            self._moved(ref, old or ZERO, new, login)
            return new

    def tag(self, name: str, sha: str, login: str) -> None:
        self.create_ref(f"refs/tags/{name}", sha, login)

    def create_ref(self, ref: str, sha: str, login: str) -> None:
        with self.act():
            if not ref.startswith(("refs/heads/", "refs/tags/")):
                raise unprocessable(f"{ref} is not a valid ref name.")
            if ref in self.git.refs():
                raise unprocessable(f'A ref named "{ref}" already exists in the repository.')
            if self.git.resolve(sha) != sha:
                raise unprocessable("Object does not exist")
            try:
                self.git.set_ref(ref, sha, ZERO)
            except GitError as error:
                raise unprocessable(f"{ref} is not a valid ref name.") from error
            self._moved(ref, ZERO, sha, login)

    def delete_ref(self, ref: str, login: str) -> None:
        """Take a branch or tag away. An open pull request from it is closed by that."""
        with self.act():
            old = self.git.refs().get(ref)
            if old is None:
                raise Refusal("NOT_FOUND", f"Could not resolve to a node with the name '{ref}'.")
            if ref == MAIN:
                raise unprocessable("Cannot delete the default branch")
            self.git.set_ref(ref, ZERO, old)
            self._moved(ref, old, ZERO, login)

    def update_refs(self, updates: Sequence[RefUpdate], login: str) -> None:
        """Move all of them, or none if one of them may not move."""
        with self.act():
            refs = self.git.refs()
            olds = [refs.get(one.name, ZERO) for one in updates]
            for one, old in zip(updates, olds, strict=True):
                if one.before_oid not in (None, old):
                    raise Refusal("STALE_DATA", f"{one.name} is not at {one.before_oid}.")
                forward = ZERO in (old, one.after_oid) or self.git.contains(one.after_oid, old)
                if not (forward or one.force):
                    raise unprocessable(f"Update is not a fast forward: {one.name}")
                if one.after_oid != ZERO and self.git.resolve(one.after_oid) != one.after_oid:
                    raise unprocessable("Object does not exist")
            for one, old in zip(updates, olds, strict=True):
                if one.after_oid != old:
                    self.git.set_ref(one.name, one.after_oid, old)
                    self._moved(one.name, old, one.after_oid, login)

    def ping(self, login: str) -> None:
        """What GitHub sends when somebody adds the webhook."""
        with self.act():
            self._send("ping", letters.ping(self.shapes, login))

    def split(self, head: str) -> tuple[str, str, str]:
        """(owner, branch, ref) of `branch` or, in a fork, of `owner:branch`."""
        before, colon, after = head.partition(":")
        owner, branch = (before, after) if colon else (self.shapes.owner, before)
        branch = branch.removeprefix("refs/heads/")
        ours = owner == self.shapes.owner
        return owner, branch, f"refs/heads/{branch}" if ours else fork_ref(owner, branch)

    def _moved(self, ref: str, before: str, after: str, login: str) -> None:
        """A ref is somewhere else now: say so to the webhook and to who listens."""
        if not ref.startswith(("refs/heads/", "refs/tags/")):
            return  # a fork's: its own webhooks are not ours
        if after == ZERO:
            commits = []
        else:
            commits = self.git.log("-20", f"{before}..{after}" if before != ZERO else after)
        self._send("push", letters.push(self.shapes, ref, before, after, commits, login))
        if after != ZERO:
            self._outbox += [partial(call, ref, after) for call in self.on_push]

    def _send(self, event: str, body: Json) -> None:
        self._outbox.append(partial(self._send_now, event, body))

    @contextmanager
    def act(self) -> Iterator[None]:
        """One act at a time; what it has to say goes out when the outermost one has ended."""
        ready: list[Callable[[], None]] = []
        try:
            with self._lock:
                self._depth += 1
                try:
                    yield
                finally:
                    self._depth -= 1
                    if not self._depth:
                        ready, self._outbox = self._outbox, []
        finally:
            for call in ready:
                call()


def person(login: str) -> Person:
    return Person(login, address(login))


def read_tree(folder: Path) -> tuple[dict[str, bytes], set[str]]:
    """The files below a folder, without its .git, and which of them may be executed."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    files = {name: path for name, path in found.items() if path.is_file() and name[:5] != ".git/"}
    executable = {name for name, path in files.items() if os.access(path, os.X_OK)}
    return {name: path.read_bytes() for name, path in files.items()}, executable
