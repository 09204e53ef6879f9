"""How a release is written: the stage and the line that tells of it change together, or not at all.

Functions of one open transaction; `reconcile` and the inbox call them.
"""

from collections.abc import Iterable
from datetime import datetime

import structlog
from packaging.utils import canonicalize_version
from packaging.version import Version
from pydantic import JsonValue
from sqlmodel import Session, col

from bridge.attestation import MOST_ATTESTATIONS
from bridge.configuration import Pipeline
from bridge.errors import Reason
from bridge.event import Published
from bridge.facts import Allowance, Facts
from bridge.quarantine import is_held
from bridge.release import UNMERGED, Release, Stage, move
from bridge.sentences import say
from bridge.store import record, releases
from bridge.store.postgresql import ring

log = structlog.get_logger()
BRIDGE = "bridge"
AHEAD = (Stage.PROPOSED, Stage.MERGED, Stage.DEPLOYED, Stage.VERIFIED)
TELLS: dict[Stage, tuple[str, ...]] = {
    Stage.ANNOUNCED: ("announced_digest", "commit", "tag", "tagged_at", "ci", "allowed"),
    Stage.CONFIRMED: (
        *("file", "size", "digest", "model_digest"),
        *("uploaded", "public_twin", "provenance"),
    ),
    Stage.PROPOSED: ("previous_version", "pull_request"),
    Stage.MERGED: ("merge_sha", "merged_by", "provenance"),
    Stage.DEPLOYED: ("heroku", "build_output"),
    Stage.FAILED: ("heroku", "build_output"),
    Stage.VERIFIED: ("readings", "tagged_at"),
    Stage.ROLLING_BACK: ("readings",),
    Stage.ROLLED_BACK: ("rollback", "quarantine"),
}


