"""What happened, in our words. A parser makes one of these of a delivery's body."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from bridge.attestation import Attestation
from bridge.facts import CiRun


class Event(BaseModel):
    """What every event has: when it happened, if its sender said so."""

    model_config = ConfigDict(frozen=True)
    occurred_at: datetime | None = None


class Published(Event):
    """A version was uploaded. `digest` is `sha256:`+hex of the wheel, as its builder saw it."""

    package: str
    version: str
    file: str | None = None
    digest: str | None = None
    commit: str | None = None
    tag: str | None = None
    tagged_at: datetime | None = None
    ci: CiRun | None = None
    attestations: tuple[Attestation, ...] = ()


class WorkflowEnded(Event):
    """A CI workflow ended. It does not name the package; the tag tells the version."""

    project: str
    workflow: str
    succeeded: bool
    tag: str | None
    tagged_at: datetime | None
    commit: str | None
    ci: CiRun


class RepositoryChanged(Event):
    """A pull request, check, status or push: what waits for this `owner/name` looks again."""

    repository: str


class AppChanged(Event):
    """A build or a Heroku release of this app changed."""

    app: str


class Nothing(Event):
    """Nothing that concerns us, and why."""

    because: str
