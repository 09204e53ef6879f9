"""What a step is told of other releases, read in one short transaction."""

from datetime import datetime

from sqlmodel import Session

from bridge import ledger
from bridge.quarantine import quarantined
from bridge.release import UNMERGED, Release, Stage
from bridge.steps.world import Memory
from bridge.store import pauses, record, releases, serving

SERVED = (Stage.DEPLOYED, Stage.ROLLING_BACK, Stage.VERIFIED, Stage.FAILED)
TAKEN_BACK = (Stage.ROLLING_BACK, Stage.ROLLED_BACK)


def recollect(session: Session, release: Release, now: datetime) -> Memory:
    """Only what the step at this stage asks for; see `Memory`."""
    confirmed, unmerged = release.stage is Stage.CONFIRMED, release.stage in UNMERGED
    deployed, verified = release.stage in SERVED, release.stage is Stage.VERIFIED
    after = release.stage in (Stage.VERIFIED, Stage.FAILED)
    to = release.facts.rollback.to if release.facts.rollback else None
    opened = releases.latest(session, release.pipeline, Stage.PROPOSED) if confirmed else None
    earlier = serving.verified(session, release) if deployed else ()
    return Memory(
        newer=ledger.newer_ahead(session, release, now),
        taken_back=releases.versions(session, release.pipeline, *TAKEN_BACK) if unmerged else (),
        next_up=ledger.next_up(session, release) if confirmed else None,
        open_since=opened.since if opened else None,
        last_verified=releases.latest(session, release.pipeline, Stage.VERIFIED),
        earlier=tuple(one for one in earlier if not quarantined(one.facts, now)),
        is_busy=after and serving.under_way(session, release),
        failed=tuple(serving.failed(session, release)) if verified else (),
        put_back=releases.of_version(session, release.pipeline, to) if to else None,
        chain_head=record.head(session),
        merged_after=ledger.merged_after(session, release),
        pause=pauses.of(session, release.pipeline),
    )