def begin(
    session: Session,
    pipeline: Pipeline,
    told: Published,
    *,
    by: str,
    now: datetime,
    delivery: int | None = None,
    heard_at: datetime | None = None,
) -> str:
    """Begin the release of a version, or wake the one that is there; a sentence about it."""
    version = str(Version(told.version))
    known = releases.of_version(session, pipeline.name, version)
    if known is not None and told.attestations:
        _hear(known, told, heard_at or now)
        session.add(known)
    if known is not None and known.stage.is_end:
        return _told_again(session, known, told, by=by, now=now, delivery=delivery)
    if known is not None:
        _learn(known, told)
        session.add(known)
        releases.wake(session, now, col(Release.id) == known.key)
        return say("woke_known", version=version, pipeline=pipeline.name).sentence
    reason = say("announced", package=pipeline.package, version=version, by=by)
    row = Release(
        pipeline=pipeline.name,
        package=pipeline.package,
        version=version,
        canonical=canonicalize_version(version),
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
    _hear(row, told, heard_at or now)
    session.add(row)
    session.flush()
    ring(session.connection())
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
    return say("began_one", version=version, pipeline=pipeline.name).sentence


def transit(
    session: Session,
    row: Release,
    to: Stage,
    reason: Reason,
    now: datetime,
    *,
    actor: str = BRIDGE,
    delivery: int | None = None,
) -> None:
    """Move the release and append the line."""
    was = row.stage
    move(row, to, reason, now)
    session.add(row)
    if not to.is_end:
        ring(session.connection())
    record.append(
        session,
        row,
        "move",
        was,
        reason,
        actor=actor,
        occurred_at=now,
        now=now,
        delivery=delivery,
        evidence=evidence(row.facts, to),
    )
    log.info("moved", release=row.id, version=row.version, stage=to.value, code=reason.code)


def note(session: Session, row: Release, kind: str, reason: Reason, now: datetime) -> None:
    """Append a line that moves nothing: an `intent` before an effect, or a new reason to wait."""
    record.append(session, row, kind, row.stage, reason, actor=BRIDGE, occurred_at=now, now=now)


def newer_ahead(session: Session, release: Release, now: datetime) -> str | None:
    """The newest version that is proposed or further and newer than this release, but none that is
    taken back or held in its pull request; only one under way, where a person has allowed to go
    back behind what is verified."""
    back = Allowance.DOWNGRADE in release.facts.allowed
    stages = [stage for stage in AHEAD if not (back and stage is Stage.VERIFIED)]
    ahead = map(Version, releases.versions(session, release.pipeline, *stages))
    newer = sorted((one for one in ahead if one > Version(release.version)), reverse=True)
    rows = (releases.of_version(session, release.pipeline, str(one)) for one in newer)
    return next((row.version for row in rows if row and not is_held(row, now)), None)


def next_up(session: Session, release: Release) -> Release | None:
    """The newest version that waits to be proposed, where it is newer than this release."""
    newest = _newest(releases.versions(session, release.pipeline, Stage.CONFIRMED), release)
    return releases.of_version(session, release.pipeline, newest) if newest else None


def wake_confirmed(session: Session, row: Release, now: datetime) -> None:
    """Let those that wait for their turn see that `row` is out of their way."""
    where = col(Release.pipeline) == row.pipeline, col(Release.id) != row.key
    releases.wake(session, now, col(Release.stage) == Stage.CONFIRMED, *where)


def merged_after(session: Session, release: Release) -> Release | None:
    """The newest version that is merged and waits for its deployment, where it is newer."""
    if release.stage is not Stage.MERGED:
        return None
    newest = _newest(releases.versions(session, release.pipeline, Stage.MERGED), release)
    return releases.of_version(session, release.pipeline, newest) if newest else None


def wake_merged(session: Session, row: Release, now: datetime) -> None:
    """Let an older version that waits to be deployed see that a newer one was merged."""
    where = col(Release.pipeline) == row.pipeline, col(Release.id) != row.key
    releases.wake(session, now, col(Release.stage) == Stage.MERGED, *where)


def wake_older(session: Session, newer: Release, now: datetime) -> None:
    """Let every release that is not merged yet see that a newer one was proposed.

    Each ends itself and closes its own pull request: it may have been merged a moment ago.
    """
    where = col(Release.pipeline) == newer.pipeline, col(Release.id) != newer.key
    releases.wake(session, now, col(Release.stage).in_(UNMERGED), *where)


def _newest(versions: Iterable[str], than: Release) -> str | None:
    newest = max(map(Version, versions), default=Version(than.version))
    return str(newest) if newest > Version(than.version) else None


def _told_again(
    session: Session,
    known: Release,
    told: Published,
    *,
    by: str,
    now: datetime,
    delivery: int | None,
) -> str:
    """An announcement of a version that has ended moves nothing, but another digest is an alarm."""
    carried = known.facts.digest or known.facts.announced_digest
    if told.digest and carried and told.digest != carried:
        reason = say(
            "late_digest",
            package=known.package,
            version=known.version,
            by=by,
            told=told.digest,
            digest=carried,
        )
        record.append(
            session,
            known,
            "alarm",
            known.stage,
            reason,
            actor=by,
            occurred_at=told.occurred_at or now,
            now=now,
            delivery=delivery,
        )
        log.error("alarm", release=known.id, code=reason.code)
    return say("ended_already", version=known.version, stage=known.stage.value).sentence


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
        "tagged_at": told.tagged_at,
        "ci": told.ci,
    }
    known = row.facts.model_dump(exclude_none=True)
    new = {name: value for name, value in said.items() if value and name not in known}
    row.facts = row.facts.model_copy(update=new)


def _hear(row: Release, told: Published, at: datetime) -> None:
    """Keep new attestations, up to a number; a step checks them, now or when a person retries.

    `at` is when they came to us, for a token lasts an hour.
    """
    known = {one.digest for one in row.facts.attestations}
    new = [
        one.model_copy(update={"heard_at": at})
        for one in told.attestations
        if one.digest not in known
    ]
    kept = [*row.facts.attestations, *new][-MOST_ATTESTATIONS:]
    row.facts = row.facts.model_copy(update={"attestations": kept})
