"""What is looked at before a bridge works on a database: who else does, whether the file is whole,
and whether the record may be built upon."""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, func, select

from bridge import audit
from bridge.errors import Refused, Unavailable
from bridge.release import Release, Transition
from bridge.sentences import say
from bridge.store import Store, record

T = TypeVar("T")
log = structlog.get_logger()
TAIL = 1000
CHECK_WITHIN = 5.0
"""Seconds. A file of 1 GB takes 0.6 s from memory and 25 s from a cold disk."""
STEPS_A_LOOK = 1000


@contextlib.contextmanager
def alone(store: Store) -> Iterator[None]:
    """Be the only one who serves a SQLite file; raises Unavailable while somebody else does.

    The lock is on a file of its own, since SQLite's are lost when anybody closes its file. It ends
    with the process, however that ends, so nobody has to remove anything.
    """
    file = "" if store.is_shared else _ask(store, _file)
    if not file:
        yield
        return
    try:
        lock = os.open(f"{file}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable(f"the database cannot be used: {error}") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = os.read(lock, 20).decode(errors="replace").strip()
            raise Unavailable(
                f"another bridge serves the database {Path(file).name} (process {who}). A SQLite "
                "file has one; several share a PostgreSQL"
            ) from None
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(lock)


def look(store: Store, *, tail: int = TAIL, within: float = CHECK_WITHIN) -> None:
    """Raises Unavailable for a broken file, and Refused for a broken record.

    Nothing is appended to a broken record, for every line would vouch for it; senders try again,
    and the sweep finds what they gave up. PostgreSQL looks after its own pages.
    """
    if not store.is_shared:
        _ask(store, partial(_whole, within=within))
    if wrong := _ask(store, partial(_record, tail=tail)):
        raise Refused(say("broken_record", what=wrong))


def _ask(store: Store, query: Callable[[Session], T]) -> T:
    try:
        return store.read_now(query)
    except DBAPIError as error:
        raise Unavailable(f"the database cannot be used: {error.orig}") from error


def _file(session: Session) -> str:
    query = text("SELECT file FROM pragma_database_list WHERE name = 'main'")
    return str(session.execute(query).scalar_one() or "")


def _whole(session: Session, within: float) -> None:
    """Every page, as far as there is time for it."""
    driver: Any = session.connection().connection.dbapi_connection
    end = time.monotonic() + within
    driver.set_progress_handler(lambda: time.monotonic() > end, STEPS_A_LOOK)
    try:
        found = session.execute(text("PRAGMA quick_check(1)")).scalar_one()
    except DBAPIError:
        if time.monotonic() <= end:
            raise
        log.warning("the database is large; not all of it was checked", seconds=within)
    else:
        if found != "ok":
            raise Unavailable(f"the database cannot be used: {found}")
    finally:
        driver.set_progress_handler(None, 0)


def _record(session: Session, tail: int) -> str:
    """What is wrong with the end of the record, and with where the releases stand, if anything."""
    last = session.exec(select(func.max(Transition.seq))).one() or 0
    since = max(0, last - tail)
    before = session.get(Transition, since)
    head = before.hash if before else audit.GENESIS
    verdict = audit.verify(record.chain(session, since), since, head)
    if not verdict.holds:
        return f"line {verdict.bad_seq}: {verdict.problem}"
    told = (
        select(Transition.to_stage)
        .where(Transition.release_id == Release.id)
        .order_by(col(Transition.seq).desc())
        .limit(1)
        .scalar_subquery()
    )
    astray = select(Release).where(col(Release.stage).is_distinct_from(told)).limit(1)
    if row := session.exec(astray).first():
        return f"release {row.id} stands at {row.stage.value}, and no line tells of it"
    return ""
