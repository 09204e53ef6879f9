"""What a page shows and its JSON twin says: one shape for both, and for the command line.

A page is a template that is given a shape; nothing else reaches it. Moments are UTC; in JSON they
are written with milliseconds. What is not known yet is null.
"""

from bridge.web.shapes.common import Page, Problem, Shape, Wrong
from bridge.web.shapes.inbox import DeliveryRow, NoticeRow
from bridge.web.shapes.now import (
    Board,
    Boards,
    Meter,
    Now,
    Pause,
    PullRequestLink,
    ReleaseRow,
    Serving,
    Stop,
    Tile,
    UnderWay,
    Waiting,
)
from bridge.web.shapes.numbers import Day, Measure, Numbers, StageTime
from bridge.web.shapes.one import (
    Changed,
    Compared,
    Comparison,
    Evidence,
    Line,
    Named,
    PullRequestHead,
    ReleasePage,
    Unblock,
)
from bridge.web.shapes.record import AuditAt, AuditLine, AuditPage, ChainVerdict, ServedAt

__all__ = [
    "AuditAt",
    "AuditLine",
    "AuditPage",
    "Board",
    "Boards",
    "ChainVerdict",
    "Changed",
    "Compared",
    "Comparison",
    "Day",
    "DeliveryRow",
    "Evidence",
    "Line",
    "Measure",
    "Meter",
    "Named",
    "NoticeRow",
    "Now",
    "Numbers",
    "Page",
    "Pause",
    "Problem",
    "PullRequestHead",
    "PullRequestLink",
    "ReleasePage",
    "ReleaseRow",
    "ServedAt",
    "Serving",
    "Shape",
    "StageTime",
    "Stop",
    "Tile",
    "Unblock",
    "UnderWay",
    "Waiting",
    "Wrong",
]
