"""What our pull request changes: the pin, in every file that says it, and nothing else."""

from collections.abc import Mapping

from bridge import pins
from bridge.configuration import Pipeline
from bridge.errors import Refused
from bridge.github.sight import SeenPull, Sight
from bridge.pins import Pin
from bridge.release import Release
from bridge.sentences import say

Texts = Mapping[str, str | None]


def pinned(texts: Texts, release: Release, pipeline: Pipeline) -> Pin:
    """The pin that the deploy installs. Raises Refused where it must not be guessed."""
    return pins.find_in(_all(texts, pipeline), pipeline.requirements, release.package)


def wanted(texts: Texts, release: Release, pipeline: Pipeline) -> dict[str, str]:
    """The files that change, as we write them. Raises Refused for a pin without a hash."""
    digests = [release.facts.digest or ""]
    files, names = _all(texts, pipeline), (release.package, release.version)
    bumped = pins.bump_in(files, pipeline.requirements, *names, digests)
    if not bumped.after.hashes:
        where = {"line": bumped.after.number, "path": bumped.after.path}
        if twin := release.facts.public_twin:
            told = {"package": release.package, "version": release.version}
            raise Refused(say("foreign_package", twin=twin, **told))
        raise Refused(say("pin_without_hash", package=release.package, **where))
    return bumped.files


def is_only_ours(sight: Sight, pull: SeenPull, release: Release, pipeline: Pipeline) -> bool:
    """The pull request is one commit, which makes of the files before it what we make of them, and
    changes nothing else. What uv compiled is only known by its commit, which we remember."""
    if release.facts.moved:
        return pull.commits.total == 1 and pull.changed_files == len(pipeline.files)
    try:
        files = wanted(sight.parent_texts, release, pipeline)
    except Refused:
        return False
    alone = pull.commits.total == 1 and pull.changed_files == len(files)
    return alone and sight.head_is_only(files)


def _all(texts: Texts, pipeline: Pipeline) -> dict[str, str]:
    """Every file of the pipeline; raises Refused where one is missing."""
    found = {path: texts[path] for path in pipeline.files}
    for path, text in found.items():
        if text is None:
            raise Refused(say("no_requirements_file", path=path, branch=pipeline.branch))
    return {path: text for path, text in found.items() if text is not None}
