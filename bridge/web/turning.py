"""What the lists, a release, the numbers and the record show, from one reading session."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from bridge import meter, metrics
from bridge.configuration import Pipeline
from bridge.delivery import DeliveryState
from bridge.release import Release
from bridge.sentences import say
from bridge.served import Served
from bridge.store import boards as board_rows
from bridge.store import books, history, record, releases, tiles
from bridge.store.history import Asked, Rows
from bridge.store.looks import Turn
from bridge.store.watchman import Watchman
from bridge.web import evidence, rows, shapes
from bridge.web.present import how_on

TITLES: Mapping[metrics.Name, str] = {
    "change_lead_time": "Change lead time",
    "deployment_frequency": "Deployment frequency",
    "failed_deployment_recovery_time": "Failed deployment recovery time",
    "change_fail_rate": "Change fail rate",
    "deployment_rework_rate": "Deployment rework rate",
}


def release_rows(session: Session, asked: Asked, turn: Turn) -> shapes.Page[shapes.ReleaseRow]:
    """Releases, newest first."""
    found = history.releases(session, asked, turn)
    return shapes.Page(items=[rows.release_row(one) for one in found.items], **_ends(found))


def release(
    session: Session, identifier: int, pipelines: Sequence[Pipeline]
) -> shapes.ReleasePage | None:
    """Everything about one release, if there is such a one."""
    row = session.get(Release, identifier)
    if row is None:
        return None
    lines = record.of_release(session, identifier)
    pipeline = next((one for one in pipelines if one.name == row.pipeline), None)
    facts, ahead = row.facts, how_on(row)
    was = facts.previous_version
    before = releases.of_version(session, row.pipeline, was) if was else None
    moves = [(line.to_stage, line.recorded_at) for line in lines if line.kind == "move"]
    told = facts.model_dump(include=set(shapes.ReleasePage.model_fields))
    return shapes.ReleasePage.model_validate(
        {
            **told,
            **rows.row_of(row),
            "reason_since": rows.reason_since(row),
            "unblock": {"who": ahead.who, "what": ahead.what} if ahead else None,
            "due_at": row.due_at,
            "digest": facts.digest or facts.announced_digest,
            "pull_request": told["pull_request"],
            "metrics": facts.card.metrics if facts.card else None,
            "rail": rows.stops(row, moves),
            "comparison": evidence.comparison(row, before, pipeline),
            "evidence_links": evidence.links(row, pipeline),
            "transitions": [rows.line_of(line) for line in lines],
        }
    )


def deliveries(
    session: Session, state: DeliveryState | None, turn: Turn
) -> shapes.Page[shapes.DeliveryRow]:
    """What came in."""
    found = history.deliveries(session, state, turn)
    return shapes.Page(items=[rows.delivery_row(one) for one in found.items], **_ends(found))


def notices(
    session: Session, state: DeliveryState | None, turn: Turn
) -> shapes.Page[shapes.NoticeRow]:
    """What goes out."""
    found = history.notices(session, state, turn)
    return shapes.Page(items=[rows.notice_row(one) for one in found.items], **_ends(found))


def boards(session: Session) -> shapes.Boards:
    """Which version everybody has."""
    return shapes.Boards(items=[rows.board(one) for one in board_rows.all_of_them(session)])


def numbers(session: Session, days: int, pipeline: str | None, today: date) -> shapes.Numbers:
    """DORA's five, where the time goes, and the lost-webhook meter."""
    some = metrics.days_until(today, days)
    counted = metrics.Counts(books.by_day(session, pipeline, metrics.COUNTED, some[0], today))
    timed = books.together(session, pipeline, metrics.TIMED, some[0], today)
    return shapes.Numbers(
        days=days,
        from_=some[0],
        to=today,
        pipeline=pipeline or None,
        dora=[
            shapes.Measure(
                name=one.name,
                title=TITLES[one.name],
                value=one.value,
                unit=one.unit,
                definition=say(one.name).sentence,
                count=one.count,
                trend=[shapes.Day(day=day, value=value) for day, value in one.trend],
            )
            for one in metrics.five(counted, some)
        ],
        stages=[
            shapes.StageTime(stage=one.stage, p50_s=one.p50, p90_s=one.p90, count=one.count)
            for one in metrics.stood(timed)
        ],
        webhooks=[rows.meter(one) for one in meter.read(session)],
    )


def audit(
    session: Session,
    *,
    watchman: Watchman,
    pipelines: Sequence[str],
    asked: Asked,
    turn: Turn,
    at: datetime | None,
) -> shapes.AuditPage:
    """Lines of the record, whether it is whole, and what served at a time."""
    verdict = watchman.look(session)
    return shapes.AuditPage(
        lines=audit_lines(session, asked, turn),
        verdict=shapes.ChainVerdict(
            **{**vars(verdict), "holds": verdict.holds},
            last=record.last_seq(session),
            checked_at=watchman.checked_at,
            whole_at=watchman.whole_at,
        ),
        at=audit_at(session, pipelines, at) if at else None,
    )


def audit_lines(session: Session, asked: Asked, turn: Turn) -> shapes.Page[shapes.AuditLine]:
    """Lines of the record, newest first."""
    found = history.lines(session, asked, turn)
    return shapes.Page(items=[rows.audit_line(*one) for one in found.items], **_ends(found))


def audit_at(session: Session, pipelines: Sequence[str], time: datetime) -> shapes.AuditAt:
    """What was serving at a time, as the record says it."""
    seq = history.line_at(session, time)
    served = tiles.served(session, pipelines, seq) if pipelines else {}
    following = tiles.following(session, pipelines, seq) if pipelines else {}
    lines = tiles.lines(session, served.values())
    found = []
    for name in pipelines:
        change, then = served.get(name), following.get(name)
        if change is None or change.version is None:
            found.append(_nothing(name, then))
            continue
        why = lines[change.seq].sentence
        if not change.proven:
            why = say("served_unproven", version=change.version, why=why).sentence
        release = change.release_id
        if release is None and (known := releases.of_version(session, name, change.version)):
            release = known.id
        found.append(
            shapes.ServedAt(
                pipeline=name,
                version=change.version,
                release_id=release,
                proven=change.proven,
                since=change.at,
                until=then.at if then else None,
                sentence=why,
            )
        )
    return shapes.AuditAt(time=time, seq=seq, serving=found)


def _nothing(pipeline: str, then: Served | None) -> shapes.ServedAt:
    return shapes.ServedAt(
        pipeline=pipeline,
        version=None,
        release_id=None,
        proven=False,
        since=None,
        until=then.at if then else None,
        sentence=say("served_nothing").sentence,
    )


def _ends(found: Rows[Any]) -> dict[str, str | None]:
    """Cursors are numbers today; nobody outside may rely on that."""
    after, before = found.part.after, found.part.before
    return {
        "after": None if after is None else str(after),
        "before": None if before is None else str(before),
    }
