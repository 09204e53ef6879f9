"""How a release is written: the stage and the line that tells of it change together, or not at all.

Functions of one open transaction; `reconcile` and the inbox call them.
"""

from datetime import datetime

import structlog
from packaging.version import Version
from pydantic import JsonValue
from sqlmodel import Session, col

from bridge.errors import Reason
from bridge.event import Published
from bridge.policy import Pipeline
from bridge.release import UNMERGED, Facts, Release, Stage, move
from bridge.sentences import say
from bridge.store import record, releases

log = structlog.get_logger()
BRIDGE = "bridge"
AHEAD = (
    Stage.PROPOSED,
    Stage.MERGED,
    Stage.DEPLOYED,
    Stage.VERIFIED,
    Stage.ROLLING_BACK,
)
TELLS: dict[Stage, tuple[str, ...]] = {
    Stage.ANNOUNCED: ("announced_digest", "commit", "tag", "ci"),
    Stage.CONFIRMED: ("file", "size", "digest", "model_digest"),
    Stage.PROPOSED: ("previous_version", "pull_request"),
    Stage.MERGED: ("merge_sha", "merged_by"),
    Stage.DEPLOYED: ("heroku",),
    Stage.VERIFIED: ("readings",),
    Stage.ROLLING_BACK: ("readings",),
}


def begin(
    session: Session,
    pipeline: Pipeline,
    told: Published,
    *,
    by: str,
    now: datetime,
    delivery: int | None = None,
) -> str:
    """Begin the release of a version, or wake the one that is there; a sentence about it.

    A version older than one that is proposed or further is superseded at once.
    """
    version = str(Version(told.version))
    known = releases.of_version(session, pipeline.name, version)
    if known is not None and known.stage.is_end:
        return f"release {known.id} of {version} in {pipeline.name} is {known.stage.value}"
    if known is not None:
        _learn(known, told)
        session.add(known)
        releases.wake(session, now, col(Release.id) == known.key)
        return f"release {known.id} of {version} in {pipeline.name} is known; woken"
    reason = say("announced", package=pipeline.package, version=version, by=by)
    row = Release(
        pipeline=pipeline.name,
        package=pipeline.package,
        version=version,
        app=pipeline.app,
        stage=Stage.ANNOUNCED,
        code=reason.code,
        sentence=reason.sentence,
        since=now,
        created_at=now,
        due_at=now,
        facts=Facts(),
    )
    _learn(row, told)
    session.add(row)
    session.flush()
    record.append(
        session,
        row,
        "move",
        "",
        reason,
        actor=by,
        occurred_at=told.occurred_at or now,
        now=now,
        delivery=delivery,
        evidence=evidence(row.facts, Stage.ANNOUNCED),
    )
    log.info("began", release=row.id, pipeline=pipeline.name, version=version)
    ahead = releases.of_pipeline(session, pipeline.name, *AHEAD)
    if newer := next((r for r in ahead if Version(r.version) > Version(version)), None):
        taken = say("superseded", package=row.package, by=newer.version)
        transit(session, row, Stage.SUPERSEDED, taken, now)
    return f"release {row.id} of {version} in {pipeline.name} began"


def transit(session: Session, row: Release, to: Stage, reason: Reason, now: datetime) -> None:
    """Move the release and append the line."""
    was = row.stage
    move(row, to, reason, now)
    session.add(row)
    record.append(
        session,
        row,
        "move",
        was,
        reason,
        actor=BRIDGE,
        occurred_at=now,
        now=now,
        evidence=evidence(row.facts, to),
    )
    log.info("moved", release=row.id, version=row.version, stage=to.value, code=reason.code)


def note(session: Session, row: Release, kind: str, reason: Reason, now: datetime) -> None:
    """Append a line that moves nothing: an `intent` before an effect, or a new reason to wait."""
    record.append(session, row, kind, row.stage, reason, actor=BRIDGE, occurred_at=now, now=now)


def supersede(session: Session, newer: Release, now: datetime) -> None:
    """A proposed version ends every older one that is not merged yet, also one being worked on."""
    for older in releases.of_pipeline(session, newer.pipeline, *UNMERGED):
        if older.id != newer.id and Version(older.version) < Version(newer.version):
            reason = say("superseded", package=older.package, by=newer.version)
            transit(session, older, Stage.SUPERSEDED, reason, now)
            older.fence += 1


def evidence(facts: Facts, stage: Stage) -> dict[str, JsonValue]:
    """What the line of a move to `stage` rests on."""
    told = facts.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return {name: told[name] for name in TELLS.get(stage, ()) if name in told}


def _learn(row: Release, told: Published) -> None:
    """Add what an announcement tells and we do not know yet; nothing is ever overwritten."""
    said = {
        "announced_digest": told.digest,
        "file": told.file,
        "commit": told.commit,
        "tag": told.tag,
        "ci": told.ci,
    }
    known = row.facts.model_dump(exclude_none=True)
    new = {name: value for name, value in said.items() if value and name not in known}
    row.facts = row.facts.model_copy(update=new)
