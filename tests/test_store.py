"""What is kept: the schema, the settings, the append-only record, and who may work on what."""

import asyncio
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue
from sqlalchemy import inspect, text
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session, SQLModel

from bridge import audit, ledger
from bridge.delivery import Delivery, DeliveryState
from bridge.errors import LeaseLost, Misconfigured, Reason
from bridge.release import Stage
from bridge.store import Store, deliveries, record, releases
from bridge.store.engine import engine_for, has_wal_bug
from tests.bridge_kit import NOW, a_store, begin

LEASE = timedelta(seconds=120)
SOON = NOW + timedelta(seconds=5)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with a_store(tmp_path) as made:
        yield made


async def placed(store: Store, version: str, stage: Stage, since: int = 0, app: str = "a") -> int:
    """A release that stands at `stage` since so many seconds after NOW, due at once."""

    def work(session: Session) -> int:
        row = begin(session, version)
        row.stage, row.app, row.since = stage, app, NOW + timedelta(seconds=since)
        session.add(row)
        return row.key

    return await store.write(work)


async def claimed(store: Store, by: str = "one", after: float = 0) -> list[str]:
    """The versions that a worker gets, so many seconds after NOW."""
    now = NOW + timedelta(seconds=after)
    found = await store.write(lambda session: releases.claim(session, now, by, LEASE, 10))
    return sorted(release.version for release in found)


def test_the_schema_is_what_the_models_say(tmp_path: Path) -> None:
    with a_store(tmp_path) as store, store.read_now(lambda s: s.get_bind()).connect() as live:
        context = MigrationContext.configure(live, opts={"compare_type": True})
        assert [] == compare_metadata(context, SQLModel.metadata)
        seen = inspect(live)
        for name, table in SQLModel.metadata.tables.items():
            columns = {one["name"]: one["nullable"] for one in seen.get_columns(name)}
            assert {one.name: one.nullable for one in table.columns} == columns


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    with a_store(tmp_path) as store:
        before = store.read_now(lambda s: list(s.execute(text("SELECT sql FROM sqlite_master"))))
        store.migrate()
        assert before == store.read_now(
            lambda s: list(s.execute(text("SELECT sql FROM sqlite_master")))
        )


def test_what_was_written_is_there_after_a_restart_and_a_migration(tmp_path: Path) -> None:
    async def write(store: Store) -> None:
        await store.write(lambda session: begin(session).key)

    with a_store(tmp_path) as store:
        asyncio.run(write(store))
    with a_store(tmp_path) as store:
        assert ["0.1.0"] == [r.version for r in store.read_now(lambda s: releases.newest(s, 9))]


@pytest.mark.parametrize("role", ["read", "write"])
def test_every_connection_has_our_settings(tmp_path: Path, role: str) -> None:
    engine = engine_for(f"sqlite:///{tmp_path / 'x.db'}", "write" if role == "write" else "read")
    wanted = {"busy_timeout": 5000, "foreign_keys": 1, "recursive_triggers": 1, "trusted_schema": 0}
    with engine.connect() as connection:
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in wanted}
        journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
        synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
        version = connection.exec_driver_sql("SELECT sqlite_version()").scalar_one()
    engine.dispose()
    assert wanted == found
    bug = has_wal_bug(tuple(int(part) for part in version.split(".")))
    assert (("delete", 3) if bug else ("wal", 2)) == (journal, synchronous)


@pytest.mark.parametrize(
    ("version", "bug"),
    [
        ("3.7.0", True),
        ("3.40.1", True),
        ("3.44.5", True),
        ("3.44.6", False),
        ("3.44.7", False),
        ("3.45.0", True),
        ("3.50.6", True),
        ("3.50.7", False),
        ("3.51.0", True),
        ("3.51.2", True),
        ("3.51.3", False),
        ("3.52.0", False),
        ("4.0.0", False),
    ],
)
def test_the_versions_that_can_lose_a_commit(version: str, bug: bool) -> None:
    assert bug == has_wal_bug(tuple(int(part) for part in version.split(".")))


@pytest.mark.parametrize("url", ["postgresql://u:made-up@db.test/x", "mysql://db.test/x"])
def test_another_database_is_not_served_and_its_password_not_told(url: str) -> None:
    with pytest.raises(Misconfigured, match="database_url") as told:
        engine_for(url, "write")
    assert "made-up" not in str(told.value)


@pytest.mark.parametrize("url", ["made-up-nonsense", "", "sqlite:/bridge.db"])
def test_an_address_that_is_none_is_a_configuration_error(url: str) -> None:
    with pytest.raises(Misconfigured, match="database_url"):
        engine_for(url, "write").connect()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE transition SET sentence = 'never happened'",
        "UPDATE OR REPLACE transition SET seq = seq + 1",
        "DELETE FROM transition",
        "DELETE FROM transition WHERE seq = 1",
        "INSERT OR REPLACE INTO transition SELECT * FROM transition WHERE seq = 1",
        "REPLACE INTO transition SELECT * FROM transition WHERE seq = 1",
        "INSERT INTO transition SELECT * FROM transition WHERE true "
        "ON CONFLICT (seq) DO UPDATE SET sentence = 'never happened'",
        "DELETE FROM release",
    ],
)
async def test_the_record_cannot_be_rewritten(store: Store, statement: str) -> None:
    await store.write(lambda session: begin(session).key)
    before = store.read_now(lambda session: [dict(line.body) for line in record.chain(session)])
    with pytest.raises(DatabaseError, match=r"append-only|FOREIGN KEY"):
        await store.write(lambda session: session.execute(text(statement)))
    assert before == store.read_now(lambda s: [dict(line.body) for line in record.chain(s)])


