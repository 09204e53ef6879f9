"""The title and body of a pull request: for a person who must decide in ten seconds. Pure.

Verdict first, then the numbers behind it, what else changes, what proves it, what happens next.
Whatever was said outside goes through `markdown.code`, and every list has an end.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bridge.configuration import Pipeline
from bridge.gates import difference, headline, judge, number, rules
from bridge.markdown import code, link, plain
from bridge.model_card import Comparison, ModelCard, compare
from bridge.release import Release
from bridge.sentences import capped, say, span

MARKS = {
    "model_better": "✓",
    "model_same": "=",
    "model_mixed": "≈",
    "model_worse": "▼",
    "model_unknown": "?",
    "gate_broken": "✗",
    "gate_not_judged": "✗",
}
VERDICTS = {"passed": "✓", "broken": "✗", "unknown": "?"}
MOST_METRICS, MOST_NAMES, MOST_COMMITS = 30, 20, 15
SLUG_LIMIT_MB = 500


@dataclass(frozen=True)
class Change:
    """All that the text is made from.

    `old` is the version that the branch pins, `before` the release verified last, `repository` the
    page of the repository and `history` its commits (sha, first line) from the one that was built,
    newest first; empty where the model is not built from this repository.
    """

    release: Release
    pipeline: Pipeline
    old: str
    before: Release | None
    page: str
    repository: str
    history: Sequence[tuple[str, str]]
    chain_head: str


def title(release: Release, old: str) -> str:
    """One line: what moves, from where to where."""
    return f"Bump {release.package} from {old} to {release.version}"


def body(change: Change) -> str:
    """The whole text, far below GitHub's 65,536 characters."""
    card = change.release.facts.card
    known = change.before.facts.card if change.before else None
    comparison = compare(known, card) if card else None
    last = f"[Release page]({change.page}) · audit head `{change.chain_head}`"
    parts = [
        _verdict(change),
        _metrics(change, comparison),
        _changes(change, comparison),
        _commits(change),
        _proof(change),
        _what_happens(change),
        [last, _marker(change)],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _verdict(change: Change) -> list[str]:
    release, policy = change.release, change.pipeline.policy
    verdict = headline(policy.gates, release.facts.card, change.before)
    moves = f"**{release.package} {change.old} → {release.version}**"
    where = code(change.pipeline.requirements)
    alone = "" if release.facts.moved else ", and nothing else"
    return [
        f"### {MARKS[verdict.code]} {plain(verdict.sentence)}",
        "",
        f"{moves} in {where}{alone}.",
    ]


def _metrics(change: Change, comparison: Comparison | None) -> list[str]:
    release, before, gates = change.release, change.before, change.pipeline.policy.gates
    judged = {one.metric: one for one in judge(gates, release.facts.card, before)}
    moved = {one.name: (one.old, one.new) for one in comparison.metrics} if comparison else {}
    names = sorted([*moved, *(gates.keys() - moved.keys())], key=lambda name: name not in gates)
    if not names:
        return ["The wheel carries no model card, so nothing is known of its metrics."]
    rows = []
    for name in names[:MOST_METRICS]:
        old, new = moved.get(name, (None, None))
        gate = gates.get(name)
        said = f"{VERDICTS[judged[name].verdict]} {rules(gate)}" if gate else ""
        changed = "" if old is None or new is None else _changed(old, new)
        rows.append(f"| {code(name)} | {number(old)} | {number(new)} | {changed} | {said} |")
    was = before.version if before else "before"
    table = [
        f"| metric | {was} | {release.version} | difference | gate |",
        "| --- | --: | --: | --: | --- |",
        *rows,
    ]
    if len(names) > MOST_METRICS:
        table += ["", f"… and {len(names) - MOST_METRICS} more metrics on the release page."]
    if before and before.version != change.old:
        table += ["", f"Compared with {before.version}, which was verified last."]
    return table


def _changed(old: float, new: float) -> str:
    return "=" if old == new else difference(old, new)


def _changes(change: Change, comparison: Comparison | None) -> list[str]:
    card, facts = change.release.facts.card, change.release.facts
    lines = []
    if card and card.data:
        same = {True: "the same as before", False: "**not the same as before**", None: ""}
        told = same[comparison.same_data if comparison else None]
        digest = code(f"sha256:{card.data.sha256[:12]}…")
        said = f"{code(card.data.source)}, {card.data.rows:,} rows, {digest}"
        lines.append(f"- **Data**: {said}{', ' if told else ''}{told}")
    if card and comparison:
        lines.append(f"- **Features**: {_features(card, comparison, change.before)}")
        libraries = [
            f"{code(name)} {_from_to(old, new)}"
            for name, (old, new) in comparison.libraries_changed.items()
        ]
        lines.append(f"- **Libraries it was trained with**: {_listed(libraries) or 'the same'}")
    moved = [f"{code(one.name)} {_from_to(one.old, one.new)}" for one in facts.moved]
    if moved:
        lines.append(f"- **Also moved in the file**: {_listed(moved)}")
    if facts.public_twin:
        names = {"package": change.release.package, "version": change.release.version}
        told = say("public_twin", twin=facts.public_twin, **names).sentence
        lines.append(f"- **Take care**: {plain(told)}")
    return lines


def _features(card: ModelCard, comparison: Comparison, before: Release | None) -> str:
    added, removed = comparison.features_added, comparison.features_removed
    told = [
        f"**{word}** {_listed([code(name) for name in names])}"
        for word, names in (("added", added), ("removed", removed))
        if names
    ]
    same = "the same " if before and before.facts.card else ""
    return "; ".join(told) or f"{same}{len(card.features)}"


def _commits(change: Change) -> list[str]:
    """What was built since: only where the model is built from this very repository."""
    if not change.history or not change.repository:
        return []
    before = change.before.facts.commit if change.before else None
    shas = [sha for sha, _ in change.history]
    if before is None or before not in shas[1:]:
        return []
    since = change.history[: shas.index(before)]
    tags = [one.facts.tag for one in (change.before, change.release) if one]
    told = " … ".join(tag for tag in tags if tag) or "all changes"
    compared = link(told, f"{change.repository}/compare/{before}...{shas[0]}")
    commits = [
        f"- {link(sha[:8], f'{change.repository}/commit/{sha}')} {code(subject, 80)}"
        for sha, subject in since[:MOST_COMMITS]
    ]
    more = len(since) - MOST_COMMITS
    return [
        f"<details><summary>Commits since the last version: {len(since)}</summary>",
        "",
        *commits,
        *([f"- … and {more} more"] if more > 0 else []),
        "",
        f"Compare {compared}",
        "</details>",
    ]


def _proof(change: Change) -> list[str]:
    facts, ci = change.release.facts, change.release.facts.ci
    where = f"{change.repository}/commit/{facts.commit}" if change.history else None
    commit = link((facts.commit or "unknown")[:12], where)
    rows = [
        ("wheel", f"{code(facts.file or '?', 120)}, {(facts.size or 0) / 1000:,.0f} kB"),
        ("digest", code(facts.digest or "?", 80)),
        ("commit", f"{commit} {code(facts.tag) if facts.tag else ''}"),
        ("CI run", link(ci.job or ci.workflow or "run", ci.url) if ci else "not announced"),
    ]
    if facts.provenance:
        rows.append(("provenance", plain(capped(facts.provenance.sentence, 300))))
    rows.append(("installs", _installs(change)))
    return ["| | |", "| --- | --- |", *(f"| {name} | {told} |" for name, told in rows)]


def _installs(change: Change) -> str:
    facts = change.release.facts
    if facts.resolved_for is None:
        return "not resolved beforehand"
    told = f"resolved beforehand for Python {code(facts.resolved_for)}"
    if facts.forecast_mb is None:
        return told
    return f"{told}, {facts.forecast_mb:,} MB of wheels; Heroku takes {SLUG_LIMIT_MB} MB"


def _what_happens(change: Change) -> list[str]:
    pipeline, policy = change.pipeline, change.pipeline.policy
    app = code(pipeline.app)
    on_merge = (
        f"Bridge builds {code(pipeline.app_root + '/')} at the merge commit on Heroku app {app}"
        if pipeline.deploy == "build"
        else f"Somebody else deploys to Heroku app {app}, and Bridge watches"
    )
    proof = (
        f"the running API reports this version and this model {policy.verify.matches} times in a "
        "row and gives the model's known answers"
    )
    by_itself = "The bridge merges it when every check is green."
    who = by_itself if policy.merge == "auto" else "A person merges it."
    within = span(policy.verify.within.total_seconds())
    last = f"version {change.before.version}" if change.before else "nothing: none was verified yet"
    otherwise = (
        f"If that does not come within {within}, the bridge puts back {last}."
        if policy.rollback == "auto"
        else f"If that does not come within {within}, the bridge says so, and a person rolls back."
    )
    return [
        f"**On merge.** {who} {on_merge}, and calls it verified when {proof}.",
        "",
        f"**Rolling back.** {otherwise} Whoever may deploy {app} can do it at any time: "
        f"`heroku rollback --app {pipeline.app}`, and revert this pull request.",
        "",
        "**Declining.** Close this pull request; the version will not be proposed again.",
    ]


def _marker(change: Change) -> str:
    """For programs: what this pull request is about. Nothing in it can end the comment."""
    release = change.release
    told = {
        "release": release.id,
        "package": release.package,
        "version": release.version,
        "digest": release.facts.digest,
        "chain_head": change.chain_head,
    }
    return f"<!-- bridge {json.dumps(told).replace('>', chr(92) + 'u003e')} -->"


def _listed(told: Sequence[str]) -> str:
    more = len(told) - MOST_NAMES
    return ", ".join([*told[:MOST_NAMES], *([f"and {more} more"] if more > 0 else [])])


def _from_to(old: str | None, new: str | None) -> str:
    return f"{code(old, 30) if old else '–'} → {code(new, 30) if new else '–'}"
