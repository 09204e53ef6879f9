"""Long lists are turned over by any filters: nothing is missed, and nothing comes twice."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from itertools import product

import pytest
from sqlalchemy import event
from sqlmodel import Session, SQLModel

from bridge import ledger
from bridge.delivery import DeliveryState
from bridge.errors import Reason
from bridge.facts import Facts
from bridge.release import Release, Stage
from bridge.store import Store, history
from bridge.store.history import Asked
from bridge.store.looks import LOOK, Turn
from bridge.store.postgresql import take_your_time
from tests.bridge_kit import NOW, a_store, begin, keep, told

STAGES = (Stage.ANNOUNCED, Stage.CONFIRMED, Stage.FAILED)
PIPELINES = ("house-prices", "rents")
ACTORS = ("bridge", "rosa")


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with a_store(url) as made:
        yield made


def row(number: int, pipeline: str, stage: Stage, actor: str) -> Release:
    """The one of that number, announced so many minutes after NOW."""
    made = {"version": f"1.{number}", "canonical": f"1.{number}", "stage": stage, "actor": actor}
    fixed = {"package": "m", "app": "a", "code": "c", "sentence": "S.", "facts": Facts()}
    at = NOW + timedelta(minutes=number)
    return Release.model_validate(
        {**made, **fixed, "id": number, "pipeline": pipeline, "since": at, "created_at": at}
    )


async def filled(store: Store, count: int) -> list[Release]:
    """Of every pipeline, stage and actor, by turns that do not go together."""
    rows = [
        row(number, PIPELINES[number % 2], STAGES[number // 2 % 3], ACTORS[number // 5 % 2])
        for number in range(1, count + 1)
    ]
    await store.write(lambda session: insert(session, rows))
    return rows


def insert(session: Session, rows: list[Release]) -> None:
    """Many at once."""
    take_your_time(session.connection())
    told = [{**vars(one), "facts": Facts()} for one in rows]
    session.connection().execute(SQLModel.metadata.tables["release"].insert(), told)


def turned(store: Store, asked: Asked, limit: int = 7) -> list[int]:
    """Every number, part by part, and back again by the same parts."""
    parts, turn = [], Turn(limit)
    for _ in range(99):
        part = store.read_now(partial(history.releases, asked=asked, turn=turn)).part
        parts.append(part.keys)
        if part.after is None:
            break
        turn = Turn(limit, after=part.after)
    back, before = [parts[-1]], part.before
    while before is not None and len(back) < len(parts):
        part = store.read_now(
            partial(history.releases, asked=asked, turn=Turn(limit, before=before))
        ).part
        back.append(part.keys)
        before = part.before
    assert parts == back[::-1]
    return [key for keys in parts for key in keys]


async def test_every_filter_finds_all_of_it_and_nothing_else(store: Store) -> None:
    rows = await filled(store, 60)
    some = [None, *PIPELINES, "none"], [None, *STAGES], [None, *ACTORS], [None, "1.7", "1.7.0"]
    for pipeline, stage, actor, version in product(*some):
        asked = Asked(pipeline=pipeline, stage=stage, actor=actor, version=version)
        wanted = [
            one.id
            for one in reversed(rows)
            if pipeline in (None, one.pipeline)
            and stage in (None, one.stage)
            and actor in (None, one.actor)
            and (version is None or one.version == "1.7")
        ]
        found = store.read_now(partial(history.releases, asked=asked, turn=Turn(99)))
        assert wanted == [one.id for one in found.items] == found.part.keys, asked


@pytest.mark.parametrize(
    "asked", [Asked(), Asked(stage=Stage.FAILED), Asked(stage=Stage.FAILED, actor="rosa")]
)
async def test_parts_lead_there_and_back(store: Store, asked: Asked) -> None:
    rows = await filled(store, 60)
    wanted = [
        one.id
        for one in reversed(rows)
        if asked.stage in (None, one.stage) and asked.actor in (None, one.actor)
    ]
    assert wanted == turned(store, asked)


async def test_a_time_is_from_its_begin_up_to_its_end(store: Store) -> None:
    await filled(store, 30)
    for low, high in ((5, 9), (0, 1), (1, 31), (31, 40), (9, 9)):
        asked = Asked(
            since=NOW + timedelta(minutes=low), until=NOW + timedelta(minutes=high), actor="rosa"
        )
        every = store.read_now(partial(history.releases, asked=Asked(actor="rosa"), turn=Turn(99)))
        wanted = [key for key in every.part.keys if low <= key < high]
        found = store.read_now(partial(history.releases, asked=asked, turn=Turn(99)))
        assert wanted == found.part.keys


async def test_what_is_rare_among_much_is_found_at_once(store: Store) -> None:
    """Whichever filter leaves least is walked: also one that comes last and lies far back."""
    rows = [row(number, "p", Stage.VERIFIED, "bridge") for number in range(1, LOOK + 50)]
    rows[2].actor = "rosa"
    await store.write(lambda session: insert(session, rows))
    rare = Asked(pipeline="p", stage=Stage.VERIFIED, actor="rosa")
    assert [3] == store.read_now(partial(history.releases, asked=rare, turn=Turn(5))).part.keys
    none = Asked(pipeline="p", stage=Stage.VERIFIED, actor="bridge", until=NOW)
    part = store.read_now(partial(history.releases, asked=none, turn=Turn(5))).part
    assert ([], None) == (part.keys, part.after)


async def test_where_nothing_is_found_in_a_look_it_goes_on_further_back(store: Store) -> None:
    """Two filters that leave much each, and nothing in common but the very first."""
    rows = [
        row(number, "p", *((Stage.VERIFIED, "rosa") if number % 2 else (Stage.FAILED, "bridge")))
        for number in range(1, 2 * (LOOK + 10))
    ]
    rows[0].actor = "bridge"
    await store.write(lambda session: insert(session, rows))
    asked, turn, looks = Asked(stage=Stage.VERIFIED, actor="bridge"), Turn(5), 0
    found: list[int] = []
    while looks < 9:
        part = store.read_now(partial(history.releases, asked=asked, turn=turn)).part
        found, looks = [*found, *part.keys], looks + 1
        if part.after is None:
            break
        turn = Turn(5, after=part.after)
    assert ([1], 2) == (found, looks)


@pytest.fixture
async def lines(store: Store) -> Store:
    """Two releases: one announced and confirmed by rosa, one that only waits."""

    def work(session: Session) -> None:
        one, other = begin(session, "0.1.0"), begin(session, "0.2.0")
        ledger.transit(
            session, one, Stage.CONFIRMED, Reason("confirmed", "It is."), NOW, actor="rosa"
        )
        later = NOW + timedelta(hours=1)
        ledger.note(session, other, "note", Reason("waits", "It does."), later)

    await store.write(work)
    return store


@pytest.mark.parametrize(
    ("asked", "seqs"),
    [
        (Asked(), [4, 3, 2, 1]),
        (Asked(actor="rosa"), [3]),
        (Asked(code="announced"), [2, 1]),
        (Asked(kind="move"), [3, 2, 1]),
        (Asked(kind="move", actor="publisher"), [2, 1]),
        (Asked(version="0.1"), [3, 1]),
        (Asked(version="0.1.0", code="announced"), [1]),
        (Asked(version="9"), []),
        (Asked(release=2), [4, 2]),
        (Asked(since=NOW + timedelta(minutes=1)), [4]),
        (Asked(until=NOW + timedelta(minutes=1)), [3, 2, 1]),
        (Asked(actor="nobody", kind="move"), []),
    ],
)
async def test_lines_are_found_by_what_they_tell(
    lines: Store, asked: Asked, seqs: list[int]
) -> None:
    found = lines.read_now(partial(history.lines, asked=asked, turn=Turn(9)))
    assert seqs == [line.seq for line, *_ in found.items]
    assert {"house-prices"} >= {pipeline for _, pipeline, _, _ in found.items}


async def test_a_moment_has_its_last_line(lines: Store) -> None:
    for minutes, seq in ((-1, 0), (0, 3), (59, 3), (60, 4), (999, 4)):
        moment = NOW + timedelta(minutes=minutes)
        assert seq == lines.read_now(partial(history.line_at, moment=moment))


async def test_no_body_is_read_to_list_deliveries(store: Store) -> None:
    await keep(store, told("a", "1"))
    asked: list[str] = []

    def look(session: Session) -> list[DeliveryState]:
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", lambda *told: asked.append(told[2]))
        return [one.state for one in history.deliveries(session, DeliveryState.NEW, Turn()).items]

    assert [DeliveryState.NEW] == store.read_now(look)
    assert asked
    assert not [query for query in asked if "body" in query]
