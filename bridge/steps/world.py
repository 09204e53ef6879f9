"""What a step may look at, and what it may answer."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypedDict

from bridge.attestation import Provenance
from bridge.circleci.client import Issuer
from bridge.configuration import Pipeline
from bridge.errors import Reason
from bridge.facts import HerokuDeployment, Moved, PullRequest, Quarantine, Reading, Rollback
from bridge.github.client import GitHub
from bridge.heroku.client import Heroku
from bridge.index.client import Index
from bridge.model_card import ModelCard
from bridge.pause import Pause
from bridge.prediction.client import PredictionApi
from bridge.release import Release
from bridge.uv.client import Resolver


class Learned(TypedDict, total=False):
    """What a step found out: fields of `Facts`, by name."""

    file: str
    size: int
    digest: str
    model_digest: str | None
    card: ModelCard | None
    previous_version: str
    pull_request: PullRequest
    merge_sha: str
    merged_by: str
    heroku: HerokuDeployment
    readings: list[Reading]
    watched_since: datetime
    refused_because: str
    commands: list[str]
    uploaded: str | None
    public_twin: str | None
    resolved_for: str
    forecast_mb: int | None
    moved: list[Moved]
    provenance: Provenance | None
    shown: str
    build_output: str
    failed_builds: list[str]
    quarantine: Quarantine | None
    rollback: Rollback
    later_readings: list[Reading]


@dataclass(frozen=True)
class Done:
    """The step has earned the next stage. An `alarm` stops nothing, and goes on record."""

    because: Reason
    learned: Learned = field(default_factory=Learned)
    alarm: Reason | None = None


@dataclass(frozen=True)
class Wait:
    """Not yet. Look again at `until`, or when something happens; None where nothing will.

    `seen` is what the neighbour showed, where a webhook or the sweep will tell of a change. An
    `alarm` is written down as one: somebody should look at it.
    """

    until: datetime | None
    because: Reason
    learned: Learned = field(default_factory=Learned)
    seen: str | None = None
    alarm: bool = False


Outcome = Done | Wait
Intend = Callable[[Reason], Awaitable[None]]


@dataclass(frozen=True)
class Memory:
    """What we remember of other releases.

    `newer` is a newer version that is proposed or further, `taken_back` are those that were rolled
    back or are about to be, `last_verified` the newest verified
    release of the pipeline, `chain_head` the hash of the last audit line. Only where a release is
    to be proposed: `next_up` is a newer release that is confirmed, `open_since` when the pipeline's
    open pull request was made. Only where one is to be deployed: `merged_after` is a newer version
    that is merged, too. Only where one serves or is rolled back: `earlier` are the other verified
    releases that are not in quarantine, the latest first, `is_busy` says whether another version is
    being put on the app, or taken off it, `failed` are those of the app that failed after it was
    verified, `put_back` is the one that runs again in place of this one. `pause` is what a person
    has stopped it with.
    """

    newer: str | None = None
    taken_back: Sequence[str] = ()
    last_verified: Release | None = None
    next_up: Release | None = None
    open_since: datetime | None = None
    earlier: tuple[Release, ...] = ()
    failed: tuple[Release, ...] = ()
    put_back: Release | None = None
    is_busy: bool = False
    chain_head: str = ""
    merged_after: Release | None = None
    pause: Pause | None = None


NOTHING = Memory()


@dataclass(frozen=True, kw_only=True)
class World(Memory):
    """One pipeline's neighbours as they answer now, and what we remember of other releases.

    `intend` writes an audit line before an effect is tried; it raises LeaseLost when the release
    is not ours any more, so that nobody acts on a lapsed lease. `public` is the public index, if it
    is configured.
    """

    pipeline: Pipeline
    index: Index
    github: GitHub
    heroku: Heroku
    api: PredictionApi
    resolver: Resolver
    now: datetime
    intend: Intend
    public_url: str
    public: Index | None = None
    issuer: Issuer | None = None
