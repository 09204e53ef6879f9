"""Title and body of the pull request that puts the pin back after a rollback. Pure."""

import json

from bridge.configuration import Pipeline
from bridge.markdown import code, link, plain
from bridge.release import Release

BRIDGE = "bridge"
BY_A_PERSON = "A person wanted it so; the release page tells who, and why."


def title(release: Release, back: Release) -> str:
    """One line: what is put back, and from where."""
    return f"Put {back.package} back to {back.version}, from {release.version}"


def body(release: Release, back: Release, pipeline: Pipeline, page: str) -> str:
    """What happened, what runs, what the merge does, and what stays held."""
    facts, app = release.facts, code(pipeline.app)
    rolled = facts.rollback
    serves = f", Heroku release v{rolled.release}" if rolled and rolled.release else ""
    readings = len(rolled.readings) if rolled else 0
    held = facts.quarantine
    pull = facts.pull_request
    brought = link(f"#{pull.number}", pull.url) if pull else "a merge"
    moved = rolled.moved if rolled else []
    also = ", ".join(code(f"{one.name} {one.old or '–'} → {one.new or '–'}") for one in moved)
    marker = {"release": release.id, "puts_back": back.version, "digest": back.facts.digest}
    parts = [
        f"### ↶ {app} runs {back.version} again, and this branch should say so",
        f"**{release.package} {release.version} → {back.version}** in "
        f"{code(pipeline.requirements)}{f', and with it {also}' if also else ', and nothing else'}."
        f" It was brought by {brought}.",
        f"**Why.** {plain(_why(release))}",
        f"**What runs.** {back.version}{serves}, proven again by {readings} readings. Its wheel: "
        f"{code(back.facts.digest or '?', 80)}.",
        f"**On merge.** Nothing is built for it: {app} runs this version already. No freeze and no "
        "gate on metrics holds it up.",
        f"**Quarantine.** {release.version} is not proposed again until a person lifts it: "
        f"{code(f'bridge release-quarantine {release.package} {release.version}')}."
        + (f" Held {'by the bridge' if held.by == BRIDGE else 'by a person'}." if held else ""),
        "**Declining.** Close this pull request; then the branch goes on pinning what does not "
        "run, and the next deployment of anything else would bring it back.",
        f"[Release page]({page})",
        f"<!-- bridge {json.dumps(marker).replace('>', chr(92) + 'u003e')} -->",
    ]
    return "\n\n".join(parts)


def _why(release: Release) -> str:
    """Everybody may read it there, so it does not tell who did what, and in which words."""
    rolled, because = release.facts.rollback, release.facts.refused_because
    by_person = rolled is None or rolled.asked_by is not None
    return because if because and not by_person else BY_A_PERSON
