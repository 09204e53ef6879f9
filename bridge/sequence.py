"""Several environments: a pipeline begins with what the one before it has verified, and carries on
with nothing that one has rolled back."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from sqlmodel import Session, col

from bridge import ledger
from bridge.configuration import Pipeline
from bridge.event import Published
from bridge.quarantine import for_good
from bridge.release import Release, Stage
from bridge.sentences import say
from bridge.store import releases


def hand_on(
    session: Session, verified: Release, pipelines: Iterable[Pipeline], now: datetime
) -> None:
    """Begin the release in every pipeline that comes after, with the very file that was verified.

    In the transaction of that move, so that no crash comes between. What was said about who built
    it goes with it, with the moment at which it was heard, and its quarantine.
    """
    facts = verified.facts
    told = Published(
        package=verified.package,
        version=verified.version,
        file=facts.file,
        digest=facts.digest,
        commit=facts.commit,
        tag=facts.tag,
        ci=facts.ci,
    )
    for pipeline in pipelines:
        if pipeline.after != verified.pipeline:
            continue
        known = releases.of_version(session, pipeline.name, verified.version)
        ledger.begin(session, pipeline, told, by=f"pipeline {verified.pipeline}", now=now)
        row = releases.of_version(session, pipeline.name, verified.version)
        if row and not row.stage.is_end and not row.facts.attestations:
            row.facts = row.facts.model_copy(update={"attestations": facts.attestations})
        if row and known is None:
            row.facts = row.facts.model_copy(update={"quarantine": facts.quarantine})


def hold(session: Session, bad: Release, pipelines: Collection[Pipeline], now: datetime) -> None:
    """Put a version that is rolled back into quarantine in every pipeline that comes after, and let
    it look again there; when the rollback begins and when it ends, however it does."""
    by = bad.facts.rollback.asked_by if bad.facts.rollback else None
    names = {"package": bad.package, "version": bad.version, "before": bad.pipeline}
    reason = say("held_upstream", why=bad.sentence, **names)
    for name in _after(bad.pipeline, pipelines):
        row = releases.of_version(session, name, bad.version)
        held = row and for_good(row.facts, by or ledger.BRIDGE, reason.sentence, now)
        if row is None or held == row.facts.quarantine:
            continue
        row.facts = row.facts.model_copy(update={"quarantine": held})
        session.add(row)
        ledger.note(session, row, "alarm" if row.stage is Stage.VERIFIED else "note", reason, now)
        releases.wake(session, now, col(Release.id) == row.key)


def _after(name: str, pipelines: Collection[Pipeline]) -> Iterator[str]:
    """Those that come after, near and far."""
    for pipeline in pipelines:
        if pipeline.after == name:
            yield pipeline.name
            yield from _after(pipeline.name, pipelines)


def takes(session: Session, pipeline: Pipeline, version: str) -> bool:
    """Whether an announcement concerns it: always, or, after another pipeline, only once that one
    has handed the version on."""
    known = pipeline.after and releases.of_version(session, pipeline.name, version)
    return pipeline.after is None or known is not None
