"""What *Now* shows, from one reading session."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from bridge import meter
from bridge.configuration import Pipeline
from bridge.drift import Board
from bridge.facts import Rollback
from bridge.prediction.client import same_version
from bridge.release import Release, Transition
from bridge.sentences import say
from bridge.served import Served
from bridge.store import boards, pauses, releases, tiles
from bridge.web import rows, shapes

NOTHING = Rollback()


@dataclass(frozen=True)
class _Known:
    """What the tiles are made of, by pipeline, release and line."""

    boards: Mapping[str, Board]
    served: Mapping[str, Served]
    failed: Mapping[str, Release]
    opened: Mapping[str, Sequence[Release]]
    moves: Mapping[int, tiles.Moves]
    releases: Mapping[int | None, Release]
    lines: Mapping[int, Transition]


def now(session: Session, pipelines: Sequence[Pipeline], at: datetime) -> shapes.Now:
    """What is live, what is on its way, why not."""
    known = _known(session, [pipeline.name for pipeline in pipelines])
    held = [rows.pause(one) for one in pauses.all_of_them(session)]
    return shapes.Now(
        at=at,
        tiles=[_tile(session, one, known, held) for one in pipelines],
        pauses=held,
        webhooks=[rows.meter(one) for one in meter.read(session)],
        parked=tiles.parked(session),
    )


def _known(session: Session, names: Sequence[str]) -> _Known:
    served = tiles.served(session, names) if names else {}
    opened = tiles.under_way(session, names) if names else []
    by_pipeline: defaultdict[str, list[Release]] = defaultdict(list)
    for row in opened:
        by_pipeline[row.pipeline].append(row)
    keys = [one.release_id for one in served.values() if one.release_id]
    serving = session.exec(select(Release).where(col(Release.id).in_(keys)))
    return _Known(
        boards={one.pipeline: one for one in boards.all_of_them(session)},
        served=served,
        failed=tiles.failed_last(session, names) if names else {},
        opened=by_pipeline,
        moves=tiles.moves(session, [row.key for row in opened]),
        releases={row.id: row for row in serving},
        lines=tiles.lines(session, served.values()),
    )


def _tile(
    session: Session, pipeline: Pipeline, known: _Known, held: Sequence[shapes.Pause]
) -> shapes.Tile:
    name = pipeline.name
    board, served, failed = known.boards.get(name), known.served.get(name), known.failed.get(name)
    return shapes.Tile(
        pipeline=name,
        package=pipeline.package,
        api_url=pipeline.api_url,
        app=pipeline.app,
        repository=pipeline.repository,
        serving=_serving(session, served, board, known),
        under_way=[
            shapes.UnderWay.model_validate(
                {**rows.row_of(row), "rail": rows.stops(row, known.moves.get(row.key, []))}
            )
            for row in known.opened.get(name, [])
        ],
        last_failure=rows.release_row(failed) if failed else None,
        drift=rows.board(board) if board else None,
        paused=next((one for one in held if one.pipeline in (None, name)), None),
    )


def _serving(
    session: Session, served: Served | None, board: Board | None, known: _Known
) -> shapes.Serving | None:
    """What the record says, unless the API said otherwise when it was looked at since."""
    reported = board.found.seen.serving if board else None
    if served is None or served.version is None:
        return _foreign(reported) if reported else None
    line, release = known.lines[served.seq], known.releases.get(served.release_id)
    if release is None:
        release = releases.of_version(session, served.pipeline, served.version)
    proven, sentence = served.proven, line.sentence
    if board is None or board.at <= served.at:
        reported = None
    agrees = reported is not None and same_version(reported, served.version)
    if proven and reported and not agrees:
        proven, sentence = False, _other(served.version, reported)
    elif not proven and agrees and release and served.code.startswith("drift_"):
        proven, sentence = True, release.sentence
    elif not proven:
        sentence = say("served_unproven", version=served.version, why=sentence).sentence
    return shapes.Serving(
        release_id=release.id if release else None,
        version=served.version,
        since=served.since,
        proven=proven,
        sentence=sentence,
        last_reading_at=_last_reading(release, line),
        heroku_release=_heroku_release(release, line),
    )


def _other(version: str, reported: str) -> str:
    return say("served_other", version=version, serving=reported).sentence


def _foreign(reported: str) -> shapes.Serving:
    sentence = say("served_unknown", serving=reported).sentence
    return shapes.Serving(
        release_id=None, version=reported, since=None, proven=False, sentence=sentence
    )


def _last_reading(release: Release | None, line: Transition) -> datetime | None:
    facts = release.facts if release else None
    readings = [*facts.readings, *facts.later_readings] if facts else []
    readings += _rollback(line).readings
    return max((one.at for one in readings if one.verdict == "matches"), default=None)


def _heroku_release(release: Release | None, line: Transition) -> int | None:
    put_back = _rollback(line).release
    deployed = release.facts.heroku if release else None
    return put_back or (deployed.release if deployed else None)


def _rollback(line: Transition) -> Rollback:
    """What the line of a rollback tells of what was put back."""
    told = line.evidence.root.get("rollback")
    return Rollback.model_validate(told) if told else NOTHING
