"""A bridge's database, asked like the bridge itself: the same twins, in this process."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError, ProgrammingError
from sqlmodel import Session

from bridge import audit
from bridge.bootstrap import Bridge
from bridge.errors import Misconfigured
from bridge.person import By, Person, Role
from bridge.sentences import say
from bridge.settings import load
from bridge.store import migrations, record
from bridge.web.acting import Hand, person_of, programs
from bridge.web.problems import problem, wrongs
from bridge.web.shapes import ChainVerdict
from bridge.web.twins import twins


@contextmanager
def application() -> Iterator[FastAPI]:
    """The twins and the acts of a bridge that does not run. Raises Misconfigured."""
    with at_rest() as bridge:
        app = FastAPI(openapi_url=None)
        app.add_exception_handler(RequestValidationError, not_read)
        app.include_router(twins(bridge))
        hand = Hand(bridge.store, bridge.clock, ring=lambda: None)
        app.include_router(programs(hand, [one.name for one in bridge.settings.pipeline]))
        app.dependency_overrides[person_of] = user
        yield app


async def not_read(request: Request, error: Exception) -> Response:
    """What was typed makes no sense: in the words of a problem, as over HTTP."""
    wrong = wrongs(error) if isinstance(error, RequestValidationError) else []
    return problem(422, say("cli_not_read").sentence, wrong)


def user() -> Person:
    """The user of this machine: whoever can write the database may act."""
    return Person(f"{os.getuid()}", getpass.getuser(), Role.OPERATOR, By.LOOPBACK)


def whole_chain() -> ChainVerdict:
    """What every line says, from the first on. Raises Misconfigured."""
    with at_rest() as bridge:
        told = bridge.store.read_now(lambda session: audit.verify(record.chain(session)))
        return ChainVerdict(
            holds=told.holds,
            lines=told.lines,
            head=told.head,
            bad_seq=told.bad_seq,
            problem=told.problem,
            checked_at=bridge.clock(),
            whole_at=bridge.clock(),
        )


@contextmanager
def at_rest() -> Iterator[Bridge]:
    """The bridge that is configured here, which only looks and writes: its database is not made,
    and one of another schema is not touched. Raises Misconfigured."""
    settings = load()
    try:
        url = make_url(settings.database_url)
    except ArgumentError:
        raise Misconfigured(say("cli_bad_database").sentence) from None
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise Misconfigured(say("cli_no_database").sentence)
    bridge = Bridge(settings)
    try:
        bridge.store.read_now(_must_fit)
        yield bridge
    except (OperationalError, ProgrammingError) as error:
        raise Misconfigured(say("cli_no_data", why=error.orig).sentence) from None
    finally:
        bridge.store.close()


def _must_fit(session: Session) -> None:
    """Raises Misconfigured for a database that another version of the bridge has written."""
    found = session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    known = max(path.name[:4] for path in (migrations() / "versions").glob("[0-9]*.py"))
    if found != known:
        code = "cli_newer_schema" if found > known else "cli_older_schema"
        raise Misconfigured(say(code, found=found, known=known).sentence)
