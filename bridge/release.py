"""A release: the journey of one version into production. Pure; only `reconcile` calls `move`."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from pydantic import JsonValue, RootModel
from sqlalchemy import Column, Enum, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from bridge.columns import Document, Moment
from bridge.errors import Reason
from bridge.facts import Facts


class Stage(StrEnum):
    """Where a release stands. The last five are ends."""

    ANNOUNCED = "announced"
    CONFIRMED = "confirmed"
    PROPOSED = "proposed"
    MERGED = "merged"
    DEPLOYED = "deployed"
    ROLLING_BACK = "rolling_back"
    VERIFIED = "verified"
    SUPERSEDED = "superseded"
    DECLINED = "declined"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"

    @property
    def is_end(self) -> bool:
        """Nothing more will happen to a release that stands here."""
        return self in ENDS


ENDS = frozenset(
    {Stage.VERIFIED, Stage.SUPERSEDED, Stage.DECLINED, Stage.FAILED, Stage.ROLLED_BACK}
)
LOOKED_AFTER = frozenset({Stage.VERIFIED, Stage.FAILED, Stage.ROLLED_BACK})
"""Ends that leave something to do; see `pipeline.AFTERCARE`."""
UNMERGED = frozenset({Stage.ANNOUNCED, Stage.CONFIRMED, Stage.PROPOSED})


RETRYABLE = (Stage.FAILED, Stage.SUPERSEDED, Stage.ROLLED_BACK)
"""Ends from which a person may have a release try again, if it is not in quarantine."""


MOVES: dict[Stage, frozenset[Stage]] = {
    Stage.ANNOUNCED: frozenset({Stage.CONFIRMED, Stage.FAILED, Stage.SUPERSEDED}),
    Stage.CONFIRMED: frozenset({Stage.PROPOSED, Stage.FAILED, Stage.SUPERSEDED, Stage.DECLINED}),
    Stage.PROPOSED: frozenset({Stage.MERGED, Stage.FAILED, Stage.SUPERSEDED, Stage.DECLINED}),
    Stage.MERGED: frozenset({Stage.DEPLOYED, Stage.FAILED, Stage.SUPERSEDED}),
    Stage.DEPLOYED: frozenset({Stage.VERIFIED, Stage.FAILED, Stage.ROLLING_BACK}),
    Stage.ROLLING_BACK: frozenset({Stage.ROLLED_BACK, Stage.FAILED}),
    Stage.VERIFIED: frozenset({Stage.ROLLING_BACK}),
    **dict.fromkeys(RETRYABLE, frozenset({Stage.ANNOUNCED})),
    Stage.FAILED: frozenset({Stage.ANNOUNCED, Stage.ROLLING_BACK}),
}

STAGE = Enum(Stage, native_enum=False, length=16, values_callable=lambda enum: [*enum])


class Release(SQLModel, table=True):
    """One version of one pipeline's package, and where it stands.

    `canonical` is the same for every spelling of a version: `1.0` and `1.0.0` are one release.
    `actor` moved it last; `reason_since` is since when its reason is this one.
    """

    __table_args__ = (
        UniqueConstraint("pipeline", "canonical"),
        Index(
            "release_due",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        Index(
            "release_claimed",
            "claimed_until",
            sqlite_where=text("claimed_until IS NOT NULL"),
            postgresql_where=text("claimed_until IS NOT NULL"),
        ),
        Index("release_lane", "app", "stage"),
        Index("release_stage", "pipeline", "stage", "since"),
        Index("release_by_pipeline", "pipeline", "id", "stage", "actor"),
        Index("release_by_stage", "stage", "id", "pipeline", "actor"),
        Index("release_by_actor", "actor", "id", "pipeline", "stage"),
        Index("release_by_version", "canonical", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    pipeline: str
    package: str
    version: str
    canonical: str
    app: str
    stage: Stage = Field(sa_column=Column(STAGE, nullable=False))
    code: str
    sentence: str
    since: datetime = Field(sa_column=Column(Moment, nullable=False))
    created_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    due_at: datetime | None = Field(default=None, sa_column=Column(Moment))
    facts: Facts = Field(sa_column=Column(Document(Facts), nullable=False))
    attempts: int = 0
    failures: int = 0
    seen: str | None = None
    fence: int = 0
    claimed_by: str | None = None
    claimed_until: datetime | None = Field(default=None, sa_column=Column(Moment))
    actor: str = Field(default="", sa_column_kwargs={"server_default": ""})
    reason_since: datetime | None = Field(default=None, sa_column=Column(Moment))

    @property
    def key(self) -> int:
        """The id of a release that is in the database."""
        if self.id is None:
            raise ValueError("this release was never written")
        return self.id

    @property
    def reason(self) -> Reason:
        """Why it stands where it stands."""
        return Reason(self.code, self.sentence)

    @property
    def is_deploying(self) -> bool:
        """Whether it is being put on its app, or taken off it.

        A merged one may wait for long: it is only once its build has begun, or while a worker holds
        it who may begin that."""
        if self.stage is Stage.MERGED:
            return self.facts.heroku is not None or self.claimed_by is not None
        return self.stage in (Stage.DEPLOYED, Stage.ROLLING_BACK)

    @property
    def began_at(self) -> datetime:
        """When its tag was pushed, where CI told that, and else when it was announced."""
        return self.facts.tagged_at or self.created_at

    def knowing(self, learned: Mapping[str, object]) -> "Release":
        """The same release with more facts, for whoever words them; it is never written."""
        known = {name: getattr(self, name) for name in type(self).model_fields}
        return Release(**{**known, "facts": self.facts.model_copy(update=dict(learned))})


def move(release: Release, to: Stage, reason: Reason, at: datetime) -> None:
    """Put the release on `to`. It is due at once, unless nothing is left to do at this end.

    Raises ValueError for a move that the graph does not know: that is a bug.
    """
    if to not in MOVES.get(release.stage, frozenset()):
        raise ValueError(f"no way from {release.stage} to {to}")
    release.stage = to
    release.code, release.sentence = reason.code, reason.sentence
    release.since = at
    release.attempts, release.failures, release.seen = 0, 0, None
    release.due_at = None if to in ENDS - LOOKED_AFTER else at


class Evidence(RootModel[dict[str, JsonValue]]):
    """What an audit line rests on: links, digests, shas, readings, by name."""


class Transition(SQLModel, table=True):
    """One line of the audit. `kind` is `move` (the stage changed), `intent` (an effect is about
    to be tried), `note` (the reason changed, the stage did not), `act` (a person did something
    about it that moves nothing), `alarm` (an announcement of
    another file than ours, a foreign package of our name, a merge that the gate did not allow) or
    `repair` (the sweep found what no webhook told)."""

    __table_args__ = (
        Index("transition_by_actor", "actor", "seq", "code", "kind"),
        Index("transition_by_code", "code", "seq", "actor", "kind"),
        Index("transition_by_kind", "kind", "seq", "actor", "code"),
    )

    seq: int | None = Field(default=None, primary_key=True)
    release_id: int = Field(index=True, foreign_key="release.id")
    kind: str
    from_stage: str
    to_stage: str
    code: str
    sentence: str
    actor: str
    delivery_id: int | None = None
    occurred_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    recorded_at: datetime = Field(sa_column=Column(Moment, nullable=False))
    evidence: Evidence = Field(sa_column=Column(Document(Evidence), nullable=False))
    prev_hash: str
    hash: str
