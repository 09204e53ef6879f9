"""The log is copied beside the writer, and that ends when it is told to."""

import random
import threading
import time
from pathlib import Path

from bridge.store.checkpoints import Checkpoints
from bridge.store.engine import engine_for

PAUSE = 0.001
MANY = 1000


def test_a_stop_at_any_moment_ends_it(tmp_path: Path) -> None:
    chance = random.Random(1)  # noqa: S311 - chaos, not secrets
    for _ in range(MANY):
        checkpoints = Checkpoints(engine_for(f"sqlite:///{tmp_path / 'x.db'}", "write"), PAUSE)
        checkpoints.written()
        time.sleep(chance.uniform(0, 2 * PAUSE))
        stopping = threading.Thread(target=checkpoints.stop, daemon=True)
        stopping.start()
        stopping.join(10)
        assert not stopping.is_alive(), "it waits for ever"


def test_what_was_written_is_copied_into_the_file(tmp_path: Path) -> None:
    engine = engine_for(f"sqlite:///{tmp_path / 'x.db'}", "write")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE note (words TEXT)")
        connection.exec_driver_sql("INSERT INTO note VALUES ('remember')")
    checkpoints = Checkpoints(engine_for(f"sqlite:///{tmp_path / 'x.db'}", "write"), PAUSE)
    checkpoints.written()
    end = time.monotonic() + 10
    while b"remember" not in (tmp_path / "x.db").read_bytes():
        assert time.monotonic() < end, "nobody copied it"
        time.sleep(PAUSE)
    checkpoints.stop()
    engine.dispose()
