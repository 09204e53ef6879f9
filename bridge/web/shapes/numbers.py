"""What the numbers say."""

from datetime import date
from typing import Literal

from pydantic import Field

from bridge.release import Stage
from bridge.web.shapes.common import Shape
from bridge.web.shapes.now import Meter


class Day(Shape):
    """One point of a trend; null on a day of which nothing can be said."""

    day: date
    value: float | None


class Measure(Shape):
    """One of DORA's five. `value` is null where nothing happened that it could be told from;
    `count` is of how many it is told; a `share` is between 0 and 1."""

    name: Literal[
        "change_lead_time",
        "deployment_frequency",
        "failed_deployment_recovery_time",
        "change_fail_rate",
        "deployment_rework_rate",
    ]
    title: str
    value: float | None
    unit: Literal["seconds", "per_day", "share"]
    definition: str
    count: int
    trend: list[Day]


class StageTime(Shape):
    """How long releases stood at a stage, in seconds."""

    stage: Stage
    p50_s: float | None
    p90_s: float | None
    count: int


class Numbers(Shape):
    """What the numbers say of these days, the last one included; `pipeline` is null for all."""

    days: int
    from_: date = Field(alias="from")
    to: date
    pipeline: str | None
    dora: list[Measure]
    stages: list[StageTime]
    webhooks: list[Meter]
