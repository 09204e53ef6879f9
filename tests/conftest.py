"""What every test runs under, and the databases that a store may be."""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from hypothesis import settings

from tests.postgresql_kit import Server, a_server, programs

# A busy machine makes an example slow, not wrong. The same examples every time, so that a test
# does not fail by chance; SOAK=1 looks for new ones.
settings.register_profile("bridge", deadline=None, derandomize="SOAK" not in os.environ)
settings.load_profile("bridge")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A private server; where PostgreSQL is not installed, its tests are skipped."""
    if (found := programs()) is None:
        pytest.skip("PostgreSQL is not installed: nothing is tested on it")
    with a_server(found) as server:
        yield server


Databases = Callable[[], AbstractContextManager[str]]
"""Makes an empty database, gone at the end; what one enters is its address."""


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest) -> Databases:
    """As many databases as a test wants: once files, once on a server."""
    if request.param == "sqlite":
        return _a_file
    server: Server = request.getfixturevalue("postgresql")
    return server.database


@contextlib.contextmanager
def _a_file() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{Path(folder) / 'bridge.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database: once a file, once on a server."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bridge.db'}"
    else:
        server: Server = request.getfixturevalue("postgresql")
        with server.database() as address:
            yield address
