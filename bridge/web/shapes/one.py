"""Everything about one release."""

from typing import Literal

from pydantic import Field, JsonValue

from bridge.attestation import Provenance
from bridge.errors import Reason
from bridge.facts import CiRun, HerokuDeployment, Quarantine, Reading, Rollback
from bridge.web.shapes.common import Moment, Shape
from bridge.web.shapes.now import PullRequestLink, ReleaseRow, Stop


class PullRequestHead(PullRequestLink):
    """The same, with the commit that we wrote."""

    head_sha: str


class Named(Shape):
    """One thing that a line rests on."""

    name: str
    value: JsonValue


class Line(Shape):
    """One line of the record."""

    seq: int
    kind: str
    from_: str | None = Field(alias="from")
    to: str
    reason: Reason
    actor: str
    occurred_at: Moment
    recorded_at: Moment
    delivery: int | None
    evidence: list[Named]
    hash: str


class Unblock(Shape):
    """Whom a release waits for, and what would let it go on."""

    who: str
    what: str


class Compared(Shape):
    """One metric of the version before and of this one; `change` is relative (0.02 is 2 % more).

    `verdict` is its gate's, null where it has none; `rule` is what the gate asks.
    """

    name: str
    old: float | None
    new: float | None
    change: float | None
    verdict: Literal["passed", "broken", "unknown"] | None = None
    rule: str = ""


class Changed(Shape):
    """A library that the model was trained with, before and now."""

    name: str
    old: str | None
    new: str | None


class Comparison(Shape):
    """The model against the version before; `old_version` is null where there is none to compare
    with, `same_data` where nobody knows."""

    old_version: str | None
    new_version: str
    headline: Reason
    metrics: list[Compared]
    features_added: list[str]
    features_removed: list[str]
    libraries_changed: list[Changed]
    same_data: bool | None = None


class Evidence(Shape):
    """One link of the way from the tag to the readings; `url` only where it is a web address."""

    name: str
    text: str
    url: str | None = None


class ReleasePage(ReleaseRow):
    """Everything about one release. `reason_since` is since when its reason is this one."""

    previous_version: str | None
    reason_since: Moment | None
    unblock: Unblock | None
    due_at: Moment | None
    digest: str | None
    model_digest: str | None
    file: str | None
    commit: str | None
    tag: str | None
    ci: CiRun | None
    pull_request: PullRequestHead | None = None
    merge_sha: str | None
    merged_by: str | None
    heroku: HerokuDeployment | None
    readings: list[Reading]
    later_readings: list[Reading]
    rollback: Rollback | None
    quarantine: Quarantine | None
    provenance: Provenance | None
    metrics: dict[str, float] | None
    rail: list[Stop]
    comparison: Comparison | None
    evidence_links: list[Evidence]
    transitions: list[Line]
