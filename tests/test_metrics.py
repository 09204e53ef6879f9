"""The numbers: of what was counted line by line, and as anybody would make them of the record."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, select

from bridge import ledger, metrics
from bridge.errors import Reason
from bridge.pause import EVERYTHING
from bridge.release import MOVES, Release, Stage, Transition
from bridge.served import Served, history
from bridge.store import Store, books, releases
from bridge.store.history import Asked
from bridge.store.looks import Turn
from bridge.tally import LEAD, Count, Tally, bucket, recount, seconds_of
from bridge.web import turning
from tests.bridge_kit import NOW, a_store, begin

ARRIVES = (Stage.CONFIRMED, Stage.PROPOSED, Stage.MERGED, Stage.DEPLOYED, Stage.VERIFIED)
FAILS = (*ARRIVES[:4], Stage.ROLLING_BACK, Stage.ROLLED_BACK)
TODAY = NOW.date()
LEAD_TIME: metrics.Name = "change_lead_time"
RECOVERY_TIME: metrics.Name = "failed_deployment_recovery_time"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with a_store(url) as made:
        yield made


def journey(session: Session, version: str, stages: tuple[Stage, ...], days: int = 0) -> None:
    """Announced at NOW, and each stage a minute later than the last; so many days on."""
    row, at = begin(session, version), NOW + timedelta(days=days)
    row.created_at = row.since = at
    for number, stage in enumerate(stages, start=1):
        now = at + timedelta(minutes=number)
        ledger.transit(session, row, stage, Reason(stage.value, "It is."), now, actor="rosa")


@given(st.floats(min_value=0.001, max_value=1e8))
def test_a_duration_is_known_to_within_five_per_cent(seconds: float) -> None:
    assert abs(seconds_of(bucket(seconds)) - seconds) <= 0.05 * seconds


@given(st.lists(st.floats(min_value=0.001, max_value=1e6), min_size=1), st.sampled_from((0.5, 0.9)))
def test_a_percentile_is_one_of_the_durations(durations: list[float], share: float) -> None:
    found = metrics.percentile(Counter(map(bucket, durations)), share)
    exact = sorted(durations)[max(0, -(-len(durations) * round(share * 10) // 10) - 1)]
    assert found == pytest.approx(exact, rel=0.051, abs=0.001)


def test_of_nothing_there_is_no_percentile() -> None:
    assert metrics.percentile({}, 0.5) is None


async def test_doras_five_of_a_day(store: Store) -> None:
    """Two versions arrive, one fails and is put back: one of four deployments was rework."""

    def work(session: Session) -> None:
        for version, stages in (("0.1", ARRIVES), ("0.2", ARRIVES), ("0.3", FAILS)):
            journey(session, version, stages)

    await store.write(work)
    numbers = store.read_now(lambda s: turning.numbers(s, 7, None, TODAY))
    told = {one.name: (one.value, one.count) for one in numbers.dora}
    (lead, two), (minute, one) = told.pop(LEAD_TIME), told.pop(RECOVERY_TIME)
    assert (2, 1) == (two, one)
    assert lead == pytest.approx(300, rel=0.05)
    assert minute == pytest.approx(60, rel=0.05)
    assert {
        "deployment_frequency": (round(3 / 7, 3), 3),
        "change_fail_rate": (round(1 / 3, 4), 3),
        "deployment_rework_rate": (0.25, 4),
    } == told
    assert all(one.definition.endswith(".") for one in numbers.dora)
    (frequency,) = [one for one in numbers.dora if one.name == "deployment_frequency"]
    assert [0.0] * 6 + [3.0] == [day.value for day in frequency.trend]
    assert (TODAY - timedelta(days=6), TODAY) == (numbers.from_, numbers.to)
    stood = {one.stage: one.count for one in numbers.stages}
    assert {Stage.ANNOUNCED: 3, Stage.DEPLOYED: 3, Stage.ROLLING_BACK: 1}.items() <= stood.items()


async def test_where_the_tag_is_known_the_lead_time_begins_with_it(store: Store) -> None:
    """As the release's own page has it."""

    def work(session: Session) -> None:
        row = begin(session, "0.1")
        row.facts = row.facts.model_copy(update={"tagged_at": NOW - timedelta(hours=1)})
        for number, stage in enumerate(ARRIVES, start=1):
            now = NOW + timedelta(minutes=number)
            ledger.transit(session, row, stage, Reason(stage.value, "It is."), now)

    await store.write(work)

    def look(session: Session) -> tuple[float | None, float | None]:
        (row,) = turning.release_rows(session, Asked(), Turn()).items
        numbers = turning.numbers(session, 1, None, TODAY)
        (lead,) = [one.value for one in numbers.dora if one.name == LEAD_TIME]
        lines = session.exec(select(Transition).order_by(Transition.seq)).all()  # type: ignore[arg-type]
        told = [books.told(session.get_one(Release, row.id), line) for line in lines]
        assert lead == metrics.percentile(
            {one.bucket: 1 for one in recount(told) if one.what == LEAD}, 0.5
        )
        return row.lead_time_s, lead

    shown, counted = store.read_now(look)
    assert 3900 == shown
    assert counted == pytest.approx(3900, rel=0.05)


