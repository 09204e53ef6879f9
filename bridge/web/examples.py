"""What each twin may answer, for those who read its description: made of the shapes themselves."""

from datetime import UTC, datetime
from typing import Any

from bridge.delivery import DeliveryState
from bridge.drift import Gap
from bridge.errors import Reason
from bridge.facts import CiRun, HerokuDeployment, Reading
from bridge.release import Stage
from bridge.web import shapes

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PACKAGE, PIPELINE, PULL = "regression-model", "house-prices", "https://github.com/acme/model/pull/7"
PROOF = Reason("verified", "0.1.1 is verified: 3 readings in a row match.")
WAITING = Reason("waiting_for_merge", "Pull request #7 waits for a person who merges it.")
ROW: dict[str, Any] = {
    "id": 42,
    "pipeline": PIPELINE,
    "package": PACKAGE,
    "version": "0.1.2",
    "stage": Stage.PROPOSED,
    "mark": "…",
    "reason": WAITING,
    "since": AT,
    "created_at": AT,
    "actor": "bridge",
    "waits_for": shapes.Waiting(who="a reviewer", what="Merge the pull request.", since=AT),
    "pull_request": shapes.PullRequestLink(number=7, url=PULL),
}
RAIL = [
    shapes.Stop(stage=Stage.ANNOUNCED, state="done", at=AT),
    shapes.Stop(stage=Stage.CONFIRMED, state="done", at=AT, took_s=4.2),
    shapes.Stop(stage=Stage.PROPOSED, state="now", at=AT, took_s=7.9),
    shapes.Stop(stage=Stage.MERGED, state="ahead"),
]
LINE: dict[str, Any] = {
    "seq": 1234,
    "kind": "move",
    "from": "deployed",
    "to": "verified",
    "reason": PROOF,
    "actor": "bridge",
    "occurred_at": AT,
    "recorded_at": AT,
    "delivery": None,
    "evidence": [{"name": "merge_sha", "value": "c0ffee" * 6 + "c0ff"}],
    "hash": "ab" * 32,
}
METER = shapes.Meter(
    about="github",
    came=38,
    lost=2,
    reason=Reason("some_deliveries_lost", "2 of 40 GitHub deliveries never came."),
)
BOARD = shapes.Board(
    pipeline=PIPELINE,
    at=AT,
    newest="0.1.2",
    pinned="0.1.1",
    deployed="0.1.1",
    serving="0.1.1",
    gaps=[Gap(between="branch and Heroku", verdict="same")],
)


def _as_json(shape: shapes.Shape) -> object:
    return shape.model_dump(mode="json")


NOW = _as_json(
    shapes.Now(
        at=AT,
        tiles=[
            shapes.Tile(
                pipeline=PIPELINE,
                package=PACKAGE,
                api_url="https://house-prices-api.example.com",
                app="house-prices-api",
                repository="acme/model-deployment",
                serving=shapes.Serving(
                    release_id=41,
                    version="0.1.1",
                    since=AT,
                    proven=True,
                    sentence=PROOF.sentence,
                    last_reading_at=AT,
                    heroku_release=43,
                ),
                under_way=[shapes.UnderWay(**ROW, rail=RAIL)],
                drift=BOARD,
            )
        ],
        pauses=[],
        webhooks=[METER],
        parked=0,
    )
)
RELEASES = _as_json(
    shapes.Page[shapes.ReleaseRow](items=[shapes.ReleaseRow(**ROW)], after="42", before=None)
)
RELEASE = _as_json(
    shapes.ReleasePage.model_validate(
        {
            **ROW,
            "pull_request": {"number": 7, "url": PULL, "head_sha": "b" * 40},
            "previous_version": "0.1.1",
            "reason_since": AT,
            "unblock": {"who": "a reviewer", "what": "Merge the pull request."},
            "due_at": AT,
            "digest": f"sha256:{'0' * 64}",
            "model_digest": f"sha256:{'1' * 64}",
            "file": "regression_model-0.1.2-py3-none-any.whl",
            "commit": "a" * 40,
            "tag": "v0.1.2",
            "ci": CiRun(system="circleci", job="train_and_upload"),
            "merge_sha": None,
            "merged_by": None,
            "heroku": HerokuDeployment(build="01234567-89ab-cdef-0123-456789abcdef", release=44),
            "readings": [Reading(at=AT, verdict="matches", version="0.1.2")],
            "later_readings": [],
            "rollback": None,
            "quarantine": None,
            "provenance": None,
            "metrics": {"rmse": 44868.02},
            "rail": RAIL,
            "comparison": None,
            "evidence_links": [shapes.Evidence(name="pull request", text="#7", url=PULL)],
            "transitions": [shapes.Line.model_validate(LINE)],
        }
    )
)
DELIVERIES = _as_json(
    shapes.Page[shapes.DeliveryRow](
        items=[
            shapes.DeliveryRow(
                id=7,
                source="github",
                delivery_id="72d3162e-cc78-11e3-81ab-4c9367dc0958",
                event="pull_request",
                sha256="2" * 64,
                received_at=AT,
                state=DeliveryState.HANDLED,
                sentence="It woke 1 release.",
                attempts=1,
                due_at=None,
                verdict="handled",
            )
        ]
    )
)
NOTICES = _as_json(
    shapes.Page[shapes.NoticeRow](
        items=[
            shapes.NoticeRow(
                id=3,
                target="chat",
                message_id="verified-ab12",
                about="verified",
                release=41,
                text=PROOF.sentence,
                created_at=AT,
                state=DeliveryState.HANDLED,
                sentence="It was sent.",
                attempts=1,
                due_at=None,
            )
        ]
    )
)
BOARDS = _as_json(shapes.Boards(items=[BOARD]))
NUMBERS = _as_json(
    shapes.Numbers(
        days=1,
        from_=AT.date(),
        to=AT.date(),
        pipeline=None,
        dora=[
            shapes.Measure(
                name="change_lead_time",
                title="Change lead time",
                value=861.3,
                unit="seconds",
                definition="From the announcement of a version to the proof that it serves.",
                count=3,
                trend=[shapes.Day(day=AT.date(), value=861.3)],
            )
        ],
        stages=[shapes.StageTime(stage=Stage.PROPOSED, p50_s=540.2, p90_s=7210.5, count=3)],
        webhooks=[METER],
    )
)
AUDIT = _as_json(
    shapes.AuditPage(
        lines=shapes.Page(
            items=[
                shapes.AuditLine.model_validate(
                    {
                        **LINE,
                        "release": 41,
                        "pipeline": PIPELINE,
                        "package": PACKAGE,
                        "version": "0.1.1",
                    }
                )
            ]
        ),
        verdict=shapes.ChainVerdict(
            holds=True,
            lines=1234,
            last=1234,
            head="ab" * 32,
            bad_seq=None,
            problem=None,
            checked_at=AT,
            whole_at=AT,
        ),
        at=shapes.AuditAt(
            time=AT,
            seq=1234,
            serving=[
                shapes.ServedAt(
                    pipeline=PIPELINE,
                    version="0.1.1",
                    release_id=41,
                    proven=True,
                    since=AT,
                    until=None,
                    sentence=PROOF.sentence,
                )
            ],
        ),
    )
)