plain: st.SearchStrategy[JsonValue] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcé"), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.dictionaries(st.text("abcé"), plain, max_size=3), min_size=1, max_size=4))
def test_whatever_a_line_rests_on_its_hash_holds_after_reading(
    evidences: list[dict[str, JsonValue]],
) -> None:
    with tempfile.TemporaryDirectory() as folder, a_store(Path(folder)) as store:

        def work(session: Session) -> None:
            row, moments = begin(session), {"occurred_at": SOON, "now": SOON}
            for evidence in evidences:
                why = Reason("c", "é")
                record.append(
                    session, row, "note", "", why, actor="a", **moments, evidence=evidence
                )

        asyncio.run(store.write(work))
        assert store.read_now(lambda session: audit.verify(record.chain(session))).holds


async def test_a_claim_gives_a_lease_and_a_higher_fence(store: Store) -> None:
    await placed(store, "0.1.0", Stage.ANNOUNCED)
    (release,) = await store.write(lambda s: releases.claim(s, NOW, "one", LEASE, 10))
    assert ("one", NOW + LEASE, NOW + LEASE) == (
        release.claimed_by,
        release.claimed_until,
        release.due_at,
    )
    assert (1, 1) == (release.fence, release.attempts)


async def test_a_lapsed_lease_is_due_again_and_its_holder_cannot_write(store: Store) -> None:
    await placed(store, "0.1.0", Stage.ANNOUNCED)
    (first,) = await store.write(lambda s: releases.claim(s, NOW, "one", LEASE, 10))
    assert [] == await claimed(store, "two", after=119)
    assert ["0.1.0"] == await claimed(store, "two", after=120)
    with pytest.raises(LeaseLost):
        await store.write(lambda session: releases.held(session, first))


async def test_the_same_worker_cannot_write_on_its_older_lease(store: Store) -> None:
    await placed(store, "0.1.0", Stage.ANNOUNCED)
    (first,) = await store.write(lambda s: releases.claim(s, NOW, "one", LEASE, 10))
    (second,) = await store.write(lambda s: releases.claim(s, NOW + LEASE, "one", LEASE, 10))
    with pytest.raises(LeaseLost):
        await store.write(lambda session: releases.held(session, first))
    assert await store.write(lambda session: releases.held(session, second).version)


async def give_back(store: Store, release: int, after: float | None) -> None:
    def work(session: Session) -> None:
        row = session.get_one(releases.Release, release)
        releases.give_back(row, None if after is None else NOW + timedelta(seconds=after))
        session.add(row)

    await store.write(work)


async def due(store: Store) -> float | None:
    moment = store.read_now(releases.next_due)
    return None if moment is None else (moment - NOW).total_seconds()


async def test_a_wake_during_a_step_is_not_slept_over(store: Store) -> None:
    key = await placed(store, "0.1.0", Stage.PROPOSED)
    await claimed(store)
    assert 1 == await store.write(lambda session: releases.wake(session, SOON))
    await give_back(store, key, after=300)
    assert 5 == await due(store)
    assert ["0.1.0"] == await claimed(store, after=6)


async def test_a_wake_during_a_step_does_not_start_it_twice(store: Store) -> None:
    await placed(store, "0.1.0", Stage.PROPOSED)
    await claimed(store)
    await store.write(lambda session: releases.wake(session, SOON))
    assert [] == await claimed(store, "two", after=6)
    assert 120 == await due(store), "a worker that cannot claim it must not spin"


async def test_without_a_wake_the_steps_own_wish_counts(store: Store) -> None:
    key = await placed(store, "0.1.0", Stage.PROPOSED)
    await claimed(store)
    await give_back(store, key, after=300)
    assert 300 == await due(store)
    assert [] == await claimed(store, after=299)


async def test_an_end_is_not_woken(store: Store) -> None:
    for place, stage in enumerate(stage for stage in Stage if stage.is_end):
        await placed(store, f"0.{place}", stage)
    assert 0 == await store.write(lambda session: releases.wake(session, NOW))


async def test_a_release_that_was_superseded_under_a_step_wakes_nobody(store: Store) -> None:
    """Its lease is never given back: the worker that held it may not write any more."""
    await placed(store, "0.1.0", Stage.PROPOSED)
    await claimed(store)
    await placed(store, "0.1.1", Stage.PROPOSED)

    def work(session: Session) -> None:
        newer = releases.of_version(session, "house-prices", "0.1.1")
        assert newer is not None
        ledger.supersede(session, newer, SOON)
        newer.due_at = NOW + timedelta(days=2)
        session.add(newer)

    await store.write(work)
    assert 2 * 86400 == await due(store)


