"""The title and body of a pull request: for a person who must decide in ten seconds. Pure."""

from bridge.model_card import Comparison, MetricChange
from bridge.policy import Pipeline
from bridge.release import Release


def title(release: Release, old: str) -> str:
    """One line: what moves, from where to where."""
    return f"Bump {release.package} from {old} to {release.version}"


def body(
    release: Release,
    old: str,
    comparison: Comparison | None,
    pipeline: Pipeline,
    page: str,
    chain_head: str,
) -> str:
    """What changes, what proves it, what happens on merge, and the audit head as a witness."""
    facts = release.facts
    ci = f"[{facts.ci.job or facts.ci.workflow}]({facts.ci.url})" if facts.ci else "not announced"
    on_merge = (
        f"Bridge builds `{pipeline.app_root}/` at the merge commit on Heroku app `{pipeline.app}`"
        if pipeline.deploy == "build"
        else f"Somebody else deploys to Heroku app `{pipeline.app}`, and Bridge watches"
    )
    proof = (
        f"the running API reports this version and this model {pipeline.policy.verify.matches} "
        "times in a row and gives the model's known answers"
    )
    return "\n".join(
        [
            f"**{release.package} {old} → {release.version}** in `{pipeline.requirements}`.",
            "",
            *(_metrics(comparison) if comparison else ["The wheel carries no model card."]),
            "",
            "| | |",
            "| --- | --- |",
            f"| wheel | `{facts.file}`, {(facts.size or 0) / 1000:,.0f} kB |",
            f"| digest | `{facts.digest}` |",
            f"| commit | `{facts.commit or 'unknown'}` {facts.tag or ''} |",
            f"| CI job | {ci} |",
            *(_data(release, comparison)),
            *(_resolved(release)),
            "",
            f"**On merge** {on_merge}, and calls it verified when {proof}. {_otherwise(pipeline)}",
            "",
            "Close this pull request to decline the version; it will not be proposed again.",
            "",
            f"[Release page]({page}) · audit head `{chain_head}`",
        ]
    )


def _otherwise(pipeline: Pipeline) -> str:
    if pipeline.policy.rollback == "ask":
        return "If not, it says so and leaves the rollback to a person."
    return "If not, the last verified version is put back, if there is one."


def _metrics(comparison: Comparison) -> list[str]:
    rows = [
        f"| {metric.name} | {_number(metric.old)} | {_number(metric.new)} | {_change(metric)} |"
        for metric in comparison.metrics
    ]
    notes = [
        f"Features {word}: {', '.join(f'`{name}`' for name in names)}"
        for word, names in (
            ("added", comparison.features_added),
            ("removed", comparison.features_removed),
        )
        if names
    ]
    libraries = [
        f"`{name}` {old or '–'} → {new or '–'}"
        for name, (old, new) in comparison.libraries_changed.items()
    ]
    if libraries:
        notes.append(f"Libraries: {', '.join(libraries)}")
    separated = [line for note in notes for line in ("", note)]
    return ["| metric | before | now | |", "| --- | --: | --: | --: |", *rows, *separated]


def _data(release: Release, comparison: Comparison | None) -> list[str]:
    data = release.facts.card.data if release.facts.card else None
    if data is None:
        return []
    same = {True: "the same as before", False: "other data than before", None: "not compared"}
    told = same[comparison.same_data if comparison else None]
    return [f"| data | {data.source}, {data.rows:,} rows, `{data.sha256[:12]}…`, {told} |"]


def _resolved(release: Release) -> list[str]:
    facts = release.facts
    if facts.resolved_for is None:
        return ["| installs | not resolved beforehand |"]
    size = "" if facts.forecast_mb is None else f", {facts.forecast_mb} MB of wheels"
    return [
        f"| installs | resolved beforehand for Python {facts.resolved_for}{size} |",
        *(f"| moves too | `{m.name}` {m.old or '–'} → {m.new or '–'} |" for m in facts.moved),
    ]


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.6g}"


def _change(metric: MetricChange) -> str:
    return "" if metric.change is None else f"{metric.change:+.1%}"
