"""Refs, commits and files as GraphQL tells them."""

import hashlib
import re

from pydantic import BaseModel, Field, model_validator

PLAIN = (0o100644, 0o100755)


class Oid(BaseModel):
    """Whatever git names by its hash."""

    oid: str


class Blob(Oid):
    """A file's text, if GitHub takes it for one, and cut if it is long."""

    text: str | None = None
    is_truncated: bool = Field(default=False, alias="isTruncated")


class Entry(BaseModel):
    """A file in a commit, as git has it: `mode` tells a plain file from a link."""

    mode: int
    object: Blob | None

    @property
    def text(self) -> str | None:
        """The file, if it is a plain one and this is it, byte for byte."""
        blob = self.object
        if blob is None or blob.text is None or blob.is_truncated or self.mode not in PLAIN:
            return None
        return blob.text if oid_of(blob.text) == blob.oid else None


class Tree(Oid):
    """A commit with the files that were asked for; GraphQL tells them as file0, file1 and so on."""

    entries: list[Entry | None] = []

    @model_validator(mode="before")
    @classmethod
    def gather(cls, told: object) -> object:
        """Put the files in the order in which they were asked for."""
        if not isinstance(told, dict):
            return told
        names = [name for name in told if re.fullmatch(r"file\d+", name)]
        return {**told, "entries": [told[name] for name in sorted(names, key=lambda n: int(n[4:]))]}


class Parents(BaseModel):
    """What a commit stands on."""

    nodes: list[Tree] = []


class GateShown(BaseModel):
    """Our commit status as GitHub shows it: SUCCESS, FAILURE, PENDING, and a sentence."""

    state: str
    description: str | None = None


class Status(BaseModel):
    """What statuses a commit has, as far as it was asked."""

    context: GateShown | None = None


class Commit(Tree):
    """The commit at a branch."""

    changed_files: int | None = Field(default=None, alias="changedFilesIfAvailable")
    parents: Parents = Parents()
    status: Status | None = None


class Written(BaseModel):
    """A commit of the repository, by its first line."""

    oid: str
    headline: str = Field(alias="messageHeadline")


class History(BaseModel):
    """Commits, newest first."""

    nodes: list[Written] = []


class Built(Tree):
    """The commit that a wheel was built from, or another one that was asked for."""

    oid: str = ""
    history: History = History()


class Ref(BaseModel):
    """A branch."""

    id: str = ""
    target: Commit | None = None


def modes(commit: Tree) -> list[int | None]:
    """What kind of thing each file of a commit is; None where there is none."""
    return [entry.mode if entry else None for entry in commit.entries]


def oid_of(text: str) -> str:
    """What git calls these bytes. GitHub tells text, and another encoding shows only here."""
    data = text.encode(errors="surrogatepass")
    return hashlib.sha1(b"blob %d\0%b" % (len(data), data), usedforsecurity=False).hexdigest()
