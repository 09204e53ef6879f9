"""What was learned of a release on its way. Pure."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from bridge.attestation import Attestation, Provenance
from bridge.model_card import ModelCard


class Allowance(StrEnum):
    """What is refused unless a person has allowed it, for one version."""

    YANKED = "yanked"
    PRERELEASE = "prerelease"
    LOCAL = "local"
    DOWNGRADE = "downgrade"
    FREEZE = "freeze"


class Reading(BaseModel):
    """One look at the running API. `unknown` is never good news.

    `answered` is false when nobody did, which may be our own network; `wrong_answer` is true when
    the right model gave other predictions than at training time.
    """

    at: datetime
    verdict: Literal["matches", "contradicts", "unknown"]
    answered: bool = True
    wrong_answer: bool = False
    version: str | None = None
    digest: str | None = None
    instance: str | None = None
    note: str | None = None


class CiRun(BaseModel):
    """The CI job that built the file."""

    model_config = ConfigDict(extra="ignore")
    system: str
    job: str | None = None
    workflow: str | None = None
    url: str | None = None


class PullRequest(BaseModel):
    """Our pull request. `id` is GitHub's node id, `head_sha` the commit that we wrote."""

    id: str
    number: int
    url: str
    head_sha: str = Field(validation_alias=AliasChoices("headRefOid", "head_sha"))


class HerokuDeployment(BaseModel):
    """Heroku's side: the build's id, the Heroku release's version (`v42` is 42) and its slug."""

    build: str
    release: int | None = None
    slug: str | None = None


class Moved(BaseModel):
    """A package that moves with ours: `old` is None for a new one, `new` for one that goes."""

    name: str
    old: str | None = None
    new: str | None = None


class Quarantine(BaseModel):
    """Who said that the version may not be proposed, why, since when, and until when, if it ends by
    itself."""

    by: str
    why: str
    since: datetime
    until: datetime | None = None


class Rollback(BaseModel):
    """How a version was taken out of production, and what was put back.

    `to` is the version that was put back, `release` and `slug` are of the Heroku release that
    brought it, `build` and `release_id` of a build anew; `since` is when its readings began.
    `pull_request` puts the pin back, and moves `moved` with it; `settled` when nothing is left to
    do about the pin. `asked_by` is the person who wanted it.
    """

    to: str | None = None
    release: int | None = None
    slug: str | None = None
    build: str | None = None
    release_id: str | None = None
    asked_by: str | None = None
    since: datetime | None = None
    readings: list[Reading] = []
    pull_request: PullRequest | None = None
    moved: list[Moved] = []
    settled: bool = False


class Facts(BaseModel):
    """What was learned on the way. A step adds to it; nothing here decides by itself.

    `commands` are those that the wheel installs, `uploaded` when the index got it. `public_twin` is
    the version of a package of the same name on the public index that an installer without hashes
    would prefer. `allowed` is what a person has allowed. `resolved_for` is the Python that the
    whole requirements file was resolved for before it was proposed, `forecast_mb` the size of the
    wheels that it brings. `shown` is what GitHub's deployment was last to say.
    `build_output` is what the build printed, capped; `failed_builds` are the builds,
    `failed_releases` the Heroku releases of earlier tries, which are never adopted again.
    """

    announced_digest: str | None = None
    commit: str | None = None
    tag: str | None = None
    tagged_at: datetime | None = None
    ci: CiRun | None = None
    file: str | None = None
    size: int | None = None
    digest: str | None = None
    model_digest: str | None = None
    card: ModelCard | None = None
    previous_version: str | None = None
    pull_request: PullRequest | None = None
    merge_sha: str | None = None
    merged_by: str | None = None
    heroku: HerokuDeployment | None = None
    readings: list[Reading] = []
    watched_since: datetime | None = None
    refused_because: str | None = None
    commands: list[str] = []
    uploaded: str | None = None
    public_twin: str | None = None
    allowed: list[Allowance] = []
    resolved_for: str | None = None
    forecast_mb: int | None = None
    moved: list[Moved] = []
    attestations: list[Attestation] = []
    provenance: Provenance | None = None
    shown: str | None = None
    build_output: str | None = None
    failed_builds: list[str] = []
    failed_releases: list[int] = []
    quarantine: Quarantine | None = None
    rollback: Rollback | None = None
    later_readings: list[Reading] = []
