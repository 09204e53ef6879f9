"""Where the bars of a chart stand: numbers in, rectangles and a sentence out. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.release import Stage
from bridge.sentences import say, span
from bridge.web.shapes import Day, Numbers, StageTime

WIDTH, HEIGHT = 320.0, 56.0
LONGEST = 520.0
ROW = 24.0
GAP = 1.0


@dataclass(frozen=True)
class Bar:
    """One day; a height of 0 is a day of which nothing can be said, or a true nought."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Trend:
    """Bars from left to right, and what they show in words."""

    bars: list[Bar]
    told: str


@dataclass(frozen=True)
class StageBar:
    """Half of the releases left the stage within `usual`, nine of ten within `late`."""

    stage: Stage
    y: float
    usual: float
    late: float


@dataclass(frozen=True)
class StageBars:
    """Bars from top to bottom, and what they show in words."""

    bars: list[StageBar]
    height: float
    told: str


def amount(value: float | None, unit: str) -> str:
    """A measure as people read it."""
    if value is None:
        return "–"
    if unit == "seconds":
        return span(value)
    return f"{value:.0%}" if unit == "share" else f"{value:,.3g} a day"


def trend(days: Sequence[Day], unit: str) -> Trend:
    """A bar for every day, the largest one as high as there is room."""
    known = [day for day in days if day.value is not None]
    if not known:
        return Trend([], say("chart_empty").sentence)
    most = max(day.value or 0.0 for day in known)
    step = WIDTH / len(days)
    bars = []
    for place, day in enumerate(days):
        height = round(HEIGHT * (day.value or 0.0) / most, 1) if most else 0.0
        bars.append(
            Bar(round(place * step, 1), HEIGHT - (height or 1.0), round(step - GAP, 1), height)
        )
    told = say(
        "chart_trend",
        most=amount(most, unit),
        day=next(day.day for day in known if day.value == most),
        last=amount(known[-1].value, unit),
        known=len(known),
        days=len(days),
    )
    return Trend(bars, told.sentence)


def stages(times: Sequence[StageTime]) -> StageBars:
    """A pair of bars for every stage that was left, all on one scale."""
    known = [one for one in times if one.p50_s is not None and one.p90_s is not None]
    longest = max((one.p90_s or 0.0 for one in known), default=0.0)
    scale = LONGEST / longest if longest else 0.0
    bars = [
        StageBar(
            one.stage,
            place * ROW,
            round(max((one.p50_s or 0.0) * scale, 1.0), 1),
            round(max((one.p90_s or 0.0) * scale, 1.0), 1),
        )
        for place, one in enumerate(known)
    ]
    told = ", ".join(f"{one.stage.value} {span(one.p50_s or 0.0)}" for one in known)
    return StageBars(bars, len(bars) * ROW, say("chart_stages", told=told).sentence)


def measures(numbers: Numbers) -> list[tuple[object, Trend]]:
    """Every measure beside its chart."""
    return [(one, trend(one.trend, one.unit)) for one in numbers.dora]
