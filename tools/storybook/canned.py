"""Made-up shapes, as the pages get them."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from bridge.attestation import Provenance
from bridge.delivery import DeliveryState
from bridge.drift import Gap
from bridge.errors import Reason
from bridge.facts import CiRun, HerokuDeployment, PullRequest, Quarantine, Reading, Rollback
from bridge.person import By, Person, Role
from bridge.release import Stage
from bridge.unblock import unblock
from bridge.web.acts import Act, Ask
from bridge.web.present import mark
from bridge.web.shapes import (
    AuditAt,
    AuditLine,
    AuditPage,
    Board,
    ChainVerdict,
    Changed,
    Compared,
    Comparison,
    Day,
    DeliveryRow,
    Evidence,
    Line,
    Measure,
    Meter,
    Named,
    NoticeRow,
    Now,
    Numbers,
    Page,
    Pause,
    PullRequestHead,
    PullRequestLink,
    ReleasePage,
    ReleaseRow,
    ServedAt,
    Serving,
    StageTime,
    Stop,
    Tile,
    Unblock,
    UnderWay,
    Waiting,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PACKAGE = "regression-model"
PULL = "https://github.example/acme/model-deployment/pull/7"
DIGEST = "sha256:" + "4f" * 32
RAIL = (
    Stage.ANNOUNCED,
    Stage.CONFIRMED,
    Stage.PROPOSED,
    Stage.MERGED,
    Stage.DEPLOYED,
    Stage.VERIFIED,
)
SAID = {
    Stage.ANNOUNCED: Reason("waiting_for_index", "The file is not on the index yet; asked since "
                            "08:58:10, until 09:28:10."),
    Stage.CONFIRMED: Reason("frozen", "Nothing is merged before Mon 08:00: a freeze holds."),
    Stage.PROPOSED: Reason("waiting_for_reviewer", "Pull request #7 waits for a person to merge "
                           "it."),
    Stage.MERGED: Reason("building", "Heroku is building 8c1f0a2e."),
    Stage.DEPLOYED: Reason("reading", "2 of 3 readings in a row match."),
    Stage.ROLLING_BACK: Reason("putting_back", "house-prices-api runs 0.1.1 again, as v44; 1 of 3 "
                               "readings in a row match, the last one matches."),
    Stage.VERIFIED: Reason("verified", "The API reports 0.1.1 with the digest of the file, 3 times "
                           "in a row, and gave the model's 5 known answers."),
    Stage.SUPERSEDED: Reason("superseded", "regression-model 0.1.2 is newer and took its place."),
    Stage.DECLINED: Reason("declined", "Pull request #7 was closed by a person without merging."),
    Stage.FAILED: Reason("build_failed", "Heroku could not build 8c1f0a2e: No matching "
                         "distribution found for feature-engine==9.9."),
    Stage.ROLLED_BACK: Reason("rolled_back", "house-prices-api runs 0.1.1 again, proven by 3 "
                              "readings: the API gave other answers than at training time."),
}  # fmt: skip


WHY = Ask("reason", "Why", required=True)


def act(
    path: str,
    label: str,
    explain: str,
    *more: Ask,
    danger: bool = False,
    why_not: str | None = None,
) -> Act:
    return Act(path, label, explain, danger, (WHY, *more), why_not)


ANA = Person("4711", "Ana Example", Role.OPERATOR, By.GITHUB)
VERA = Person("vera", "Vera Example", Role.VIEWER, By.PROXY)
RETRY = act("/releases/7/retry", "Try again", "It begins once more, from the announcement.")
ROLLBACK = act(
    "/releases/7/rollback",
    "Roll back",
    "The version verified before is put back, and this one goes into quarantine.",
    danger=True,
)
LATER = act(
    "/releases/7/quarantine",
    "Put into quarantine",
    "It is neither proposed nor built before a person lifts it.",
    Ask("until", "Until, in UTC; else a person lifts it", "moment"),
    Ask("allow", "Allow, for this version only", "choice", choices=("yanked", "freeze")),
    danger=True,
)
NOT_NOW = act(
    "/releases/7/release-quarantine",
    "Lift the quarantine",
    "It may be proposed again.",
    why_not="regression-model 0.1.2 is not in quarantine.",
)
PAUSE = act(
    "/pipelines/house-prices/pause", "Pause house-prices", "Nothing new is proposed or built."
)
REPLAY = act("/deliveries/41/replay", "Handle again", "The stored delivery is handled once more.")


def before(**span: float) -> datetime:
    return NOW - timedelta(**span)


def row(
    version: str = "0.1.2", stage: Stage = Stage.PROPOSED, number: int = 7, **told: object
) -> ReleaseRow:
    reason = SAID[stage]
    ahead = None if stage is Stage.VERIFIED else unblock(reason, PACKAGE, version)
    waits = Waiting(who=ahead.who, what=ahead.what, since=before(hours=2)) if ahead else None
    words = {
        "id": number,
        "pipeline": "house-prices",
        "package": PACKAGE,
        "version": version,
        "stage": stage,
        "mark": mark(stage),
        "reason": reason,
        "since": before(hours=2, minutes=number),
        "created_at": before(hours=3),
        "actor": "bridge",
        "waits_for": waits,
        "pull_request": PullRequestLink(number=7, url=PULL),
        "lead_time_s": 1832.5 if stage is Stage.VERIFIED else None,
    }
    return ReleaseRow.model_validate({**words, **told})


def rail(stage: Stage) -> list[Stop]:
    here = RAIL.index(stage) if stage in RAIL else 3
    ended = stage.is_end or stage not in RAIL
    return [
        Stop(
            stage=one,
            state="now" if place == here and not ended else
            "done" if place <= here else "ahead",
            at=before(hours=3 - place / 4) if place <= here else None,
            took_s=12.0 * place if 0 < place <= here else None,
        )
        for place, one in enumerate(RAIL)
    ]  # fmt: skip


def under_way(stage: Stage, version: str = "0.1.2") -> UnderWay:
    return UnderWay(**dict(row(version, stage)), rail=rail(stage))


def serving(*, proven: bool = True, **told: object) -> Serving:
    sentence = (
        "The API reports 0.1.1 with the digest of the file, 3 times in a row, and gave the "
        "model's 5 known answers."
        if proven
        else "0.1.1 was verified, but 3 readings since then contradict: it reports 0.1.0."
    )
    words = {
        "release_id": 6,
        "version": "0.1.1",
        "since": before(days=3),
        "proven": proven,
        "sentence": sentence,
        "last_reading_at": before(minutes=4),
        "heroku_release": 43,
    }
    return Serving.model_validate({**words, **told})


def board(verdict: str = "same") -> Board:
    gaps = [
        Gap(between="index and branch", verdict="intended", code="waiting_for_reviewer",
            sentence="0.1.2 is proposed: Pull request #7 waits for a person to merge it."),
        Gap(between="Heroku and API", verdict="surprise", code="drift_not_serving",
            sentence="Heroku runs 0.1.1, but the API reports 0.1.0."),
    ]  # fmt: skip
    return Board(
        pipeline="house-prices", at=before(seconds=40), newest="0.1.2", pinned="0.1.1",
        deployed="0.1.1", serving="0.1.0" if verdict == "surprise" else "0.1.1",
        gaps=gaps if verdict == "surprise" else gaps[:1],
    )  # fmt: skip


def pause(pipeline: str | None = "house-prices") -> Pause:
    what = f"The pipeline {pipeline}" if pipeline else "Everything"
    return Pause(
        pipeline=pipeline, who="ana", why="the database moves", since=before(minutes=12),
        sentence=f"{what} was paused by ana: the database moves. Nothing is proposed, merged or "
        "built meanwhile.",
    )  # fmt: skip


def tile(name: str = "house-prices", **told: object) -> Tile:
    words = {
        "pipeline": name,
        "package": PACKAGE,
        "api_url": "https://house-prices.example",
        "app": f"{name}-api",
        "repository": "acme/model-deployment",
        "serving": serving(),
        "under_way": [],
        "drift": board(),
    }
    return Tile.model_validate({**words, **told})


def meters(lost: int = 0) -> list[Meter]:
    told = [
        Meter(about="versions", came=12, lost=0,
              reason=Reason("every_version_announced", "Every version was announced (12 so far)."))
    ]  # fmt: skip
    if lost:
        said = f"{lost} of 40 GitHub deliveries never came."
        reason = Reason("some_deliveries_lost", said)
        told.append(Meter(about="github", came=40 - lost, lost=lost, reason=reason))
    return told


def now(*tiles: Tile, **told: object) -> Now:
    words = {"at": NOW, "tiles": list(tiles), "pauses": [], "webhooks": meters(), "parked": 0}
    return Now.model_validate({**words, **told})


def line(seq: int, was: str, to: str, reason: Reason, kind: str = "move") -> dict[str, object]:
    return {
        "seq": seq,
        "kind": kind,
        "from_": was or None,
        "to": to,
        "reason": reason,
        "actor": "bridge" if seq % 3 else "github:ana",
        "occurred_at": before(hours=3, seconds=-seq),
        "recorded_at": before(hours=3, seconds=-seq),
        "delivery": seq if seq % 2 else None,
        "evidence": [
            Named(name="digest", value=DIGEST),
            Named(name="reading", value={"status": 200, "version": "0.1.1"}),
        ],
        "hash": f"{seq:02d}" * 32,
    }


def lines(stage: Stage) -> list[dict[str, object]]:
    ways = ["", *[one.value for one in RAIL[: RAIL.index(stage) + 1 if stage in RAIL else 5]]]
    told = [
        line(seq, was, to, SAID[Stage(to)]) for seq, (was, to) in enumerate(pairwise(ways), start=1)
    ]
    if stage not in RAIL:
        told.append(line(len(told) + 1, ways[-1], stage.value, SAID[stage]))
    return [*told, line(len(told) + 1, stage.value, stage.value, SAID[stage], "note")]


def reading(verdict: str, **told: object) -> Reading:
    version = {"matches": "0.1.1", "contradicts": "0.1.0"}.get(verdict)
    words = {"at": before(minutes=5), "verdict": verdict, "version": version, "instance": "web.1"}
    return Reading.model_validate({**words, **told})


def comparison(verdict: str = "passed") -> Comparison:
    worse = verdict == "broken"
    said = "Worse than 0.1.1" if worse else "Better than 0.1.1"
    return Comparison(
        old_version="0.1.1",
        new_version="0.1.2",
        headline=Reason("model_better", f"{said}: rmse {'+4.2%' if worse else '-1.3%'}."),
        metrics=[
            Compared.model_validate(
                {"name": "rmse", "old": 44213.5, "new": 46070.4 if worse else 43638.7,
                 "change": 0.042 if worse else -0.013, "verdict": verdict,
                 "rule": "may grow 2%"}
            ),
            Compared(name="r2", old=0.78, new=0.79, change=0.0128),
            Compared(name="coverage", old=None, new=0.95, change=None, verdict="unknown"),
        ],
        features_added=["YearRemodAdd"],
        features_removed=["Street", "Alley"],
        libraries_changed=[Changed(name="scikit-learn", old="1.7.2", new="1.8.0")],
        same_data=False,
    )  # fmt: skip


def release(stage: Stage = Stage.PROPOSED, **told: object) -> ReleasePage:
    base = row("0.1.1" if stage is Stage.VERIFIED else "0.1.2", stage)
    ahead = base.waits_for or unblock(base.reason, PACKAGE, base.version)
    words = {
        **dict(base),
        "pull_request": PullRequestHead(number=7, url=PULL, head_sha="c" * 40),
        "previous_version": "0.1.0",
        "reason_since": before(hours=2),
        "unblock": Unblock(who=ahead.who, what=ahead.what) if ahead else None,
        "due_at": None if stage.is_end else NOW + timedelta(minutes=1),
        "digest": DIGEST,
        "model_digest": "sha256:" + "0a" * 32,
        "file": "regression_model-0.1.2-py3-none-any.whl",
        "commit": "8c1f0a2e" * 5,
        "tag": "v0.1.2",
        "ci": CiRun(system="circleci", job="train_and_upload_regression_model"),
        "merge_sha": None,
        "merged_by": None,
        "heroku": HerokuDeployment(build="01234567-89ab", release=43),
        "readings": [reading("unknown", version=None, note="no answer within 5 s"),
                     reading("contradicts", note="0.1.0 still"), reading("matches")],
        "later_readings": [],
        "rollback": None,
        "quarantine": None,
        "provenance": Provenance(
            mode="record", trust="", verdict="proven", code="proven",
            sentence="Built by the job train_and_upload_regression_model of this repository."),
        "metrics": {"rmse": 43638.7},
        "rail": rail(stage),
        "comparison": comparison(),
        "evidence_links": [
            Evidence(name="Tag", text="v0.1.2", url="https://github.example/acme/tree/v0.1.2"),
            Evidence(name="CI job", text="train_and_upload_regression_model",
                     url="https://ci.example/gh/acme/42"),
            Evidence(name="Wheel", text=f"regression_model-0.1.2-py3-none-any.whl {DIGEST}"),
            Evidence(name="Pull request", text="#7", url=PULL),
            Evidence(name="Approvers", text="ben, not the author"),
        ],
        "transitions": [Line.model_validate(one) for one in lines(stage)],
    }  # fmt: skip
    return ReleasePage.model_validate({**words, **told})


def taken_back() -> ReleasePage:
    pull = PullRequest(id="x", number=8, url=PULL, headRefOid="d" * 40)
    return release(
        Stage.ROLLED_BACK,
        rollback=Rollback(to="0.1.1", release=44, asked_by="ana", pull_request=pull),
        quarantine=Quarantine(by="bridge", why="it was rolled back", since=before(hours=1)),
        later_readings=[reading("contradicts", note="web.2 reports 0.1.0")],
        comparison=comparison("broken"),
    )


def delivery(number: int, state: DeliveryState, sentence: str, **told: object) -> DeliveryRow:
    verdict = "accepted" if state is DeliveryState.NEW else state.value
    words = {
        "id": number,
        "source": ("github", "heroku", "circleci", "publisher")[number % 4],
        "delivery_id": f"made-up-{number}",
        "event": "pull_request" if number % 4 == 0 else None,
        "sha256": "ab" * 32,
        "received_at": before(minutes=number),
        "state": state,
        "sentence": sentence,
        "attempts": 0,
        "due_at": None,
        "verdict": verdict,
    }
    return DeliveryRow.model_validate({**words, **told})


def deliveries() -> Page[DeliveryRow]:
    return Page(
        items=[
            delivery(44, DeliveryState.NEW, "", due_at=NOW + timedelta(seconds=5), attempts=1),
            delivery(43, DeliveryState.HANDLED, "It woke regression-model 0.1.2."),
            delivery(42, DeliveryState.IGNORED, "Nobody here waits for a ping."),
            delivery(41, DeliveryState.PARKED, "It failed 5 times (no field head).", attempts=5),
            delivery(40, DeliveryState.DISCARDED, "ana discarded delivery 40: a test"),
        ],
        after="made-up-cursor",
    )


def notices() -> Page[NoticeRow]:
    words = {"message_id": "m", "created_at": before(minutes=3), "attempts": 1, "due_at": None}
    return Page(
        items=[
            NoticeRow.model_validate({**words, **told})
            for told in (
                {"id": 3, "target": "chat", "about": "rolled_back", "release": 7,
                 "text": "house-prices-api: regression-model 0.1.2 was taken back.",
                 "state": "handled", "sentence": "chat was told."},
                {"id": 2, "target": "mail", "about": "parked", "release": None,
                 "text": "Delivery 41 of heroku is parked.", "state": "parked",
                 "sentence": "mail was not told, after 12 tries: refused."},
            )
        ]
    )  # fmt: skip


def numbers(*, empty: bool = False) -> Numbers:
    units = (
        ("change_lead_time", "Change lead time", "seconds", 1832.0),
        ("deployment_frequency", "Deployment frequency", "per_day", 0.4),
        ("failed_deployment_recovery_time", "Failed deployment recovery time", "seconds", 412.0),
        ("change_fail_rate", "Change fail rate", "share", 0.125),
        ("deployment_rework_rate", "Deployment rework rate", "share", None),
    )
    first = (NOW - timedelta(days=29)).date()
    return Numbers(
        days=30,
        from_=first,
        to=NOW.date(),
        pipeline=None,
        dora=[
            Measure.model_validate(
                {"name": name, "title": title, "unit": unit, "value": None if empty else value,
                 "count": 0 if empty or value is None else 12,
                 "definition": "From the announcement of a version to the proof that it serves.",
                 "trend": [Day(day=first + timedelta(days=day), value=None if empty or day % 3 or
                               value is None else value * (1 + day % 5)) for day in range(30)]}
            )
            for name, title, unit, value in units
        ],
        stages=[] if empty else [
            StageTime(stage=stage, p50_s=4.0 * 3**place, p90_s=11.0 * 3**place, count=12)
            for place, stage in enumerate(RAIL[:-1])
        ],
        webhooks=[] if empty else meters(2),
    )  # fmt: skip


def verdict(problem: str | None = None) -> ChainVerdict:
    return ChainVerdict(
        holds=problem is None, lines=412, head="9f" * 32, bad_seq=413 if problem else None,
        problem=problem, checked_at=before(seconds=20), whole_at=before(hours=5),
    )  # fmt: skip


def audit(problem: str | None = None, *, empty: bool = False, at: bool = False) -> AuditPage:
    about = {"release": 7, "pipeline": "house-prices", "package": PACKAGE, "version": "0.1.2"}
    told = [AuditLine.model_validate({**one, **about}) for one in lines(Stage.ROLLED_BACK)]
    served = [
        ServedAt(pipeline="house-prices", version="0.1.1", release_id=6, proven=True,
                 since=before(days=3), until=None, sentence="Verified, and not contradicted."),
        ServedAt(pipeline="rents", version=None, release_id=None, proven=False, since=None,
                 until=None, sentence="Nothing was verified before that time."),
    ]  # fmt: skip
    return AuditPage(
        lines=Page(items=[] if empty else told[::-1], after=None if empty else "made-up"),
        verdict=verdict(problem),
        at=AuditAt(time=before(days=1), seq=400, serving=served) if at else None,
    )
