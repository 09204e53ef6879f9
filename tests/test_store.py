"""What is kept: the schema, the settings, and the record that is only ever appended to."""

import asyncio
import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator
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

from bridge import audit
from bridge.errors import Misconfigured, Reason
from bridge.store import Store, record, releases
from bridge.store.engine import engine_for, has_wal_bug
from tests.bridge_kit import NOW, a_store, begin
from tests.postgresql_kit import Server


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with a_store(url) as made:
        yield made


def test_the_schema_is_what_the_models_say(url: str) -> None:
    with a_store(url):
        engine = engine_for(url, "read")
    with engine.connect() as live:
        context = MigrationContext.configure(live, opts={"compare_type": True})
        assert [] == compare_metadata(context, SQLModel.metadata)
        seen = inspect(live)
        for name, table in SQLModel.metadata.tables.items():
            columns = {one["name"]: one["nullable"] for one in seen.get_columns(name)}
            assert {one.name: one.nullable for one in table.columns} == columns
    engine.dispose()


def schema(store: Store) -> list[object]:
    """Everything that a migration could have changed."""
    told = "SELECT sql FROM sqlite_master"
    if store.is_shared:
        told = (
            "SELECT relname, relkind::text, relhastriggers FROM pg_class WHERE relnamespace = "
            "'public'::regnamespace ORDER BY relname"
        )
    return store.read_now(lambda session: [tuple(row) for row in session.execute(text(told))])


def test_migrating_twice_changes_nothing(store: Store) -> None:
    before = schema(store)
    store.migrate()
    assert before
    assert before == schema(store)


def test_what_was_written_is_there_after_a_restart_and_a_migration(url: str) -> None:
    async def write(store: Store) -> None:
        await store.write(lambda session: begin(session).key)

    with a_store(url) as store:
        asyncio.run(write(store))
    with a_store(url) as store:
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


@pytest.mark.parametrize("address", ["mysql://u:made-up@db.test/x", "oracle://u:made-up@db.test"])
def test_another_database_is_not_served_and_its_password_not_told(address: str) -> None:
    with pytest.raises(Misconfigured, match="database_url") as told:
        engine_for(address, "write")
    assert "made-up" not in str(told.value)


@pytest.mark.parametrize("address", ["made-up-nonsense", "", "sqlite:/bridge.db"])
def test_an_address_that_is_none_is_a_configuration_error(address: str) -> None:
    with pytest.raises(Misconfigured, match="database_url"):
        engine_for(address, "write").connect()


REWRITES = [
    "UPDATE transition SET sentence = 'never happened'",
    "UPDATE OR REPLACE transition SET seq = seq + 1",
    "DELETE FROM transition",
    "DELETE FROM transition WHERE seq = 1",
    "INSERT OR REPLACE INTO transition SELECT * FROM transition WHERE seq = 1",
    "REPLACE INTO transition SELECT * FROM transition WHERE seq = 1",
    "INSERT INTO transition SELECT * FROM transition WHERE true "
    "ON CONFLICT (seq) DO UPDATE SET sentence = 'never happened'",
]


def told(store: Store) -> list[dict[str, JsonValue]]:
    return store.read_now(lambda session: [dict(line.body) for line in record.chain(session)])


ON_POSTGRESQL = [
    "TRUNCATE transition",
    "TRUNCATE release CASCADE",
    "UPDATE transition SET seq = seq + 1",
    "UPDATE transition SET sentence = 'x' WHERE false",
    "SET session_replication_role = replica; DELETE FROM transition",
]
ANYWHERE = [one for one in REWRITES if "REPLACE" not in one]


async def must_not_be_taken(store: Store, statement: str) -> None:
    await store.write(lambda session: begin(session).key)
    before = told(store)
    with pytest.raises(DatabaseError, match=r"(?i)append-only|foreign key"):
        await store.write(lambda session: session.execute(text(statement)))
    assert before == told(store)


@pytest.mark.parametrize("statement", [*ANYWHERE, "DELETE FROM release"])
async def test_the_record_cannot_be_rewritten(store: Store, statement: str) -> None:
    await must_not_be_taken(store, statement)


@pytest.mark.parametrize("statement", [one for one in REWRITES if "REPLACE" in one])
async def test_nor_in_the_words_of_sqlite(tmp_path: Path, statement: str) -> None:
    with a_store(f"sqlite:///{tmp_path / 'bridge.db'}") as store:
        await must_not_be_taken(store, statement)


@pytest.mark.parametrize("statement", ON_POSTGRESQL)
async def test_nor_in_the_words_of_postgresql(postgresql: Server, statement: str) -> None:
    with postgresql.database() as address, a_store(address) as store:
        await must_not_be_taken(store, statement)


@pytest.mark.parametrize("statement", REWRITES)
async def test_nor_by_a_tool_without_our_settings(tmp_path: Path, statement: str) -> None:
    with a_store(f"sqlite:///{tmp_path / 'bridge.db'}") as store:
        await store.write(lambda session: begin(session).key)
        before = told(store)
        with contextlib.closing(sqlite3.connect(tmp_path / "bridge.db")) as other:
            with pytest.raises(sqlite3.DatabaseError, match="append-only"):
                other.execute(statement)
            other.rollback()
        assert before == told(store)


plain: st.SearchStrategy[JsonValue] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcé"), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=40)
@given(st.lists(st.dictionaries(st.text("abcé"), plain, max_size=3), min_size=1, max_size=4))
def test_whatever_a_line_rests_on_its_hash_holds_after_reading(
    evidences: list[dict[str, JsonValue]],
) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        a_store(f"sqlite:///{folder}/bridge.db") as store,
    ):

        def work(session: Session) -> None:
            row, add = begin(session), partial(record.append, occurred_at=NOW, now=NOW)
            for evidence in evidences:
                add(session, row, "note", "", Reason("c", "é"), actor="a", evidence=evidence)

        asyncio.run(store.write(work))
        assert store.read_now(lambda session: audit.verify(record.chain(session))).holds
