"""Before a pull request is made: the consumer's whole file resolves, for its own Python."""

from collections.abc import Mapping

from bridge import pins
from bridge.errors import Refused
from bridge.github.sight import Sight
from bridge.release import Release
from bridge.sentences import say
from bridge.steps.world import Learned, World
from bridge.uv.client import DoesNotResolve
from bridge.uv.files import entries, head, moved, python_of, told, whole
from bridge.uv.lock import Resolution

SLUG_LIMIT_MB = 500
"""Of the compressed slug. Source: https://devcenter.heroku.com/articles/slug-compiler"""
CERTAINLY_TOO_BIG = 2 * SLUG_LIMIT_MB
"""Wheels are compressed, too: packed again they do not become half as large."""


async def resolve(
    release: Release, world: World, sight: Sight, files: Mapping[str, str]
) -> tuple[dict[str, str], Learned]:
    """The files to propose, and what is known of them: `files`, if the deployed one resolves so;
    else, if the pipeline says so, with that one compiled anew.

    Raises Refused when nothing fits or it cannot be asked, Unavailable when there is no answer.
    """
    pipeline = world.pipeline
    if not pipeline.policy.resolve:
        return dict(files), {}
    main = pipeline.requirements
    texts = {path: files.get(path) or sight.texts[path] or "" for path in pipeline.files}
    python = python_of(*(sight.texts[path] for path in pipeline.looks_at[-2:]))
    learned: Learned = {"resolved_for": python, "moved": []}
    try:
        found = await _resolution(release, world, texts, python)
    except DoesNotResolve as conflict:
        names = _names(release, main)
        if pipeline.strategy == "pin":
            raise Refused(say("does_not_resolve", python=python, why=conflict, **names)) from None
        source = files.get(pipeline.source) or sight.texts[pipeline.source]
        present = sight.head_texts[main] or texts[main]
        compiled = await _compiled(release, world, source, present, python, str(conflict))
        files, texts = {**files, main: compiled}, {**texts, main: compiled}
        try:
            found = await _resolution(release, world, texts, python)
        except DoesNotResolve as still:
            raise Refused(say("does_not_resolve", python=python, why=still, **names)) from None
        learned["moved"] = moved(sight.texts[main] or "", compiled, main, release.package)
    learned["forecast_mb"] = _forecast(release, found, main)
    return dict(files), learned


async def _resolution(
    release: Release, world: World, texts: Mapping[str, str], python: str
) -> Resolution:
    demanded, constraining = whole(texts, world.pipeline.requirements)
    found = await world.resolver.lock(told(demanded), release.package, python, told(constraining))
    if missing := found.missing([*demanded, *constraining]):
        raise DoesNotResolve(missing)
    return found


async def _compiled(
    release: Release, world: World, source: str | None, present: str, python: str, why: str
) -> str:
    """The file compiled from its `.in` with the new version. What our branch holds already stays,
    so that a second look finds what the first one wrote."""
    pipeline = world.pipeline
    path = pipeline.requirements
    names = _names(release, path)
    if source is None:
        where = {"source": pipeline.source, "branch": pipeline.branch}
        raise Refused(say("no_source", why=why, **where, **names))
    try:
        compiled = await world.resolver.compile(
            told(entries(source, pipeline.source)),
            f"{release.package}=={release.version}",
            told(entries(present, path)),
            python,
            universal=any(entry.requirement.marker for entry in entries(present, path)),
            annotate="# via" in present,
        )
    except DoesNotResolve as conflict:
        raise Refused(say("does_not_resolve", python=python, why=conflict, **names)) from None
    text, it = head(present, path) + compiled, (release.package, release.version)
    return pins.bump_in({path: text}, path, *it, [release.facts.digest or ""]).files.get(path, text)


def _forecast(release: Release, found: Resolution, path: str) -> int | None:
    size = found.size_mb({release.package: release.facts.size or 0})
    if size is not None and size > CERTAINLY_TOO_BIG:
        names = _names(release, path)
        raise Refused(say("too_big", size=size, limit=SLUG_LIMIT_MB, **names))
    return size


def _names(release: Release, path: str) -> dict[str, str]:
    return {"package": release.package, "version": release.version, "path": path}
