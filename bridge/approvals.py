"""Approvals: so many of these people, and nobody for what they made themselves. Pure."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bridge.errors import Reason
from bridge.github.reviews import Review, Reviewed
from bridge.github.sight import Actor
from bridge.sentences import say


class Approvals(BaseModel):
    """How many of which people approve a version on GitHub before it is merged.

    A person is a login, or GitHub's number of the account, which outlives a change of the login.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    count: int = Field(ge=1)
    people: tuple[str | int, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def can_be_given(self) -> "Approvals":
        """Nobody approves twice."""
        if self.count > len(set(self.people)):
            raise ValueError("fewer people than approvals")
        return self


def lacking(
    rule: Approvals | None,
    seen: Reviewed | None,
    *,
    head: str | None,
    ours: str | None,
    at: datetime,
) -> Reason | None:
    """What is missing at `at` of the approvals of a pull request at `head`, or None.

    `seen` is None where there is no pull request, `ours` the commit that the bridge wrote.
    """
    if rule is None:
        return None
    if seen is None:
        return say("approvals_missing", have=0, count=rule.count, who=_named(rule, []), own="")
    makers = seen.makers(ours)
    known = [maker for maker in makers if maker]
    if len(known) < len(makers):
        return say("maker_unknown")
    mine = [one for one in seen.reviews if one.author and _is_named(one.author, rule)]
    if no := next((one.author for one in mine if one.state == "CHANGES_REQUESTED"), None):
        return say("approver_wants_changes", who=no.login)
    given = [one.author for one in mine if one.author and _counts(one, head, at)]
    own = sorted(one.login for one in given if _is_one_of(one, known))
    have = [one for one in given if not _is_one_of(one, known)]
    if len(have) >= rule.count:
        return None
    told = f" {', '.join(own)} made it, so that does not count." if own else ""
    who = _named(rule, [*have, *known])
    return say("approvals_missing", have=len(have), count=rule.count, who=who, own=told)


def _counts(review: Review, head: str | None, at: datetime) -> bool:
    is_here = review.commit is not None and review.commit.oid == head
    return review.state == "APPROVED" and is_here and review.at is not None and review.at <= at


def _is_named(person: Actor, rule: Approvals) -> bool:
    return any(_is(person, name) for name in rule.people)


def _is(person: Actor, name: str | int) -> bool:
    if isinstance(name, int):
        return person.database_id == name
    return person.login.casefold() == name.casefold()


def _is_one_of(person: Actor, people: list[Actor]) -> bool:
    return any(person.is_the_same_as(one) for one in people)


def _named(rule: Approvals, without: list[Actor]) -> str:
    """Who could still give one."""
    left = [name for name in rule.people if not any(_is(one, name) for one in without)]
    return ", ".join(str(name) for name in left) or "nobody else"
