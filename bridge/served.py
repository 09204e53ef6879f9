"""What serves in a pipeline from a line of the record on, and whether that is proven. Pure.

Only lines are asked, so whoever has the record comes to the same answer. Where nobody can say which
version answers, as between the order to build and the proof, nothing is proven.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from bridge.columns import Flag, Moment
from bridge.release import Stage

BUILDING = ("intent_build", "waiting_for_deploy")
"""From here on Heroku may put another version in the place of what serves."""
NOTHING_CAME = ("build_failed", "release_failed")
"""Why a build failed that put nothing in its place. One that a newer version overtook says nothing:
that one may run by now."""
DOUBTS = ("contradicts_later", "replaced_by_hand", "drift_not_deployed", "drift_not_serving")
SERVES_AGAIN = "serves_again"
ON_THE_APP = (Stage.DEPLOYED, Stage.VERIFIED, Stage.ROLLING_BACK)


class Told(NamedTuple):
    """What a line tells, with whose release it is. `put_back` is the version that a rollback
    brought back, `tagged_at` is told with the proof, where CI told when the tag was pushed."""

    seq: int
    release_id: int
    pipeline: str
    version: str
    kind: str
    was: str
    to: str
    code: str
    at: datetime
    put_back: str | None = None
    tagged_at: datetime | None = None


class Served(SQLModel, table=True):
    """One pipeline from line `seq` on, until its next one. `version` is None where none was known,
    `since` is when it came.

    `was_proven` is what held before a build began, `broken_since` is when a version failed that
    had been deployed, until another one is proven.
    """

    pipeline: str = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
    release_id: int | None = None
    version: str | None = None
    since: datetime | None = Field(default=None, sa_column=Column(Moment))
    proven: bool = Field(sa_column=Column(Flag, nullable=False))
    code: str
    was_proven: bool = Field(default=False, sa_column=Column(Flag, nullable=False))
    broken_since: datetime | None = Field(default=None, sa_column=Column(Moment))


def after(before: Served | None, line: Told) -> Served | None:
    """What serves from this line on; None where it changes nothing."""
    match line.kind:
        case "move":
            return _moved(before, line)
        case "intent" | "note" if line.code in BUILDING and before and before.code not in BUILDING:
            return _same(before, line, proven=False, was_proven=before.proven)
        case "alarm" if line.code in DOUBTS and before and before.proven:
            return _same(before, line, proven=False)
        case "note" if line.code == SERVES_AGAIN and before and before.version == line.version:
            return _same(before, line, proven=True, broken_since=None)
    return None


def history(lines: Iterable[Told]) -> Iterator[Served]:
    """Every change of what serves, in all pipelines, from the first line on."""
    last: dict[str, Served] = {}
    for line in lines:
        if found := after(last.get(line.pipeline), line):
            last[line.pipeline] = found
            yield found


def _moved(before: Served | None, line: Told) -> Served | None:
    broken = before.broken_since if before else None
    match line.was, line.to:
        case _, Stage.DEPLOYED:
            return _new(line, proven=False, broken_since=broken)
        case _, Stage.VERIFIED:
            return _new(line, proven=True)
        case _, Stage.ROLLED_BACK:
            return _new(line, proven=True, version=line.put_back, release_id=None)
        case _, Stage.ROLLING_BACK:
            return _new(line, proven=False, broken_since=broken or line.at)
        case was, Stage.FAILED if was in ON_THE_APP:
            return _new(line, proven=False, broken_since=broken or line.at)
        case Stage.MERGED, Stage.FAILED if before and before.code in BUILDING:
            proven = before.was_proven and line.code in NOTHING_CAME
            return _same(before, line, proven=proven, was_proven=False)
    return None


def _new(line: Told, **fields: object) -> Served:
    told = {"release_id": line.release_id, "version": line.version, "code": line.code}
    where = {"pipeline": line.pipeline, "seq": line.seq, "at": line.at, "since": line.at}
    return Served.model_validate({**where, **told, **fields})


def _same(before: Served, line: Told, **fields: object) -> Served:
    kept = before.model_dump()
    return Served.model_validate(
        {**kept, "seq": line.seq, "at": line.at, "code": line.code, **fields}
    )
