"""Where the bars of a chart stand: numbers in, rectangles and a sentence out. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.sentences import say, span
from bridge.web.shapes import Day, Numbers, StageTime

WIDTH, HEIGHT = 320.0, 56.0
LONGEST = 520.0
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

    usual: float
    late: float


def amount(value: float | None, unit: str) -> str:
    """A measure as people read it."""
    if value is None:
        return "–"
    if unit == "seconds":
        return span(value)
    if unit == "share":
        return f"{value:.0%}"
    if 0 < value < 1:
        return f"{value * 30:,.3g} in 30 days"
    return f"{value:,.3g} a day"


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


def stages(times: Sequence[StageTime]) -> list[tuple[StageTime, StageBar | None]]:
    """Every stage beside its bars, all on one scale; None for a stage that nothing left."""
    longest = max((one.p90_s or 0.0 for one in times), default=0.0)
    scale = LONGEST / longest if longest else 0.0
    return [
        (one, StageBar(_width(one.p50_s * scale), _width(one.p90_s * scale)))
        if one.p50_s is not None and one.p90_s is not None
        else (one, None)
        for one in times
    ]


def _width(wide: float) -> float:
    return round(max(wide, 1.0), 1)


def measures(numbers: Numbers) -> list[tuple[object, Trend]]:
    """Every measure beside its chart."""
    return [(one, trend(one.trend, one.unit)) for one in numbers.dora]
