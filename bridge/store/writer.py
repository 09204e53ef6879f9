"""The one writer of a process: whoever waits is committed together.

A single thread owns the writing connection. It takes everything that waits, runs each caller in
its own savepoint, commits once, and answers after the fsync: a commit costs many what it costs
one, and a caller that fails takes nobody with it.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlmodel import Session

from bridge.errors import Unavailable
from bridge.store.postgresql import notify

T = TypeVar("T")
TOGETHER = 256
OURS = (DataError, IntegrityError, ProgrammingError)
"""A mistake in what was asked, not in the storage: a broken file is a plain DatabaseError."""


@dataclass
class _Job(Generic[T]):
    work: Callable[[Session], T]
    future: "Future[T]"
    result: T | None = None
    error: BaseException | None = None

    def run(self, connection: Connection) -> None:
        session = Session(bind=connection, join_transaction_mode="create_savepoint")
        try:
            with session, session.begin():
                self.result = self.work(session)
                session.flush()
                session.expunge_all()
        except DBAPIError as error:
            self.error = unavailable(error) or error
        except Exception as error:  # noqa: BLE001 - it is handed to whoever asked
            self.error = error

    def answer(self, failure: BaseException | None) -> None:
        if error := self.error or failure:
            self.future.set_exception(error)
        else:
            self.future.set_result(self.result)  # type: ignore[arg-type]


class Writer:
    """A thread that writes; `submit` may be called from any other."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: queue.SimpleQueue[_Job[object] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="bridge-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Session], T]) -> "Future[T]":
        """Run `work` in a savepoint; the future is done after the commit is on disk.

        Its error is the caller's own, or Unavailable when the commit itself failed.
        """
        future: Future[T] = Future()
        self._waiting.put(_Job(work, future))  # type: ignore[arg-type]
        return future

    def stop(self) -> None:
        """Write what waits, then end the thread."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            jobs = [first]
            while len(jobs) < TOGETHER and not self._waiting.empty():
                following = self._waiting.get()
                if following is None:
                    self._waiting.put(None)
                    break
                jobs.append(following)
            self._commit([job for job in jobs if job.future.set_running_or_notify_cancel()])

    def _commit(self, jobs: list[_Job[object]]) -> None:
        failure: BaseException | None = None
        try:
            with self._engine.begin() as connection:
                for job in jobs:
                    job.run(connection)
                    _must_still_be_open(connection)
                notify(connection)
        except DBAPIError as error:
            failure = unavailable(error) or error
        except Exception as error:  # noqa: BLE001 - the thread must live; the callers are told
            failure = error
        for job in jobs:
            job.answer(failure)


def _must_still_be_open(connection: Connection) -> None:
    """A full disk makes SQLite roll back everything, also what others wrote before, and PostgreSQL
    answers a failed transaction's COMMIT with a silent ROLLBACK: a commit after that says nothing.
    Sources: https://www.sqlite.org/lang_transaction.html,
    https://www.postgresql.org/docs/current/sql-commit.html
    """
    driver = connection.connection.dbapi_connection
    if isinstance(driver, psycopg.Connection):
        is_open = driver.info.transaction_status is TransactionStatus.INTRANS
    else:
        is_open = driver is None or driver.in_transaction
    if not is_open:
        raise Unavailable("the database gave up the whole transaction; is its disk full?")


def unavailable(error: DBAPIError, what: str = "take writes") -> Unavailable | None:
    """Our word for a database that is full, locked, gone or broken; None for a mistake of ours."""
    if isinstance(error, OURS) and not error.connection_invalidated:
        return None
    return Unavailable(f"the database does not {what}: {error.orig}")
