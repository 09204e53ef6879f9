"""A person has stopped a pipeline, or all of them. Pure."""

from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from bridge.columns import Moment
from bridge.errors import Reason
from bridge.release import Release, Stage
from bridge.sentences import say

EVERYTHING = "*"


class Pause(SQLModel, table=True):
    """Who stopped a pipeline (EVERYTHING: all of them), why and since when."""

    pipeline: str = Field(primary_key=True)
    who: str
    why: str
    since: datetime = Field(sa_column=Column(Moment, nullable=False))

    @property
    def reason(self) -> Reason:
        """What it says to whoever waits."""
        return say("paused", what=what(self.pipeline), who=self.who, why=self.why)


def what(pipeline: str) -> str:
    """What a pause stops, in words."""
    return "Everything" if pipeline == EVERYTHING else f"The pipeline {pipeline}"


def stops(release: Release, *, builds: bool) -> bool:
    """Whether the next step would begin something: a pull request, or, where the bridge `builds`,
    a build. See docs/decisions/0017.

    What Heroku builds already is watched to its end. The merge is not stopped here but by the
    gate, which then stops everybody's merge button.
    """
    if release.stage is Stage.MERGED:
        return builds and release.facts.heroku is None
    return release.stage is Stage.CONFIRMED