async def test_longest_due_comes_first_and_no_more_than_asked_for(store: Store) -> None:
    for version in ("0.1.0", "0.1.1", "0.1.2"):
        await placed(store, version, Stage.ANNOUNCED)

    def later(session: Session) -> None:
        row = releases.of_version(session, "house-prices", "0.1.0")
        assert row is not None
        row.due_at = SOON
        session.add(row)

    await store.write(later)
    found = await store.write(lambda s: releases.claim(s, SOON, "one", LEASE, 2))
    assert ["0.1.1", "0.1.2"] == sorted(release.version for release in found)
    assert ["0.1.0"] == await claimed(store, after=10)
    assert [] == await claimed(store, after=10)


async def test_one_deployment_per_app_first_merged_first(store: Store) -> None:
    await placed(store, "0.1.0", Stage.MERGED, since=1)
    await placed(store, "0.1.1", Stage.MERGED, since=2)
    await placed(store, "0.1.2", Stage.MERGED, since=0, app="another-app")
    assert ["0.1.0", "0.1.2"] == await claimed(store, after=9)
    assert [] == await claimed(store, after=9)


@pytest.mark.parametrize("busy", [Stage.DEPLOYED, Stage.ROLLING_BACK])
async def test_a_merge_waits_for_what_is_under_way(store: Store, busy: Stage) -> None:
    key = await placed(store, "0.1.0", busy, since=9)
    await placed(store, "0.1.1", Stage.MERGED, since=1)
    assert ["0.1.0"] == await claimed(store, after=10)

    def end(session: Session) -> None:
        row = session.get_one(releases.Release, key)
        row.stage, row.due_at = Stage.VERIFIED, None
        session.add(row)

    await store.write(end)
    assert ["0.1.1"] == await claimed(store, after=11)


@pytest.mark.parametrize("stage", [Stage.ANNOUNCED, Stage.CONFIRMED, Stage.PROPOSED])
async def test_the_lane_holds_up_nothing_before_the_merge(store: Store, stage: Stage) -> None:
    await placed(store, "0.1.0", Stage.DEPLOYED)
    await placed(store, "0.1.1", stage)
    assert ["0.1.0", "0.1.1"] == await claimed(store)


async def test_merged_in_the_same_moment_the_first_one_goes(store: Store) -> None:
    await placed(store, "0.1.0", Stage.MERGED)
    await placed(store, "0.1.1", Stage.MERGED)
    assert ["0.1.0"] == await claimed(store)


def delivery(identifier: str, sha: str, at: float = 0) -> Delivery:
    moment = NOW + timedelta(seconds=at)
    return Delivery(
        source="github",
        delivery_id=identifier,
        sha256=sha,
        body=b"{}",
        received_at=moment,
        due_at=moment,
    )


async def test_a_delivery_is_kept_once_by_its_id_and_by_its_body(store: Store) -> None:
    first = await store.write(lambda s: deliveries.keep(s, delivery("a", "1")))
    assert first.is_new
    for again in (delivery("a", "2"), delivery("b", "1"), delivery("a", "1")):
        kept = await store.write(partial(deliveries.keep, delivery=again))
        assert (first.id, False) == (kept.id, kept.is_new)
    other = delivery("a", "1")
    other.source = "heroku"
    assert (await store.write(lambda s: deliveries.keep(s, other))).is_new


async def test_a_redelivery_of_something_unfinished_is_due_again(store: Store) -> None:
    await store.write(lambda s: deliveries.keep(s, delivery("a", "1")))
    (taken,) = await store.write(lambda s: deliveries.claim(s, NOW, LEASE, 9))
    await store.write(lambda s: deliveries.retry(s, taken, NOW + timedelta(hours=1), "not now"))
    await store.write(lambda s: deliveries.keep(s, delivery("a", "1", at=60)))
    assert NOW + timedelta(seconds=60) == store.read_now(deliveries.next_due)


@pytest.mark.parametrize("state", ["handled", "ignored", "parked"])
async def test_a_redelivery_of_something_finished_changes_nothing(store: Store, state: str) -> None:
    await store.write(lambda s: deliveries.keep(s, delivery("a", "1")))
    (taken,) = await store.write(lambda s: deliveries.claim(s, NOW, LEASE, 9))
    await store.write(lambda s: deliveries.finish(s, taken, DeliveryState(state), "Done."))
    await store.write(lambda s: deliveries.keep(s, delivery("a", "1", at=60)))
    assert store.read_now(deliveries.next_due) is None
    (row,) = store.read_now(lambda s: deliveries.newest(s, 9))
    assert (state, "Done.", 1) == (row.state.value, row.sentence, row.attempts)


async def test_an_attempt_is_counted_before_it_is_made(store: Store) -> None:
    await store.write(lambda s: deliveries.keep(s, delivery("a", "1")))
    for attempt in (1, 2, 3):
        now = NOW + attempt * LEASE
        (taken,) = await store.write(partial(deliveries.claim, now=now, lease=LEASE, limit=9))
        assert attempt == taken.attempts
