"""PostgreSQL: the engine's settings, the one lock, and the bell that wakes every replica.

A writing transaction takes one lock before anything else, as `BEGIN IMMEDIATE` does on SQLite. So
the chain has one appender at a time over all processes, the lane of an app cannot be entered
twice, and no two transactions can wait for each other. See docs/decisions/0009.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Literal, NoReturn

import psycopg
import structlog
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from bridge.errors import Misconfigured
from bridge.kit.clock import system_clock

log = structlog.get_logger()
LOCK = int.from_bytes(b"bridge", "big")
CHANNEL = "bridge"
HEARTBEAT = 5.0
PAUSE = 1.0
SETTINGS = {
    "synchronous_commit": "on",
    "statement_timeout": "30s",
    "lock_timeout": "10s",
}
MAY_PAUSE = {"read": "30s", "write": "3s"}
"""A replica that is paused in a writing transaction holds the lock: the server soon ends it."""
MUST_BE = {"fsync": "on", "full_page_writes": "on"}
"""What only the server's owner can set, and what a durable commit needs."""


def postgresql(url: URL, role: Literal["write", "read"]) -> Engine:
    """An engine with our settings, read back on every connection. Raises Misconfigured.

    A reader sees one moment for as long as it looks; a writer sees, statement by statement, what
    was committed before it got the lock.
    """
    wanted = SETTINGS | {
        "default_transaction_read_only": "on" if role == "read" else "off",
        "idle_in_transaction_session_timeout": MAY_PAUSE[role],
    }
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        isolation_level="READ COMMITTED" if role == "write" else "REPEATABLE READ",
        pool_size=1 if role == "write" else 6,  # one of them asks for revisions
        max_overflow=0,
        pool_timeout=10,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 5, "application_name": f"bridge {role}"},
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def settle(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for name, value in wanted.items():
            cursor.execute(f"SET {name} = '{value}'")
        for name, value in (wanted | MUST_BE).items():
            cursor.execute(f"SHOW {name}")
            row = cursor.fetchone()
            if row is None or row[0] != value:
                raise Misconfigured(f"database_url: PostgreSQL does not have {name} = {value}")
        cursor.close()
        connection.commit()

    if role == "write":

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")

    return engine


def ring(connection: Connection) -> None:
    """Something is due now: when this is committed, every process looks."""
    connection.info[CHANNEL] = True


def notify(connection: Connection) -> None:
    """Ring at the other processes at commit, if anything of this transaction rang.

    On SQLite there is no other process.
    """
    if connection.info.pop(CHANNEL, False) and connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"NOTIFY {CHANNEL}")


async def listen(url: URL, rung: Callable[[], None], beat: Callable[[], None]) -> NoReturn:
    """Call `rung` whenever a process rings, and `beat` in a thread every few seconds.

    A lost connection is made again; whoever waits looks at the clock too, so that nothing is lost.
    """
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(
                address, autocommit=True, connect_timeout=5, application_name="bridge listen"
            ) as connection:
                await connection.execute(f"LISTEN {CHANNEL}")
                rung()
                while True:
                    await asyncio.to_thread(beat)
                    async for _ in connection.notifies(timeout=HEARTBEAT):
                        rung()
        except (psycopg.Error, SQLAlchemyError) as error:
            log.warning("nobody rings", error=type(error).__name__)
        await asyncio.sleep(PAUSE)


def take_your_time(connection: Connection) -> None:
    """This one transaction may be long and pause; SQLite knows no such limits."""
    if connection.dialect.name == "postgresql":
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            connection.exec_driver_sql(f"SET LOCAL {name} = 0")


def ahead(engine: Engine) -> timedelta:
    """How far the database's clock is ahead of ours."""
    asked = system_clock()
    with engine.connect() as connection:
        theirs = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
    difference: timedelta = theirs - (asked + (system_clock() - asked) / 2)
    return difference
