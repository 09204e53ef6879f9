"""A private PostgreSQL server for the tests, wherever its programs are installed."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg

from bridge.store import Store

DEBIAN = Path("/usr/lib/postgresql")
CALM = "-c max_connections=60 -c shared_buffers=32MB -c autovacuum=off -c max_wal_size=1GB"


def programs() -> Path | None:
    """The folder of initdb and pg_ctl: on the PATH, or where Debian keeps it."""
    if found := shutil.which("pg_ctl"):
        return Path(found).resolve().parent
    return max(DEBIAN.glob("*/bin"), key=lambda path: int(path.parent.name), default=None)


class Server:
    """A running server at a free port of this machine, with a migrated template."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._numbers = count(1)
        with self._owner() as owner:
            owner.execute("CREATE DATABASE template_bridge")
        store = Store(self.url("template_bridge"))
        store.migrate()
        store.close()

    def url(self, name: str) -> str:
        return f"postgresql://bridge@127.0.0.1:{self.port}/{name}"

    @contextlib.contextmanager
    def database(self, template: str = "template_bridge") -> Iterator[str]:
        """The address of a database of its own; it is gone at the end."""
        name = f"bridge_{next(self._numbers)}"
        with self._owner() as owner:
            owner.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        yield self.url(name)
        with self._owner() as owner:
            owner.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    def ask(self, url: str, statement: str) -> list[tuple[object, ...]]:
        """What a person at psql would see."""
        with psycopg.connect(url, autocommit=True) as connection:
            return connection.execute(statement.encode()).fetchall()

    def _owner(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.url("postgres"), autocommit=True)


@contextlib.contextmanager
def a_server(bin_: Path) -> Iterator[Server]:
    """A new server in a folder of its own, with fsync on. It refuses to run as root."""
    folder = Path(tempfile.mkdtemp(prefix="bridge-postgresql-"))
    command = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if command:
        shutil.chown(folder, "postgres")
    data, port = folder / "data", _free_port()
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 {CALM}"
    try:
        _run(*command, bin_ / "initdb", "-D", data, "-U", "bridge", "-A", "trust", "-E", "UTF8")
        _run(
            *command,
            bin_ / "pg_ctl",
            "-D",
            data,
            "-w",
            "-l",
            folder / "log",
            "-o",
            options,
            "start",
        )
        try:
            yield Server(port)
        finally:
            _run(*command, bin_ / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _run(*command: object) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=tempfile.gettempdir(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert done.returncode == 0, done.stderr
