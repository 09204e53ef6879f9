"""SQLite's log goes into the database beside the writer, who would otherwise copy it in the middle
of a commit, with everybody waiting.

Source: https://www.sqlite.org/wal.html#avoiding_excessively_large_wal_files
"""

import threading

import structlog
from sqlalchemy import Engine

log = structlog.get_logger()
PAUSE = 1.0  # seconds
LONG = 49_152
"""Pages of the log, 192 MiB, after which it begins anew: the writer waits for that."""


class Checkpoints:
    """A thread that copies the log a moment after something was written."""

    def __init__(self, engine: Engine, pause: float = PAUSE) -> None:
        self._engine = engine
        self._pause = pause
        self._written = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bridge-checkpoints", daemon=True)
        self._thread.start()

    def written(self) -> None:
        """Something was committed."""
        self._written.set()

    def stop(self) -> None:
        """End the thread. What is left in the log is safe there."""
        self._stopped.set()
        self._written.set()
        self._thread.join()
        self._engine.dispose()

    def _run(self) -> None:
        while self._written.wait():
            self._written.clear()
            if self._stopped.wait(self._pause):
                return
            try:
                self._checkpoint()
            except self._engine.dialect.loaded_dbapi.Error as error:
                log.warning("no checkpoint", error=str(error))

    def _checkpoint(self) -> None:
        with self._engine.connect() as connection:
            cursor = connection.connection.cursor()
            cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
            _, pages, _ = cursor.fetchone() or (0, 0, 0)
            if pages > LONG:
                cursor.execute("PRAGMA wal_checkpoint(RESTART)")
            cursor.close()
