"""Drift: index, branch, Heroku and the running API name different versions. Is that meant? Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from packaging.version import Version
from pydantic import BaseModel
from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from bridge.columns import Document, Moment
from bridge.errors import Reason
from bridge.release import Release, Stage
from bridge.sentences import say

PINNED, BUILT, RUNS = "index and branch", "branch and Heroku", "Heroku and API"


class Seen(BaseModel):
    """Four versions of one pipeline; None where nobody answered, or nothing is there.

    `deployed` is `v43` for a Heroku release that the bridge knows nothing of.
    """

    newest: str | None = None
    pinned: str | None = None
    deployed: str | None = None
    serving: str | None = None


class Gap(BaseModel):
    """What one of two neighbours has, and the other has not; `same` is no gap at all."""

    between: str
    verdict: Literal["same", "intended", "surprise", "unknown"]
    code: str = ""
    sentence: str = ""


class Gaps(BaseModel):
    """The three gaps between four versions."""

    seen: Seen
    gaps: list[Gap]

    @property
    def surprises(self) -> list[Gap]:
        """What nobody has an explanation for."""
        return [gap for gap in self.gaps if gap.verdict == "surprise"]


class Board(SQLModel, table=True):
    """What the sweep saw of one pipeline last; `told` are the surprises that are on record."""

    pipeline: str = Field(primary_key=True)
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
    found: Gaps = Field(sa_column=Column(Document(Gaps), nullable=False))
    told: str = ""


def judge(seen: Seen, known: Mapping[str, Release]) -> Gaps:
    """Compare four versions; `known` are the pipeline's releases by version.

    What somebody else deployed may be any commit: where it serves what the branch pins, nothing is
    wrong.
    """
    busy = next((one for one in known.values() if one.is_deploying), None)
    is_theirs = seen.deployed not in known and seen.serving == seen.pinned
    gaps = [
        _pin(seen.newest, seen.pinned, known),
        _unknown(BUILT) if is_theirs else _deployment(seen.pinned, seen.deployed, known, busy),
        _unknown(RUNS) if is_theirs else _serving(seen.deployed, seen.serving, busy),
    ]
    return Gaps(seen=seen, gaps=gaps)


def _pin(newest: str | None, pinned: str | None, known: Mapping[str, Release]) -> Gap:
    if (gap := _no_gap(PINNED, newest, pinned)) or newest is None or pinned is None:
        return gap or _unknown(PINNED)
    if Version(newest) < Version(pinned):
        return _surprise(PINNED, say("drift_not_on_index", pinned=pinned, newest=newest))
    release, other = known.get(newest), known.get(pinned)
    went_back = other and release and other.since > release.since
    if release and (release.stage is not Stage.VERIFIED or went_back):
        return _meant(PINNED, release)
    return _surprise(PINNED, say("drift_not_pinned", pinned=pinned, newest=newest))


def _deployment(
    pinned: str | None, deployed: str | None, known: Mapping[str, Release], busy: Release | None
) -> Gap:
    if (gap := _no_gap(BUILT, pinned, deployed)) or pinned is None or deployed is None:
        return gap or _unknown(BUILT)
    release = busy or known.get(pinned)
    if release and release.stage is not Stage.VERIFIED:
        return _meant(BUILT, release)
    return _surprise(BUILT, say("drift_not_deployed", pinned=pinned, deployed=deployed))


def _serving(deployed: str | None, serving: str | None, busy: Release | None) -> Gap:
    if (gap := _no_gap(RUNS, deployed, serving)) or deployed is None or serving is None:
        return gap or _unknown(RUNS)
    if busy:
        return _meant(RUNS, busy)
    return _surprise(RUNS, say("drift_not_serving", deployed=deployed, serving=serving))


def _no_gap(between: str, one: str | None, other: str | None) -> Gap | None:
    if one is None or other is None:
        return _unknown(between)
    return Gap(between=between, verdict="same") if one == other else None


def _unknown(between: str) -> Gap:
    return Gap(between=between, verdict="unknown")


def _meant(between: str, release: Release) -> Gap:
    told = f"{release.version} is {release.stage.value}: {release.sentence}"
    return Gap(between=between, verdict="intended", code=release.code, sentence=told)


def _surprise(between: str, why: Reason) -> Gap:
    return Gap(between=between, verdict="surprise", code=why.code, sentence=why.sentence)