async def test_a_deployment_while_the_last_one_is_broken_is_rework(store: Store) -> None:
    def work(session: Session) -> None:
        journey(session, "0.1", (*ARRIVES[:4], Stage.FAILED))
        journey(session, "0.2", ARRIVES)

    await store.write(work)
    numbers = store.read_now(lambda s: turning.numbers(s, 1, "house-prices", TODAY))
    assert {"deployment_rework_rate": 0.5}.items() <= {
        one.name: one.value for one in numbers.dora
    }.items()


async def test_other_days_and_pipelines_do_not_count(store: Store) -> None:
    def work(session: Session) -> None:
        journey(session, "0.1", ARRIVES, days=-7)
        journey(session, "0.2", ARRIVES, days=1)

    await store.write(work)
    for pipeline in (None, "house-prices", "another"):
        look = partial(turning.numbers, days=7, pipeline=pipeline, today=TODAY)
        numbers = store.read_now(look)
        assert 0 == sum(one.count for one in numbers.dora)
        assert [None] * 4 == [one.value for one in numbers.dora if one.unit != "per_day"]


@pytest.mark.parametrize("seed", range(3))
async def test_what_is_kept_is_what_anybody_would_make_of_the_record(
    store: Store, seed: int
) -> None:
    """Any walk of any releases through the graph, with retries."""
    steps = [(seed * 7 + number * 13) % 17 for number in range(60)]

    def work(session: Session) -> None:
        rows = [begin(session, f"0.{number}") for number in range(3)]
        for number, step in enumerate(steps):
            row = rows[step % 3]
            ways = sorted(MOVES.get(row.stage, ()))
            if ways:
                to = ways[step % len(ways)]
                at = NOW + timedelta(hours=number)
                ledger.transit(session, row, to, Reason(to.value, "It is."), at)
            if step % 5 == 0:
                ledger.note(session, row, "repair", Reason("unheard_github", "It is."), NOW)

    await store.write(work)

    store.read_now(must_agree)


async def test_what_takes_a_moment_is_counted_as_the_record_will_tell_it(store: Store) -> None:
    def work(session: Session) -> None:
        row = begin(session, "0.1")
        for number, to in enumerate((Stage.CONFIRMED, Stage.PROPOSED, Stage.MERGED), start=1):
            at = NOW + timedelta(microseconds=999 * number)
            ledger.transit(session, row, to, Reason(to.value, "It is."), at)

    await store.write(work)
    store.read_now(must_agree)


def must_agree(session: Session) -> None:
    """What is kept is what the lines tell."""
    whose = {row.id: row for row in session.exec(select(Release))}
    lines = session.exec(select(Transition).order_by(Transition.seq)).all()  # type: ignore[arg-type]
    told = [books.told(whose[line.release_id], line) for line in lines]
    kept = {
        Count(one.pipeline, one.what, one.day, one.bucket): one.count
        for one in session.exec(select(Tally))
    }
    assert Counter(recount(told)) == kept
    assert {EVERYTHING, "house-prices"} == {one.pipeline for one in kept}
    served = session.exec(select(Served).order_by(Served.seq)).all()  # type: ignore[arg-type]
    assert [one.model_dump() for one in history(told)] == [one.model_dump() for one in served]


async def test_a_release_knows_who_moved_it_last_and_since_when_its_reason_is_this(
    store: Store,
) -> None:
    await store.write(lambda session: journey(session, "0.1", ARRIVES[:2]))
    row = store.read_now(lambda session: releases.find(session, "regression-model", "0.1")[0])
    assert ("rosa", NOW + timedelta(minutes=2)) == (row.actor, row.reason_since)


def test_the_days_end_with_the_last_one() -> None:
    assert [date(2026, 2, 28), date(2026, 3, 1)] == metrics.days_until(date(2026, 3, 1), 2)
