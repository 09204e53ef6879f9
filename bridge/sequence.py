"""Several environments: a pipeline begins with what the one before it has verified."""

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session

from bridge import ledger
from bridge.configuration import Pipeline
from bridge.event import Published
from bridge.release import Release
from bridge.store import releases


def hand_on(
    session: Session, verified: Release, pipelines: Iterable[Pipeline], now: datetime
) -> None:
    """Begin the release in every pipeline that comes after, with the very file that was verified.

    In the transaction of that move, so that no crash comes between. What was said about who built
    it goes with it, with the moment at which it was heard.
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
        ledger.begin(session, pipeline, told, by=f"pipeline {verified.pipeline}", now=now)
        row = releases.of_version(session, pipeline.name, verified.version)
        if row and not row.stage.is_end and not row.facts.attestations:
            row.facts = row.facts.model_copy(update={"attestations": facts.attestations})
            session.add(row)


def takes(session: Session, pipeline: Pipeline, version: str) -> bool:
    """Whether an announcement concerns it: always, or, after another pipeline, only once that one
    has handed the version on."""
    known = pipeline.after and releases.of_version(session, pipeline.name, version)
    return pipeline.after is None or known is not None
