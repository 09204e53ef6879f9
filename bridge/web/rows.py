"""What is in the database as shapes: one release, line, delivery, notice, board at a time. Pure."""

import json
from collections.abc import Iterable
from datetime import datetime

from bridge.delivery import Delivery, DeliveryState
from bridge.drift import Board
from bridge.meter import Meter
from bridge.notice import Notice
from bridge.pause import EVERYTHING, Pause
from bridge.release import Release, Stage, Transition
from bridge.web import shapes
from bridge.web.present import RAIL, how_on, lead_time, mark

ACCEPTED = "accepted"


def release_row(release: Release) -> shapes.ReleaseRow:
    """A release in a list."""
    return shapes.ReleaseRow.model_validate(row_of(release))


def row_of(release: Release) -> dict[str, object]:
    """The fields of a release in a list."""
    ahead, pull = how_on(release), release.facts.pull_request
    since = reason_since(release)
    return {
        "id": release.key,
        "pipeline": release.pipeline,
        "package": release.package,
        "version": release.version,
        "stage": release.stage,
        "mark": mark(release.stage),
        "reason": release.reason,
        "since": release.since,
        "created_at": release.created_at,
        "actor": release.actor,
        "waits_for": shapes.Waiting(who=ahead.who, what=ahead.what, since=since) if ahead else None,
        "pull_request": shapes.PullRequestLink(number=pull.number, url=pull.url) if pull else None,
        "lead_time_s": lead_time(release),
    }


def reason_since(release: Release) -> datetime:
    """Since when its reason is this one: it may stand on its stage for longer."""
    return release.reason_since or release.since


def stops(release: Release, moves: Iterable[tuple[str, datetime]]) -> list[shapes.Stop]:
    """The stages in order, each with when it was earned and how long the one before took.

    Of a version that was tried again, this try's.
    """
    earned: dict[str, datetime] = {}
    for stage, moment in moves:
        if stage == Stage.ANNOUNCED:
            earned.clear()
        earned[stage] = moment
    rail: list[shapes.Stop] = []
    before: datetime | None = None
    for stop in RAIL:
        at = earned.get(stop.value)
        took = round((at - before).total_seconds(), 3) if at and before else None
        here = stop is release.stage and not stop.is_end
        state = "now" if here else "done" if at else "ahead"
        rail.append(
            shapes.Stop.model_validate({"stage": stop, "state": state, "at": at, "took_s": took})
        )
        before = at or before
    return rail


def line_of(line: Transition) -> dict[str, object]:
    """The fields of a line of the record."""
    return {
        "seq": line.seq,
        "kind": line.kind,
        "from": line.from_stage or None,
        "to": line.to_stage,
        "reason": {"code": line.code, "sentence": line.sentence},
        "actor": line.actor,
        "occurred_at": line.occurred_at,
        "recorded_at": line.recorded_at,
        "delivery": line.delivery_id,
        "evidence": [{"name": name, "value": value} for name, value in line.evidence.root.items()],
        "hash": line.hash,
    }


def audit_line(line: Transition, pipeline: str, package: str, version: str) -> shapes.AuditLine:
    """A line with the release that it is about."""
    about = {"pipeline": pipeline, "package": package, "version": version}
    return shapes.AuditLine.model_validate({**line_of(line), "release": line.release_id, **about})


def delivery_row(delivery: Delivery) -> shapes.DeliveryRow:
    """One delivery; never its body."""
    is_new = delivery.state is DeliveryState.NEW
    return shapes.DeliveryRow.model_validate(
        {
            **delivery.model_dump(exclude={"body"}),
            "event": delivery.event or None,
            "verdict": ACCEPTED if is_new else delivery.state.value,
        }
    )


def notice_row(notice: Notice) -> shapes.NoticeRow:
    """One message on its way out."""
    text = str(json.loads(notice.body)["data"]["text"])
    return shapes.NoticeRow.model_validate(
        {**notice.model_dump(), "release": notice.release_id, "text": text}
    )


def board(found: Board) -> shapes.Board:
    """What one pipeline's neighbours have, and the gaps between them."""
    seen = found.found.seen.model_dump()
    told = {"pipeline": found.pipeline, "at": found.at, "gaps": found.found.gaps}
    return shapes.Board.model_validate({**told, **seen})


def pause(found: Pause) -> shapes.Pause:
    """One pause; `pipeline` is null where everything is paused."""
    return shapes.Pause(
        pipeline=None if found.pipeline == EVERYTHING else found.pipeline,
        who=found.who,
        why=found.why,
        since=found.since,
        sentence=found.reason.sentence,
    )


def meter(found: Meter) -> shapes.Meter:
    """How much came of one source, and how much was lost."""
    return shapes.Meter(about=found.about, came=found.came, lost=found.lost, reason=found.reason)
