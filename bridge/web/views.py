"""Every page by its name: a shape in, HTML out. Pure; the storybook calls these as the bridge does.

`asked` is what stands in the address: the filters, by name. An empty text is no filter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar
from urllib.parse import urlencode

from bridge.person import Person
from bridge.release import Stage
from bridge.web import charts
from bridge.web.acts import Act
from bridge.web.headline import headline
from bridge.web.render import render
from bridge.web.shapes import (
    AuditPage,
    Boards,
    DeliveryRow,
    Meter,
    NoticeRow,
    Now,
    Numbers,
    Page,
    Pause,
    Problem,
    ReleasePage,
    ReleaseRow,
)
from bridge.web.trouble import onward

T = TypeVar("T")
Acts = Sequence[Act]
Asked = Mapping[str, str]
RELEASES = ("pipeline", "stage", "actor", "version", "from", "to")
LINES = ("actor", "code", "version", "kind", "from", "to")
KINDS = ("move", "note", "intent", "act", "alarm", "repair")
CURSORS = ("after", "before")
DELIVERIES = (
    ("/deliveries", "All"),
    ("/deliveries?state=parked", "Parked"),
    ("/deliveries?state=new", "New"),
    ("/deliveries/out", "Outgoing"),
)
OUTGOING = (
    ("/deliveries", "Incoming"),
    ("/deliveries/out", "All"),
    ("/deliveries/out?state=parked", "Parked"),
)


@dataclass(frozen=True)
class Frame:
    """What stands around every page: the time, who looks, what an act of theirs came to, and the
    record's last line, from where a page goes on listening."""

    now: datetime
    person: Person
    flash: str | None = None
    seq: int | None = None


def now(
    frame: Frame, page: Now, of_all: Acts = (), of_tile: Mapping[str, Acts] | None = None
) -> str:
    """What is live, what is on its way, why not."""
    return _page(
        "now.html",
        frame,
        here="Now",
        twin="/api/v1/now",
        page=page,
        headline=headline(page),
        acts_of_all=of_all,
        acts_of_tile=of_tile or {},
    )


def releases(
    frame: Frame,
    page: Page[ReleaseRow],
    asked: Asked,
    pipelines: Sequence[str] = (),
    held: Sequence[Pause] = (),
) -> str:
    """The history, newest first."""
    return _page(
        "releases.html",
        frame,
        here="Releases",
        page=page,
        held=held,
        pipelines=pipelines,
        stages=[stage.value for stage in Stage],
        **_list("/releases", page, asked, RELEASES),
    )


def release(frame: Frame, page: ReleasePage, acts: Acts = ()) -> str:
    """Everything about one."""
    return _page(
        "release.html",
        frame,
        here="",
        twin=f"/api/v1/releases/{page.id}",
        watched=page.id,
        page=page,
        acts_of_release=acts,
        same_pipeline=f"/releases?{urlencode({'pipeline': page.pipeline})}",
    )


def deliveries(
    frame: Frame,
    page: Page[DeliveryRow],
    asked: Asked,
    told: Sequence[Meter] = (),
    acts: Mapping[int, Acts] | None = None,
) -> str:
    """What came in."""
    kind = {"parked": "Parked", "new": "New", "": "All"}.get(asked.get("state", ""), "")
    words = _list("/deliveries", page, asked, ("state",))
    return _page(
        "deliveries.html",
        frame,
        live="polls",
        here="Deliveries",
        page=page,
        told=told,
        kinds=DELIVERIES,
        kind=kind,
        acts_of=acts or {},
        **words,
    )


def outgoing(
    frame: Frame,
    page: Page[NoticeRow],
    asked: Asked,
    acts: Mapping[int, Acts] | None = None,
) -> str:
    """What goes out."""
    kind = {"parked": "Parked", "": "All"}.get(asked.get("state", ""), "")
    words = _list("/deliveries/out", page, asked, ("state",))
    return _page(
        "outgoing.html",
        frame,
        live="polls",
        here="Deliveries",
        page=page,
        kinds=OUTGOING,
        kind=kind,
        acts_of=acts or {},
        **words,
    )


def drift(frame: Frame, page: Boards) -> str:
    """Four versions side by side."""
    return _page("drift.html", frame, live="polls", here="", twin="/api/v1/drift", page=page)


def numbers(frame: Frame, page: Numbers, pipelines: Sequence[str] = ()) -> str:
    """What the numbers say."""
    asked = {"days": str(page.days), "pipeline": page.pipeline or ""}
    return _page(
        "numbers.html",
        frame,
        live="no",
        here="Numbers",
        twin=_address("/api/v1/metrics", asked),
        page=page,
        pipelines=pipelines,
        measures=charts.measures(page),
        stages=charts.stages(page.stages),
    )


def audit(frame: Frame, page: AuditPage, asked: Asked) -> str:
    """The record."""
    words = _list("/audit", page.lines, asked, (*LINES, "at"))
    is_filtered = any(asked.get(name) for name in LINES)
    return _page(
        "audit.html",
        frame,
        live="no",
        here="Audit",
        page=page,
        kinds=KINDS,
        **{**words, "is_filtered": is_filtered},
    )


def problem(frame: Frame, page: Problem) -> str:
    """Why there is no page, and the way on."""
    return _page(
        "problem.html", frame, live="no", here="", problem=page, onward=onward(page.status)
    )


def _page(name: str, frame: Frame, **told: object) -> str:
    return render(
        name, person=frame.person, flash=frame.flash, seq=frame.seq, **told, now=frame.now
    )


def _list(path: str, page: Page[T], asked: Asked, names: Sequence[str]) -> dict[str, object]:
    """What a page of a list needs to be turned over, and to show what was asked for."""
    kept = {name: asked.get(name, "") for name in names}
    here = {**kept, **{name: asked.get(name, "") for name in CURSORS}}
    here["to"] = _day_after(here.get("to", ""))
    return {
        "asked": kept,
        "is_filtered": any(kept.values()),
        "is_turned": any(asked.get(name) for name in CURSORS),
        "older": _address(path, {**kept, "after": page.after}) if page.after else None,
        "newer": _address(path, {**kept, "before": page.before}) if page.before else None,
        "twin": _address(f"/api/v1{path}", here),
    }


def _day_after(day: str) -> str:
    """The twin is asked for moments, and goes up to the one that is given."""
    try:
        return (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        return day


def _address(path: str, asked: Mapping[str, str]) -> str:
    told = urlencode({name: text for name, text in asked.items() if text})
    return f"{path}?{told}" if told else path
