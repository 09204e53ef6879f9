"""A database of every earlier schema comes up to date with what is in it, at the second try too."""

from collections.abc import AsyncIterator
from contextlib import closing

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, text
from sqlmodel import select

from alembic import command
from bridge import audit
from bridge.delivery import Delivery, DeliveryState
from bridge.release import Release, Stage
from bridge.store import Store, books, migrations, record, upgrade
from bridge.store.engine import engine_for
from bridge.tally import BEGAN, CAME
from tests.bridge_kit import begin, keep, told

CONFIG = Config()
CONFIG.set_main_option("script_location", str(migrations()))
REVISIONS = [one.revision for one in ScriptDirectory.from_config(CONFIG).walk_revisions()]


@pytest.fixture(params=REVISIONS)
async def old(request: pytest.FixtureRequest, url: str) -> AsyncIterator[Engine]:
    """A database as it was at one revision, with a release, its line and a delivery."""
    store = Store(url)
    store.migrate()
    await store.write(lambda session: begin(session).key)
    await keep(store, told("a-delivery", "0" * 64))
    store.close()
    engine = engine_for(url, "write")
    with engine.begin() as connection:
        to(connection, request.param, down=True)
    yield engine
    engine.dispose()


def to(connection: Connection, revision: str, *, down: bool = False) -> None:
    """Bring the schema to one revision."""
    config = Config()
    config.set_main_option("script_location", str(migrations()))
    config.attributes["connection"] = connection
    (command.downgrade if down else command.upgrade)(config, revision)


def columns(engine: Engine) -> dict[str, list[str]]:
    """Every table with its columns."""
    seen = MetaData()
    seen.reflect(engine)
    return {
        name: sorted(column.name for column in one.columns) for name, one in seen.tables.items()
    }


def must_be_up_to_date(url: str) -> None:
    """Everything is there and can be worked with."""
    with closing(Store(url)) as store:
        store.migrate()
        (release,) = store.read_now(lambda session: session.exec(select(Release)).all())
        assert ("0.1.0", Stage.ANNOUNCED, 0) == (release.version, release.stage, release.failures)
        (delivery,) = store.read_now(lambda session: session.exec(select(Delivery)).all())
        assert ("a-delivery", DeliveryState.NEW) == (delivery.delivery_id, delivery.state)
        assert store.read_now(lambda session: audit.verify(record.chain(session))).holds
        counted = store.read_now(lambda session: books.total(session, BEGAN, f"{CAME}github"))
        assert {BEGAN: 1, f"{CAME}github": 1} == counted


async def test_an_old_database_comes_up_to_date(old: Engine, url: str) -> None:
    must_be_up_to_date(url)


async def test_a_migration_that_was_killed_midway_is_made_whole_later(
    old: Engine, url: str
) -> None:
    before = columns(old)
    with old.connect() as connection:
        midway = connection.begin()
        upgrade(connection)
        midway.rollback()
    assert before == columns(old)
    must_be_up_to_date(url)


def test_there_is_one_newest_schema(url: str) -> None:
    with closing(Store(url)) as store:
        store.migrate()
        known = store.read_now(
            lambda session: session.execute(text("SELECT version_num FROM alembic_version")).all()
        )
    assert [(REVISIONS[0],)] == [tuple(row) for row in known]
