"""Releases as JSON and as rows of a page: one shape for the pages, the API and the CLI. Pure."""

import json
from collections.abc import Sequence
from datetime import datetime

from pydantic import JsonValue

from bridge.columns import written
from bridge.delivery import Delivery
from bridge.drift import Board
from bridge.notice import Notice
from bridge.pause import EVERYTHING, Pause
from bridge.pipeline import PIPELINE
from bridge.release import Release, Stage, Transition
from bridge.sentences import span
from bridge.unblock import Unblock, unblock

RAIL = (*[stage for stage in PIPELINE if stage is not Stage.ROLLING_BACK], Stage.VERIFIED)
MARKS = {
    Stage.ANNOUNCED: "○",
    Stage.CONFIRMED: "◔",
    Stage.PROPOSED: "◑",
    Stage.MERGED: "◕",
    Stage.DEPLOYED: "●",
    Stage.VERIFIED: "✓",
    Stage.FAILED: "✗",
    Stage.DECLINED: "–",
    Stage.SUPERSEDED: "↷",
    Stage.ROLLED_BACK: "↶",
    Stage.ROLLING_BACK: "↶",
}


def release_json(release: Release, lines: Sequence[Transition]) -> dict[str, JsonValue]:
    """One release as programs see it; a field that is not known yet is null."""
    facts = release.facts.model_dump(mode="json")
    pull, ahead = facts["pull_request"], how_on(release)
    return {
        "id": release.id,
        "pipeline": release.pipeline,
        "package": release.package,
        "version": release.version,
        "previous_version": facts["previous_version"],
        "stage": release.stage.value,
        "reason": {"code": release.code, "sentence": release.sentence},
        "reason_since": written(standing_since(release, lines)) if lines else None,
        "unblock": {"who": ahead.who, "what": ahead.what} if ahead else None,
        "since": written(release.since),
        "due_at": written(release.due_at) if release.due_at else None,
        "digest": facts["digest"] or facts["announced_digest"],
        "model_digest": facts["model_digest"],
        "file": facts["file"],
        "commit": facts["commit"],
        "tag": facts["tag"],
        "tagged_at": facts["tagged_at"],
        "ci": facts["ci"],
        "pull_request": {k: pull[k] for k in ("number", "url", "head_sha")} if pull else None,
        "merge_sha": facts["merge_sha"],
        "merged_by": facts["merged_by"],
        "heroku": facts["heroku"],
        "readings": facts["readings"],
        "later_readings": facts["later_readings"],
        "rollback": facts["rollback"],
        "quarantine": facts["quarantine"],
        "provenance": facts["provenance"],
        "metrics": facts["card"]["metrics"] if facts["card"] else None,
        "lead_time_s": lead_time(release),
        "transitions": [line_json(line) for line in lines],
    }


def how_on(release: Release) -> Unblock | None:
    """Whom a release waits for and what would let it go on; None for one that has arrived."""
    if release.stage is Stage.VERIFIED:
        return None
    return unblock(release.reason, release.package, release.version)


def standing_since(release: Release, lines: Sequence[Transition]) -> datetime:
    """Since when its reason is this one: it may stand on its stage for longer."""
    since = release.since
    for line in reversed(lines):
        if line.code == release.code:
            since = line.recorded_at
        elif line.kind in ("move", "note"):
            break
    return since


def line_json(line: Transition) -> dict[str, JsonValue]:
    """One audit line as programs see it."""
    return {
        "seq": line.seq,
        "kind": line.kind,
        "from": line.from_stage or None,
        "to": line.to_stage,
        "reason": {"code": line.code, "sentence": line.sentence},
        "actor": line.actor,
        "occurred_at": written(line.occurred_at),
        "recorded_at": written(line.recorded_at),
        "delivery": line.delivery_id,
        "evidence": [{"name": name, "value": value} for name, value in line.evidence.root.items()],
        "hash": line.hash,
    }


def board_json(board: Board) -> dict[str, JsonValue]:
    """What one pipeline's neighbours have, and the gaps between them."""
    told = board.found.model_dump(mode="json")
    at = written(board.at)
    return {"pipeline": board.pipeline, "at": at, **told["seen"], "gaps": told["gaps"]}


def pause_json(pause: Pause) -> dict[str, JsonValue]:
    """One pause as programs see it; `pipeline` is null where everything is paused."""
    return {
        "pipeline": None if pause.pipeline == EVERYTHING else pause.pipeline,
        "who": pause.who,
        "why": pause.why,
        "since": written(pause.since),
        "sentence": pause.reason.sentence,
    }


def delivery_json(delivery: Delivery) -> dict[str, JsonValue]:
    """One delivery as programs see it; never its body."""
    return {
        "id": delivery.id,
        "source": delivery.source,
        "delivery_id": delivery.delivery_id,
        "event": delivery.event or None,
        "sha256": delivery.sha256,
        "received_at": written(delivery.received_at),
        "state": delivery.state.value,
        "sentence": delivery.sentence,
        "attempts": delivery.attempts,
        "due_at": written(delivery.due_at) if delivery.due_at else None,
    }


def notice_json(notice: Notice) -> dict[str, JsonValue]:
    """One notice as programs see it."""
    return {
        "id": notice.id,
        "target": notice.target,
        "message_id": notice.message_id,
        "about": notice.about,
        "release": notice.release_id,
        "text": str(json.loads(notice.body)["data"]["text"]),
        "created_at": written(notice.created_at),
        "state": notice.state.value,
        "sentence": notice.sentence,
        "attempts": notice.attempts,
        "due_at": written(notice.due_at) if notice.due_at else None,
    }


def lead_time(release: Release) -> float | None:
    """Seconds from the tag, or else the announcement, to the proof, for a verified release."""
    if release.stage is not Stage.VERIFIED:
        return None
    return round((release.since - release.began_at).total_seconds(), 3)


def mark(stage: Stage) -> str:
    """A sign beside the word, so that colour is never the only signal."""
    return MARKS[stage]


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, as people say it."""
    return f"{span(max((now - moment).total_seconds(), 0))} ago"


def rail(release: Release, lines: Sequence[Transition]) -> list[dict[str, str | None]]:
    """The stages in order, each with when it was earned and how long the one before took."""
    earned: dict[str, datetime] = {}
    for line in lines:
        if line.kind == "move":
            earned.setdefault(line.to_stage, line.recorded_at)
    stops: list[dict[str, str | None]] = []
    before: datetime | None = None
    for stage in RAIL:
        at = earned.get(stage.value)
        took = span((at - before).total_seconds()) if at and before else None
        here = stage is release.stage and not stage.is_end
        state = "now" if here else "done" if at else "ahead"
        stops.append(
            {"stage": stage.value, "at": written(at) if at else None, "took": took, "state": state}
        )
        before = at or before
    return stops
