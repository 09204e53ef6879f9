"""From the tag to the readings: what shows that a release is what it says. Pure."""

from bridge.configuration import Pipeline
from bridge.gates import headline, judge, rules
from bridge.model_card import compare
from bridge.release import Release
from bridge.web import shapes


def comparison(
    release: Release, before: Release | None, pipeline: Pipeline | None
) -> shapes.Comparison | None:
    """The model against the version verified before it; None where the wheel has no card."""
    card, gates = release.facts.card, pipeline.policy.gates if pipeline else {}
    if card is None:
        return None
    found = compare(before.facts.card if before else None, card)
    verdicts = {one.metric: one.verdict for one in judge(gates, card, before)}
    names = {one.name for one in found.metrics}
    rows = [
        shapes.Compared(
            name=one.name,
            old=one.old,
            new=one.new,
            change=one.change,
            verdict=verdicts.get(one.name),
            rule=rules(gates[one.name]) if one.name in gates else "",
        )
        for one in found.metrics
    ]
    rows += [
        shapes.Compared(
            name=name, old=None, new=None, change=None, verdict=verdicts[name], rule=rules(gate)
        )
        for name, gate in gates.items()
        if name not in names
    ]
    return shapes.Comparison(
        old_version=before.version if before and before.facts.card else None,
        new_version=release.version,
        headline=headline(gates, card, before),
        metrics=rows,
        features_added=found.features_added,
        features_removed=found.features_removed,
        libraries_changed=[
            shapes.Changed(name=name, old=old, new=new)
            for name, (old, new) in found.libraries_changed.items()
        ],
        same_data=found.same_data,
    )


def links(release: Release, pipeline: Pipeline | None) -> list[shapes.Evidence]:
    """In the order of the way; what is not known yet is left out."""
    facts, found = release.facts, list[shapes.Evidence]()
    page = _repository(release)

    def add(name: str, text: str | None, url: str | None = None) -> None:
        if text:
            found.append(shapes.Evidence(name=name, text=text, url=_web(url)))

    add("tag", facts.tag, page and f"{page}/tree/{facts.tag}")
    add("commit", facts.commit, page and f"{page}/commit/{facts.commit}")
    if facts.ci:
        add("CI job", facts.ci.job or facts.ci.workflow or facts.ci.system, facts.ci.url)
    digest = facts.digest or facts.announced_digest
    shelf = f"{pipeline.index.rstrip('/')}/{release.package}/" if pipeline else None
    add("wheel", " ".join(filter(None, (facts.file, digest))), shelf)
    if facts.provenance:
        add("built by", facts.provenance.sentence)
    if facts.pull_request:
        add("pull request", f"#{facts.pull_request.number}", facts.pull_request.url)
    if facts.merge_sha:
        by = f" by {facts.merged_by}" if facts.merged_by else ""
        add("merge", f"{facts.merge_sha}{by}", page and f"{page}/commit/{facts.merge_sha}")
    if facts.heroku:
        number = f"v{facts.heroku.release}, " if facts.heroku.release else ""
        add("build", f"{number}{facts.heroku.build}")
    good = [one for one in facts.readings if one.verdict == "matches"]
    if good:
        at = f"{pipeline.api_url.rstrip('/')}/api/v1/health" if pipeline else None
        add("readings", f"{len(good)} of {len(facts.readings)} match", at)
    return found


def _repository(release: Release) -> str | None:
    """The repository's page, as the pull request's address begins with it."""
    pull = release.facts.pull_request
    page, found, _ = pull.url.rpartition("/pull/") if pull else ("", "", "")
    return page if found else None


def _web(url: str | None) -> str | None:
    """Only what a browser may follow."""
    return url if url and url.startswith(("https://", "http://")) else None
