"""Heroku releases against ours: which of them runs a version of ours, and which does not. Pure."""

from collections.abc import Iterable, Sequence

from bridge.errors import Reason
from bridge.heroku.client import HerokuRelease
from bridge.release import Release
from bridge.sentences import say


def current_of(theirs: Sequence[HerokuRelease]) -> HerokuRelease | None:
    """The one that runs."""
    return next((one for one in theirs if one.current), None)


def number_of(release: Release) -> int:
    """The Heroku release that brought this version, or 0."""
    deployed = release.facts.heroku
    return deployed.release if deployed and deployed.release else 0


def runs(theirs: HerokuRelease, release: Release) -> bool:
    """Whether it has the slug of this version, however often it was put back."""
    slug = release.facts.heroku.slug if release.facts.heroku else None
    return slug is not None and theirs.slug is not None and theirs.slug.id == slug


def still_runs(release: Release, theirs: Sequence[HerokuRelease]) -> bool:
    """Whether nothing else has run since this version was deployed."""
    since = [one for one in theirs if one.version >= number_of(release) and one.status != "failed"]
    return bool(since) and all(runs(one, release) for one in since)


def put_back(
    release: Release, theirs: Sequence[HerokuRelease], earlier: Iterable[Release]
) -> Release | None:
    """The version verified before that runs now, in a newer Heroku release than this version's."""
    current = current_of(theirs)
    if current is None or current.version <= number_of(release) or runs(current, release):
        return None
    return next((one for one in earlier if runs(current, one)), None)


def eligible(release: Release, theirs: Sequence[HerokuRelease]) -> list[HerokuRelease]:
    """Those older than this version's that can be put back, newest first: each is a slug with the
    config vars of its moment."""
    older = [one for one in theirs if one.version < number_of(release)]
    return [one for one in older if one.eligible_for_rollback]


def has(theirs: HerokuRelease, before: Release) -> bool:
    """Whether it is the Heroku release that brought this version, or has its slug."""
    return theirs.version == number_of(before) or runs(theirs, before)


def undone_with(
    release: Release, theirs: Sequence[HerokuRelease], done: HerokuRelease
) -> list[HerokuRelease]:
    """The config vars that were set while this version ran, oldest first: `done` has older ones."""
    since = [one for one in theirs if number_of(release) < one.version < done.version]
    ours = [one for one in since if runs(one, release)]
    return [one for one in reversed(ours) if not one.description.startswith("Rollback to ")]


def undone_by_hand(
    release: Release, theirs: Sequence[HerokuRelease], earlier: Iterable[Release]
) -> Reason | None:
    """Who has put an older version of ours back, and which; None while nobody has."""
    back, current = put_back(release, theirs, earlier), current_of(theirs)
    if back is None or current is None:
        return None
    names = {"version": back.version, "current": current.version, "release": number_of(release)}
    return say("undone_by_hand", who=current.who, what=current.description, **names)
