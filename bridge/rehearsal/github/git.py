"""A bare repository, driven by git's own plumbing with as few processes as will do."""

import os
import subprocess
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

ZERO = "0" * 40
FORMAT = "%x01%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B"


class GitError(Exception):
    """Git said no; the message is its own."""


@dataclass(frozen=True)
class Person:
    name: str
    email: str


@dataclass(frozen=True)
class Commit:
    """One commit as git tells it; times are ISO 8601."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    authored_at: str
    committer: Person
    committed_at: str
    message: str


class Git:
    """`merge_tree`, `size` and `entry` remember their answers: a commit never changes."""

    def __init__(self, bare: Path) -> None:
        self.bare = bare
        self._merges: dict[tuple[str, str], str | None] = {}
        self._sizes: dict[tuple[str, str], tuple[int, int, int, int]] = {}
        self._entries: dict[tuple[str, str], tuple[int, str, str, bytes] | None] = {}
        # A person's own git settings must not reach the rehearsal.
        self._env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "LC_ALL": "C",
        }

    def create(self) -> None:
        """An empty repository with the default branch main."""
        self.bare.parent.mkdir(parents=True, exist_ok=True)
        self._run("init", "--quiet", "--bare", "--template=", "--initial-branch=main", self.bare)
        with (self.bare / "config").open("a") as config:
            # Everything here is thrown away in the end, so nothing waits for the disk.
            config.write("[core]\n\tfsync = none\n[gc]\n\tauto = 0\n")

    def refs(self) -> dict[str, str]:
        """Every ref and the commit that it leads to, through an annotated tag also."""
        form = "%(refname) %(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)"
        lines = self._run("for-each-ref", f"--format={form}").decode().splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def read(self, expression: str) -> tuple[str, str, bytes] | None:
        """(sha, type, content) of `main:path`, a ref or a sha; None if there is no such thing."""
        if "\n" in expression:
            return None
        answer = self._run("cat-file", "--batch", data=expression.encode() + b"\n")
        head, _, rest = answer.partition(b"\n")
        words = head.decode().split(" ")
        if len(words) != 3 or not words[2].isdigit():
            return None
        return words[0], words[1], rest[: int(words[2])]

    def entry(self, commit: str, path: str) -> tuple[int, str, str, bytes] | None:
        """(mode, sha, type, content) of what a commit has at a path; None if there is nothing."""
        key = (commit, path)
        if key not in self._entries:
            listed = self._run("--literal-pathspecs", "ls-tree", "-z", commit, "--", path)
            told, _, name = listed.decode().rstrip("\0").partition("\t")
            found = self.read(told.split()[2]) if told and name == path else None
            self._entries[key] = (int(told.split()[0], 8), *found) if found else None
        return self._entries[key]

    def resolve(self, name: str) -> str | None:
        """The commit that a branch, tag or sha means."""
        found = self.read(f"{name}^{{commit}}")
        return found[0] if found else None

    def commit(
        self,
        ref: str,
        parent: str | None,
        files: Mapping[str, bytes | None],
        message: str,
        author: Person,
        committer: Person,
        when: datetime,
        executable: Container[str] = (),
    ) -> str:
        """Put a commit on `ref` and return its sha; a file that is None goes away.

        Raises GitError if the ref has moved to where the commit would not follow.
        """
        parts = [
            f"commit {ref}\nmark :1\n".encode(),
            f"author {author.name} <{author.email}> {stamp(when)}\n".encode(),
            f"committer {committer.name} <{committer.email}> {stamp(when)}\n".encode(),
            data(message.encode()),
            f"from {parent}\n".encode() if parent else b"",
        ]
        for path, content in files.items():
            if content is None:
                parts.append(f"D {quoted(path)}\n".encode())
            else:
                mode = "100755" if path in executable else "100644"
                parts += [f"M {mode} inline {quoted(path)}\n".encode(), data(content)]
        parts.append(b"\nget-mark :1\n")
        answer = self._run("fast-import", "--quiet", data=b"".join(parts))
        return answer.decode().strip()

    def merge_tree(self, base: str, head: str) -> str | None:
        """The tree that merging `head` into `base` gives, or None if they conflict."""
        if (base, head) not in self._merges:
            done = self._start("merge-tree", "--write-tree", base, head)
            if done.returncode > 1:
                raise GitError(done.stderr.decode().strip())
            tree = done.stdout.decode().split("\n", 1)[0]
            self._merges[base, head] = None if done.returncode else tree
        return self._merges[base, head]

    def commit_tree(
        self, tree: str, parents: Sequence[str], message: str, author: Person, when: datetime
    ) -> str:
        """A commit, on no ref yet. The committer is the forge, as for a pressed merge button."""
        arguments = [word for parent in parents for word in ("-p", parent)]
        env = {
            "GIT_AUTHOR_NAME": author.name,
            "GIT_AUTHOR_EMAIL": author.email,
            "GIT_AUTHOR_DATE": stamp(when),
            "GIT_COMMITTER_NAME": FORGE.name,
            "GIT_COMMITTER_EMAIL": FORGE.email,
            "GIT_COMMITTER_DATE": stamp(when),
        }
        answer = self._run("commit-tree", tree, *arguments, data=message.encode(), env=env)
        return answer.decode().strip()

    def set_ref(self, ref: str, new: str, old: str) -> None:
        """Move a ref from `old` to `new`; ZERO stands for "there is none"."""
        if new == ZERO:
            self._run("update-ref", "-d", ref, old)
        else:
            self._run("update-ref", ref, new, old)

    def log(self, *revisions: str) -> list[Commit]:
        """Commits, newest first: `log("a..b")`, or `log("-1", "b")` for one."""
        text = self._run("log", f"--format={FORMAT}", *revisions, "--").decode()
        return [parse_commit(part) for part in text.split("\x01")[1:]]

    def contains(self, outer: str, inner: str) -> bool:
        return self._start("merge-base", "--is-ancestor", inner, outer).returncode == 0

    def size(self, base: str, head: str) -> tuple[int, int, int, int]:
        """(commits, files, lines added, lines taken away) between a base and a head."""
        if (base, head) in self._sizes:
            return self._sizes[base, head]
        rows = self._run("diff", "--numstat", f"{base}...{head}").decode().splitlines()
        counts = [line.split("\t")[:2] for line in rows]
        added = sum(int(count[0]) for count in counts if count[0] != "-")
        gone = sum(int(count[1]) for count in counts if count[1] != "-")
        commits = int(self._run("rev-list", "--count", f"{base}..{head}"))
        self._sizes[base, head] = commits, len(rows), added, gone
        return self._sizes[base, head]

    def diff(self, base: str, head: str) -> str:
        return self._run("diff", f"{base}...{head}").decode(errors="replace")

    def show(self, sha: str) -> str:
        return self._run("show", "--first-parent", sha, "--").decode(errors="replace")

    def archive(self, sha: str, prefix: str) -> bytes:
        return self._run("archive", "--format=tar.gz", f"--prefix={prefix}/", sha)

    def _run(
        self, *arguments: str | Path, data: bytes = b"", env: Mapping[str, str] | None = None
    ) -> bytes:
        done = self._start(*arguments, data=data, env=env)
        if done.returncode:
            raise GitError(f"git {arguments[0]}: {done.stderr.decode().strip()}")
        return done.stdout

    def _start(
        self, *arguments: str | Path, data: bytes = b"", env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        command = ["git", f"--git-dir={self.bare}", *arguments]
        environment = self._env | dict(env or {})
        return subprocess.run(
            command, input=data, env=environment, capture_output=True, check=False
        )


FORGE = Person("GitHub", "noreply@github.com")


def stamp(when: datetime) -> str:
    return f"{int(when.timestamp())} +0000"


def data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def quoted(path: str) -> str:
    """A path as fast-import wants it: in quotes, so that no name is taken for syntax."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def parse_commit(text: str) -> Commit:
    sha, tree, parents, an, ae, at, cn, ce, ct, message = text.split("\x00", 9)
    return Commit(
        sha, tree, tuple(parents.split()), Person(an, ae), at, Person(cn, ce), ct, message.strip()
    )
