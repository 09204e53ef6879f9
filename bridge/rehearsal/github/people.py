"""The people whom a GraphQL query sees: actors, authors, taggers, reviewers."""

from bridge.rehearsal.github.accounts import Json, iso
from bridge.rehearsal.github.git import Git
from bridge.rehearsal.github.state import Pull, account_id, address


def actor(login: str | None) -> Json | None:
    """A bot's login has no [bot] here, unlike in REST and in webhooks: GitHub does so."""
    if login is None:
        return None
    kind = "Bot" if login.endswith("[bot]") else "User"
    name = login.removesuffix("[bot]")
    return {"__typename": kind, "login": name, "databaseId": account_id(login)}


def git_actor(email: str) -> Json:
    """Who stands in a commit or tag: a user only where GitHub knows the address. Bots are none."""
    name = email.removesuffix("@users.noreply.github.com").partition("+")[2]
    known = name and not name.endswith("[bot]") and address(name) == email
    return {"user": {"login": name, "databaseId": account_id(name)} if known else None}


def review(one: Pull, login: str) -> Json:
    sha, at = one.reviewed[login]
    return {
        "state": one.reviews[login],
        "submittedAt": iso(at),
        "commit": {"oid": sha},
        "author": actor(login),
    }


def tag(git: Git, full: str) -> Json | None:
    """An annotated tag; None for a branch and for a tag that is only a name."""
    oid, kind, content = git.read(full) or ("", "", b"")
    if kind != "tag":
        return None
    email = content.decode(errors="replace").partition("\ntagger ")[2].partition("<")[2]
    return {"__typename": "Tag", "oid": oid, "tagger": git_actor(email.partition(">")[0])}
