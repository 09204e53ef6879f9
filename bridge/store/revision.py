"""Which state of the database somebody has seen: a word that changes with every commit."""

import threading
import uuid

from sqlalchemy import Connection, Engine, text
from sqlmodel import Session


class Revision:
    """SQLite tells each connection by a number whether others have committed, so one connection is
    kept to ask; PostgreSQL names the snapshot that a reader looks at.

    Sources: https://www.sqlite.org/pragma.html#pragma_data_version,
    https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._since = uuid.uuid4().hex[:12]
        self._lock = threading.Lock()
        self._kept: Connection | None = None

    def of(self, session: Session) -> str:
        """What `session` sees is this one, or newer. Ask before anything else is read."""
        if self._engine.dialect.name == "postgresql":
            snapshot = session.execute(text("SELECT pg_current_snapshot()::text")).scalar_one()
            return f"{self._since}-{snapshot}"
        with self._lock:
            self._kept = self._kept or self._engine.connect()
            number = self._kept.exec_driver_sql("PRAGMA data_version").scalar_one()
            self._kept.rollback()
        return f"{self._since}-{number}"

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            if self._kept is not None:
                self._kept.close()
                self._kept = None
