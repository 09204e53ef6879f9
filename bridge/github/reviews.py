"""Who approved a pull request, and who made what it brings. Asked only where policy wants it."""

from datetime import datetime

from pydantic import BaseModel, Field

from bridge.github import documents
from bridge.github.graphql import GraphQL, read
from bridge.github.sight import Actor
from bridge.github.tree import Oid


class Review(BaseModel):
    """A person's last word on a pull request: APPROVED, CHANGES_REQUESTED or DISMISSED."""

    state: str
    at: datetime | None = Field(alias="submittedAt")
    commit: Oid | None
    author: Actor | None


class _Reviews(BaseModel):
    nodes: list[Review]


class _GitActor(BaseModel):
    user: Actor | None


class _Authors(BaseModel):
    nodes: list[_GitActor]


class _Commit(BaseModel):
    oid: str
    authors: _Authors


class _Node(BaseModel):
    commit: _Commit


class _Commits(BaseModel):
    nodes: list[_Node]


class _Pull(BaseModel):
    reviews: _Reviews
    commits: _Commits


class _Target(BaseModel):
    tagger: _GitActor | None = None


class _Tag(BaseModel):
    target: _Target | None


class _Repository(BaseModel):
    built: _Commit | None
    tag: _Tag | None


class Reviewed(BaseModel):
    """The reviews of one pull request with the people behind it, as one query brings them."""

    nodes: list[_Pull | None]
    repository: _Repository

    @property
    def reviews(self) -> list[Review]:
        """Each person's last word."""
        return [review for pull in self.nodes if pull for review in pull.reviews.nodes]

    def makers(self, ours: str | None) -> list[Actor | None]:
        """Who wrote the model's commit, its tag, and what was pushed to our branch beside the
        commit `ours`; None for somebody whose address GitHub does not know."""
        built, tag = self.repository.built, self.repository.tag
        pushed = [node.commit for pull in self.nodes if pull for node in pull.commits.nodes]
        commits = [*([built] if built else []), *(one for one in pushed if one.oid != ours)]
        found = [author.user for commit in commits for author in commit.authors.nodes]
        if tag and tag.target and tag.target.tagger:
            found.append(tag.target.tagger.user)
        return found if built else [*found, None]


class Reviewers:
    """The part of GitHub's client that asks for reviews."""

    _graphql: GraphQL
    _owner: str
    _name: str

    async def reviews(self, pull_id: str, built: str | None, tag: str | None) -> Reviewed:
        """Who approved a pull request, and who made the commit and the tag it is about.

        Raises Unavailable.
        """
        names = {"owner": self._owner, "name": self._name, "pulls": [pull_id]}
        about = {"built": built or "", "tag": f"refs/tags/{tag or ''}"}
        return read(Reviewed, await self._graphql.speak(documents.REVIEWS, {**names, **about}))
