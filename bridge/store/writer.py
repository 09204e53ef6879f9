"""The one writer of a process: whoever waits is committed together.

A single thread owns the writing connection. It takes everything that waits, commits once, and
answers after the fsync: a commit costs many what it costs one. Whoever wants something else than
the others has a savepoint, so that a caller who fails takes nobody with it.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Generic, TypeVar

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from bridge.errors import Unavailable
from bridge.store.postgresql import notify

Item = TypeVar("Item")
R = TypeVar("R")
TOGETHER = 256
OURS = (DataError, IntegrityError, ProgrammingError)
"""A mistake in what was asked, not in the storage: a broken file is a plain DatabaseError."""


@dataclass(slots=True, eq=False)
class _Job(Generic[Item, R]):
    work: Callable[[Connection, list[Item]], list[R]]
    item: Item
    future: "asyncio.Future[R]"
    loop: asyncio.AbstractEventLoop
    result: R | None = None
    error: BaseException | None = None

    def answer(self) -> None:
        if self.future.done():
            return
        if self.error:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)  # type: ignore[arg-type]


class Writer:
    """A thread that writes; `submit` is called from an event loop, any of them."""

    def __init__(self, engine: Engine, written: Callable[[], None]) -> None:
        self._engine = engine
        self._written = written
        self._waiting: queue.SimpleQueue[_Job[Any, Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="bridge-writer", daemon=True)
        self._thread.start()

    def submit(
        self, work: Callable[[Connection, list[Item]], list[R]], item: Item
    ) -> "asyncio.Future[R]":
        """Run `work` on `item`; the future is done after the commit is on disk.

        Neighbours in the queue that have the same work share one call of it, until that fails.
        Its error is the caller's own, or Unavailable when the commit itself failed.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self._waiting.put(_Job(work, item, future, loop))
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
            self._commit([job for job in jobs if not job.future.cancelled()])

    def _commit(self, jobs: list[_Job[Any, Any]]) -> None:
        try:
            if len({job.work for job in jobs}) > 1 or not self._at_once(jobs):
                with self._engine.begin() as connection:
                    for _, same in groupby(jobs, key=lambda job: job.work):
                        _together(connection, list(same))
                        _must_still_be_open(connection)
                    notify(connection)
        except Exception as error:  # noqa: BLE001 - the thread must live; the callers are told
            for job in jobs:
                job.error = job.error or _in_our_words(error)
        else:
            self._written()
        # One call wakes a loop for all of its callers: each call is a write to a pipe.
        for loop, own in groupby(jobs, key=lambda job: job.loop):
            with contextlib.suppress(RuntimeError):  # a loop that was closed has nobody who waits
                loop.call_soon_threadsafe(_answer, list(own))

    def _at_once(self, jobs: list[_Job[Any, Any]]) -> bool:
        """One call for all who want the same, without a savepoint: nobody else loses by a failure.
        False where one of many is to blame; the error of one alone is raised."""
        try:
            with self._engine.begin() as connection:
                results = jobs[0].work(connection, [job.item for job in jobs])
                _must_still_be_open(connection)
                notify(connection)
        except Exception:
            if len(jobs) > 1:
                return False
            raise
        for job, result in zip(jobs, results, strict=True):
            job.result = result
        return True


def _together(connection: Connection, jobs: list[_Job[Any, Any]]) -> None:
    """One call for all; when it fails, one for each, so that only the culprit is told."""
    try:
        with connection.begin_nested():
            results = jobs[0].work(connection, [job.item for job in jobs])
        for job, result in zip(jobs, results, strict=True):
            job.result = result
    except Exception as error:  # noqa: BLE001 - it is handed to whoever asked
        _must_still_be_open(connection)
        if len(jobs) == 1:
            jobs[0].error = _in_our_words(error)
        else:
            for job in jobs:
                _together(connection, [job])


def _answer(jobs: list[_Job[Any, Any]]) -> None:
    for job in jobs:
        job.answer()


def _must_still_be_open(connection: Connection) -> None:
    """A full disk makes SQLite roll back everything, also what others wrote before, and PostgreSQL
    answers a failed transaction's COMMIT with a silent ROLLBACK: a commit after that says nothing.
    Sources: https://www.sqlite.org/lang_transaction.html,
    https://www.postgresql.org/docs/current/sql-commit.html
    """
    if connection.invalidated:
        raise Unavailable("the database does not take writes: the connection is lost")
    driver = connection.connection.dbapi_connection
    if isinstance(driver, psycopg.Connection):
        is_open = driver.info.transaction_status is TransactionStatus.INTRANS
    else:
        is_open = driver is None or driver.in_transaction
    if not is_open:
        raise Unavailable("the database gave up the whole transaction; is its disk full?")


def _in_our_words(error: Exception) -> Exception:
    return (unavailable(error) if isinstance(error, DBAPIError) else None) or error


def unavailable(error: DBAPIError, what: str = "take writes") -> Unavailable | None:
    """Our word for a database that is full, locked, gone or broken; None for a mistake of ours."""
    if isinstance(error, OURS) and not error.connection_invalidated:
        return None
    return Unavailable(f"the database does not {what}: {error.orig}")
