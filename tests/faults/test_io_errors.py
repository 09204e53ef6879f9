"""The disk fails for real, in the middle of a write or of a sync: 503, and nothing is made up.

The trap is fsync: after it failed once, the kernel calls what it could not write clean, and the
next fsync says yes. The disk of disk.py forgets such writes, too. SQLite rolls the transaction back
and writes its frames anew, so a later yes speaks only for what was written after the failure.
"""

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bridge.kit.clock import system_clock
from bridge.publisher.webhook import key_of, sign
from bridge.rehearsal.hosting import free_port
from bridge.store import Store, deliveries
from tests.bridge_kit import SECRETS
from tests.faults.disk import Record, crashes, kept, put, read_diary
from tests.faults.keeper import FAULTS, OURS
from tests.faults.test_power_loss import ROOT, SEED, live, losses, said, wrong
from tests.faults.test_storage_faults import CONFIGURATION

CUTS, TELLINGS = 30, 15
READY_WITHIN = 30.0
NAIVE = """
import os, pathlib, sys
fault, file = pathlib.Path(sys.argv[2]), os.open(sys.argv[1] + "/bridge.db", os.O_CREAT | os.O_RDWR)
told = os.open(sys.argv[1] + "/told", os.O_CREAT | os.O_WRONLY)
os.fsync(os.open(sys.argv[1], os.O_RDONLY))
os.write(file, b"it")
fault.write_text("fsync 5")
try:
    os.fsync(file)
except OSError:
    fault.unlink()
    os.fsync(file)
    os.write(told, b"it")
"""


class Served:
    """A real `bridge serve` on a disk whose writes are noted, and which fails on demand."""

    def __init__(self, shim: Path, folder: Path) -> None:
        self.disk, self.diary, self.fault = folder / "disk", folder / "diary", folder / "fault"
        self.disk.mkdir()
        self._url, self._log = f"http://127.0.0.1:{(port := free_port())}", folder / "log"
        (folder / "bridge.toml").write_text(CONFIGURATION)
        told = {
            "BRIDGE_CONFIG": str(folder / "bridge.toml"),
            "BRIDGE_DATABASE_URL": f"sqlite:///{self.disk / 'bridge.db'}",
            "BRIDGE_WEBHOOK_SECRETS__PUBLISHER": SECRETS["publisher"],
        }
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bridge", "serve", "--port", str(port)],
                cwd=ROOT,
                env=kept(shim, self.disk, self.diary, self.fault) | told,
                stdout=log,
                stderr=log,
            )
        self._client = httpx.Client(base_url=self._url, timeout=20, trust_env=False)

    def until_ready(self) -> None:
        end = time.monotonic() + READY_WITHIN
        while time.monotonic() < end:
            try:
                if self._client.get("/readyz").is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError(self._log.read_text()[-4000:])

    def post(self, name: str) -> httpx.Response:
        """One signed delivery of its own."""
        body = f'{{"type": "model.published", "name": "{name}", "filler": "{"x" * 6000}"}}'.encode()
        headers = sign(key_of(SECRETS["publisher"]), name, system_clock(), body)
        return self._client.post("/webhooks/publisher", content=body, headers=headers)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self._client.close()


@pytest.fixture
def served(shim: Path, tmp_path: Path) -> Iterator[Served]:
    made = Served(shim, tmp_path)
    try:
        made.until_ready()
        yield made
    finally:
        made.stop()


def test_a_failing_disk_is_503_and_what_was_acknowledged_is_there(
    served: Served, tmp_path: Path
) -> None:
    acknowledged = []
    for turn, fault in enumerate(FAULTS):
        names = [f"{turn}-{number}" for number in range(5)]
        assert [202] * 5 == [served.post(f"good-{name}").status_code for name in names]
        served.fault.write_text(fault)
        answers = [served.post(f"bad-{name}") for name in names]
        assert [503] * 5 == [answer.status_code for answer in answers]
        assert all(answer.headers["retry-after"] for answer in answers)
        served.fault.unlink()
        acknowledged += [f"good-{name}" for name in names]
    served.until_ready()
    assert 202 == served.post("bad-0-0").status_code, "sent again, it is kept"
    served.stop()
    told = frozenset(f"delivery {name}" for name in [*acknowledged, "bad-0-0"])
    for left in ends(read_diary(served.diary)):
        put(left, tmp_path / "after")
        assert "" == wrong(tmp_path / "after", told)
    assert not refused_ones(tmp_path / "after"), "what was refused is not there"


def ends(diary: list[Record]) -> Iterator[dict[str, bytes]]:
    """The disk after its last line, in many tellings: a failed sync may have left this or that."""
    for telling in range(TELLINGS):
        chance = random.Random(SEED + telling)  # noqa: S311 - chaos, not secrets
        yield from crashes({}, diary, [len(diary)], chance)


def refused_ones(folder: Path) -> list[str]:
    """What is kept although its sender was told that it was not."""
    store = Store(f"sqlite:///{folder / 'bridge.db'}")
    rows = store.read_now(lambda session: deliveries.newest(session, 999))
    store.close()
    names = [row.delivery_id for row in rows]
    return [name for name in names if name.startswith("bad") and name != "bad-0-0"]


def test_after_a_failed_sync_a_loss_of_power_loses_nothing(shim: Path, tmp_path: Path) -> None:
    chance = random.Random(SEED)  # noqa: S311 - chaos, not secrets
    put({}, tmp_path / "disk")
    diary = live(shim, tmp_path, "life", OURS, tmp_path / "fault")
    failed = Counter(one.what for one in diary)["F"]
    assert failed > 3, "hardly any sync failed"
    for loss in losses({}, diary, CUTS, chance):
        put(loss.files, tmp_path / "after")
        assert "" == wrong(tmp_path / "after", loss.acknowledged), f"seed {SEED}"
    print(f"{CUTS} losses of power among {failed} failed syncs, seed {SEED}")


def test_who_syncs_again_and_believes_it_loses_something(shim: Path, tmp_path: Path) -> None:
    put({}, tmp_path / "disk")
    told = kept(shim, tmp_path / "disk", tmp_path / "diary", tmp_path / "fault")
    words = [sys.executable, "-c", NAIVE, str(tmp_path / "disk"), str(tmp_path / "fault")]
    subprocess.run(words, env=told, check=True)
    diary = read_diary(tmp_path / "diary")
    assert {"it"} == said(diary, 2)
    left = [files["bridge.db"] for files in ends(diary)]
    assert b"it" in left, "it was there now and then"
    assert {b"it"} != set(left), "the test cannot fail"
