"""What is live, what is on its way, why not."""

from typing import Literal

from bridge.drift import Gap
from bridge.errors import Reason
from bridge.release import Stage
from bridge.web.shapes.common import Moment, Shape


class Waiting(Shape):
    """Whom a release waits for, what would let it go on, and since when."""

    who: str
    what: str
    since: Moment


class PullRequestLink(Shape):
    """Our pull request."""

    number: int
    url: str


class ReleaseRow(Shape):
    """A release in a list. `mark` stands beside the stage's word, so that colour is never the only
    signal; `actor` moved it last."""

    id: int
    pipeline: str
    package: str
    version: str
    stage: Stage
    mark: str
    reason: Reason
    since: Moment
    created_at: Moment
    actor: str
    waits_for: Waiting | None = None
    pull_request: PullRequestLink | None = None
    lead_time_s: float | None = None


class Stop(Shape):
    """One stage on the rail: when it was earned, and how long the one before had taken."""

    stage: Stage
    state: Literal["done", "now", "ahead"]
    at: Moment | None = None
    took_s: float | None = None


class UnderWay(ReleaseRow):
    """A release that is on its way."""

    rail: list[Stop]


class Serving(Shape):
    """What answers in production. `sentence` says why that is proven, or why not.

    `release_id` is null for a version that the bridge did not bring.
    """

    release_id: int | None
    version: str
    since: Moment | None
    proven: bool
    sentence: str
    last_reading_at: Moment | None = None
    heroku_release: int | None = None


class Pause(Shape):
    """What a person has stopped; `pipeline` is null where that is everything."""

    pipeline: str | None
    who: str
    why: str
    since: Moment
    sentence: str


class Board(Shape):
    """Which version index, branch, Heroku and API had when the sweep looked last."""

    pipeline: str
    at: Moment
    newest: str | None
    pinned: str | None
    deployed: str | None
    serving: str | None
    gaps: list[Gap]


class Boards(Shape):
    """Every pipeline's."""

    items: list[Board]


class Meter(Shape):
    """Of one source, or of `versions`: how many came (were announced), how many were lost."""

    about: str
    came: int
    lost: int
    reason: Reason


class Tile(Shape):
    """One pipeline: what serves, what is on its way, what failed last."""

    pipeline: str
    package: str
    api_url: str
    app: str
    repository: str
    serving: Serving | None = None
    under_way: list[UnderWay]
    last_failure: ReleaseRow | None = None
    drift: Board | None = None
    paused: Pause | None = None


class Now(Shape):
    """What is live, what is on its way, why not. `parked` deliveries wait for a person."""

    at: Moment
    tiles: list[Tile]
    pauses: list[Pause]
    webhooks: list[Meter]
    parked: int
