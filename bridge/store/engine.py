"""Engines and their settings: one connection that writes, a few that read.

The address alone decides which database it is: a SQLite file, or PostgreSQL for several processes.

SQLite from 3.7.0 to 3.51.2 (but for 3.44.6 and 3.50.7) can lose a commit when its WAL is reset
while two connections are busy, so those get DELETE with EXTRA instead.
Source: https://www.sqlite.org/wal.html
"""

import sys
from typing import Literal

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from bridge.errors import Misconfigured
from bridge.store.postgresql import postgresql

Role = Literal["write", "read"]
FIXED = ((3, 44, 6), (3, 50, 7))
FIXED_SINCE = (3, 51, 3)
CHECKPOINT_PAGES = 131_072
"""512 MiB of log, after which a commit copies it after all: `checkpoints` does it long before."""


def engine_for(url: str, role: Role) -> Engine:
    """An engine with our settings, read back on every connection. Raises Misconfigured."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise Misconfigured("database_url: it is not a database address") from None
    match parsed.get_backend_name():
        case "sqlite":
            return _sqlite(parsed, role)
        case "postgresql":
            return postgresql(parsed, role)
    raise Misconfigured("database_url: it is neither sqlite:///FILE nor postgresql://HOST/NAME")


def has_wal_bug(version: tuple[int, ...]) -> bool:
    """Whether this SQLite can lose a commit in WAL mode."""
    fixed_in_series = any(version[:2] == fix[:2] and version >= fix for fix in FIXED)
    return version < FIXED_SINCE and not fixed_in_series


def _sqlite(url: URL, role: Role) -> Engine:
    if sys.platform == "linux":
        from pysqlite3 import dbapi2 as module
    else:
        import sqlite3 as module
    safe = not has_wal_bug(module.sqlite_version_info)
    wanted = {
        "journal_mode": "wal" if safe else "delete",
        "synchronous": 2 if safe else 3,
        "busy_timeout": 5000,
        "foreign_keys": 1,
        "recursive_triggers": 1,
        "trusted_schema": 0,
        "cell_size_check": 1,
        "wal_autocheckpoint": CHECKPOINT_PAGES,
    }
    engine = create_engine(
        url,
        module=module,
        pool_size=1 if role == "write" else 6,  # one of them asks for revisions
        max_overflow=0,
        connect_args={"check_same_thread": False},
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def settle(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for name, value in wanted.items():
            cursor.execute(f"PRAGMA {name} = {value}")
            cursor.execute(f"PRAGMA {name}")
            row = cursor.fetchone()
            if row is None or row[0] != value:
                raise Misconfigured(f"SQLite does not accept {name} = {value}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if role == "write" else "BEGIN")

    return engine
