"""Every state that a page can be in, by a name that is its address."""

from collections.abc import Callable
from dataclasses import dataclass

from bridge.release import Stage
from bridge.web import views
from bridge.web.shapes import Boards, DeliveryRow, NoticeRow, Page, ReleaseRow, Shape, Wrong
from bridge.web.trouble import trouble
from bridge.web.views import Frame
from tools.storybook import canned
from tools.storybook.canned import (
    ANA,
    LATER,
    NOT_NOW,
    NOW,
    PAUSE,
    REPLAY,
    RETRY,
    ROLLBACK,
    VERA,
    row,
    tile,
    under_way,
)

PLAIN = Frame(NOW, person=VERA)
SIGNED_IN = Frame(NOW, person=ANA)
DONE = Frame(NOW, person=ANA, flash="Done: regression-model 0.1.2 begins anew.")
NAMES = ["house-prices", "rents"]


@dataclass(frozen=True)
class State:
    """A canned shape and the view that renders it; the view takes any shape of the kind."""

    shape: Shape
    view: Callable[..., str]

    def html(self) -> str:
        return self.view(self.shape)


def _now(shape: Shape, frame: Frame = PLAIN) -> State:
    return State(shape, lambda page: views.now(frame, page, (), {"house-prices": [PAUSE]}))


def _history(*rows: object, frame: Frame = PLAIN, **asked: str) -> State:
    page = Page[ReleaseRow].model_validate({"items": rows, "after": "x" if rows else None})
    return State(page, lambda page: views.releases(frame, page, asked, NAMES))


def _one(shape: Shape, frame: Frame = SIGNED_IN) -> State:
    return State(shape, lambda page: views.release(frame, page, [RETRY, ROLLBACK, LATER, NOT_NOW]))


def _problem(status: int) -> State:
    errors = [Wrong(name="after", problem="is no cursor")] if status == 422 else []
    return State(trouble(status, errors=errors), lambda page: views.problem(PLAIN, page))


FAILED = row("0.1.0", Stage.FAILED, 5)
STATES: dict[str, State] = {
    "now": _now(canned.now(tile(under_way=[under_way(Stage.PROPOSED)], last_failure=FAILED))),
    "now-calm": _now(canned.now(tile(), tile("rents"))),
    "now-missed": _now(canned.now(tile(last_failure=row("0.1.2", Stage.FAILED)))),
    "now-later": _now(canned.now(tile(last_failure=FAILED))),
    "now-drift": _now(canned.now(tile(drift=canned.board("surprise")))),
    "now-paused": _now(canned.now(tile(paused=canned.pause()), pauses=[canned.pause()])),
    "now-empty": _now(canned.now()),
    "now-first": _now(canned.now(tile(serving=None, under_way=[under_way(Stage.ANNOUNCED)]))),
    "now-trouble": _now(
        canned.now(
            tile(
                serving=canned.serving(proven=False, release_id=None, since=None),
                under_way=[under_way(Stage.ROLLING_BACK), under_way(Stage.CONFIRMED, "0.1.3")],
                drift=canned.board("surprise"),
                paused=canned.pause(),
            ),
            tile("rents", last_failure=FAILED),
            pauses=[canned.pause(None)],
            webhooks=canned.meters(2),
            parked=1,
        ),
        SIGNED_IN,
    ),
    "releases": _history(*[row(f"0.{n}", stage, n) for n, stage in enumerate(Stage, start=1)]),
    "releases-filtered": _history(row(), frame=SIGNED_IN, stage="proposed", actor="ana"),
    "releases-no-match": _history(stage="failed"),
    "releases-empty": _history(),
    "releases-end": _history(after="made-up"),
    **{f"release-{stage.value}": _one(canned.release(stage)) for stage in Stage},
    "release-rolled_back": _one(canned.taken_back()),
    "release-acted": _one(canned.release(), DONE),
    "release-bare": _one(
        canned.release(
            Stage.ANNOUNCED, comparison=None, evidence_links=[], readings=[], digest=None,
            provenance=None, previous_version=None,
        ),
        PLAIN,
    ),
    "deliveries": State(
        canned.deliveries(),
        lambda page: views.deliveries(SIGNED_IN, page, {}, canned.meters(2), {41: [REPLAY]}),
    ),
    "deliveries-empty": State(
        Page[DeliveryRow](items=[]), lambda page: views.deliveries(PLAIN, page, {})
    ),
    "outgoing": State(
        canned.notices(), lambda page: views.outgoing(SIGNED_IN, page, {}, {2: [REPLAY]})
    ),
    "outgoing-empty": State(
        Page[NoticeRow](items=[]), lambda page: views.outgoing(PLAIN, page, {})
    ),
    "drift": State(
        Boards(items=[canned.board("surprise")]), lambda page: views.drift(PLAIN, page)
    ),
    "drift-empty": State(Boards(items=[]), lambda page: views.drift(PLAIN, page)),
    "numbers": State(canned.numbers(), lambda page: views.numbers(PLAIN, page, NAMES)),
    "numbers-empty": State(
        canned.numbers(empty=True), lambda page: views.numbers(PLAIN, page, NAMES)
    ),
    "audit": State(
        canned.audit(at=True), lambda page: views.audit(PLAIN, page, {"at": "2026-11-22T09:00"})
    ),
    "audit-broken": State(
        canned.audit("its content was changed"), lambda page: views.audit(PLAIN, page, {})
    ),
    "audit-empty": State(canned.audit(empty=True), lambda page: views.audit(PLAIN, page, {})),
    "problem-404": _problem(404),
    "problem-422": _problem(422),
    "problem-500": _problem(500),
    "problem-503": _problem(503),
}  # fmt: skip
