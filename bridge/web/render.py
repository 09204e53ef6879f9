"""A page is a template that is given a shape. Pure: no database, no request."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from jinja2 import Environment, PackageLoader, StrictUndefined

from bridge import __version__
from bridge.columns import written
from bridge.gates import number
from bridge.sentences import span
from bridge.web.charts import amount
from bridge.web.files import address
from bridge.web.headline import missed
from bridge.web.series import series
from bridge.web.shapes import Stop, Tile

MENU = (
    ("/", "Now"),
    ("/releases", "Releases"),
    ("/deliveries", "Deliveries"),
    ("/metrics-board", "Numbers"),
    ("/audit", "Audit"),
)
TONES = {
    **dict.fromkeys(("verified", "matches", "passed", "handled", "accepted"), "good"),
    **dict.fromkeys(("failed", "rolled_back", "rolling_back", "contradicts", "broken"), "bad"),
    **dict.fromkeys(("superseded", "declined", "ignored", "discarded"), "over"),
}
SIGNS = {
    **dict.fromkeys(("matches", "passed", "handled", "accepted"), "✓"),
    **dict.fromkeys(("contradicts", "broken", "rejected"), "✗"),
    **dict.fromkeys(("ignored", "discarded"), "–"),
    "parked": "!",
    "unknown": "?",
}
UNLESS_TOLD: Mapping[str, object] = {
    **dict.fromkeys(("person", "flash", "seq", "watched", "here", "twin")),
    "live": "yes",
}
"""`live` is `yes` for a page that the record rings for, `polls` for one that looks again and again
because not all that it shows is on the record, and `no` for one that stays as it is."""
STOPS = {"done": "✓", "now": "▶", "ahead": "○"}


def render(name: str, now: datetime, **told: object) -> str:
    """The page `name` as HTML, at `now`. What every page may be told has a default here."""
    words = {**UNLESS_TOLD, **told}
    return TEMPLATES.get_template(name).render(
        now=now,
        ago=lambda moment: ago(moment, now),
        lasting=lambda moment: lasting(moment, now),
        release_of_bridge=__version__,
        **words,
    )


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, or in what time, as people say it."""
    if moment > now:
        return f"in {span((moment - now).total_seconds())}"
    return f"{lasting(moment, now)} ago"


def lasting(moment: datetime, now: datetime) -> str:
    """How long it has been so."""
    passed = max(now - moment, timedelta())
    return f"{passed.days} days" if passed.days > 1 else span(passed.total_seconds())


def utc(moment: datetime) -> str:
    """A moment as people write it, and where."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def words(name: str) -> str:
    """A stage, or another name of ours, in words."""
    return str(name).replace("_", " ")


def plain(value: object) -> str:
    """Anything that a line rests on, as text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def web(url: str | None) -> bool:
    """Whether this is a web address; nothing else becomes a link."""
    return bool(url) and str(url).startswith(("https://", "http://"))


def serving_tone(tile: Tile) -> str:
    """The colour beside what serves."""
    if tile.serving is None:
        return ""
    return "good" if tile.serving.proven else "bad"


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("bridge.web", "pages"), autoescape=True, undefined=StrictUndefined
    )
    made.trim_blocks = made.lstrip_blocks = True
    made.globals.update(file=address, menu=MENU)
    made.filters.update(
        written=written,
        utc=utc,
        span=span,
        words=words,
        plain=plain,
        web=web,
        number=number,
        amount=amount,
        serving_tone=serving_tone,
        missed=missed,
        series=series,
        signed=lambda share: f"{share:+.1%}",
        tone=lambda name: TONES.get(str(name), ""),
        sign=lambda name: SIGNS.get(str(name), "…"),
        stop_mark=_stop_mark,
    )
    return made


def _stop_mark(stop: Stop) -> str:
    return STOPS[stop.state]


TEMPLATES = _environment()
