"""The power goes at any moment: what was acknowledged is there, and the record is whole.

A real process keeps deliveries and moves releases through our `Store` and the real SQLite. A shim
between it and libc notes every write, sync, truncation, creation and removal, so that one run gives
as many losses of power as there are lines. strace could note the same; but it stops the process
twice a call and needs a right that containers seldom have, and its words would have to be parsed
back into bytes. The shim can make calls fail as well: see test_io_errors.py.

An acknowledgement is a write to a file, so it has its place in the diary. One life of the process
begins on the disk that the last one left, so that recovery loses its power too.
"""

import os
import random
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select

from bridge import audit
from bridge.delivery import Delivery
from bridge.errors import Unavailable
from bridge.release import Release
from bridge.store import Store, record
from tests.faults.disk import Record, crashes, kept, put, read_diary
from tests.faults.keeper import OURS

SEED = int(os.environ.get("FAULTS_SEED", "20261123"))
LOSSES = int(os.environ.get("FAULTS_LOSSES", "120"))
EACH_LIFE = 30
ONE_DATABASE = 4 * EACH_LIFE
FEW = 15
ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Loss:
    """What a loss of power left, and what had been acknowledged by then."""

    files: Mapping[str, bytes]
    acknowledged: frozenset[str]


def live(shim: Path, at: Path, life: str, level: str, fault: Path | None = None) -> list[Record]:
    """One life of the keeper in the folder `disk`; its diary."""
    diary = at / f"{life}.diary"
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.keeper", str(at / "disk"), life, level]
        + ([str(fault)] if fault else []),
        env=kept(shim, at / "disk", diary, fault),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return read_diary(diary)


def losses(
    found: Mapping[str, bytes], diary: list[Record], count: int, chance: random.Random
) -> list[Loss]:
    """So many losses of power: half of them anywhere, half right after an acknowledgement."""
    book = next(one.file for one in diary if one.what == "C" and one.name == "told")
    told = [at for at, one in enumerate(diary, 1) if one.what == "W" and one.file == book]
    cuts = chance.sample(told, count // 2)
    cuts = sorted(cuts + chance.choices(range(len(diary)), k=count - len(cuts)))
    return [
        Loss({name: data for name, data in left.items() if name != "told"}, said(diary[:cut], book))
        for cut, left in zip(cuts, crashes(found, diary, cuts, chance), strict=True)
    ]


def said(diary: list[Record], book: int) -> frozenset[str]:
    return frozenset(
        one.data.decode().strip() for one in diary if one.what == "W" and one.file == book
    )


def wrong(folder: Path, acknowledged: frozenset[str]) -> str:
    """What is wrong with the database when a bridge opens it again; nothing, if all is well."""
    store = Store(f"sqlite:///{folder / 'bridge.db'}")
    try:
        store.migrate()
        return store.read_now(lambda session: _wrong(session, acknowledged))
    except (Unavailable, DBAPIError) as error:
        return str(error)
    finally:
        store.close()


def _wrong(session: Session, acknowledged: frozenset[str]) -> str:
    whole = session.execute(text("PRAGMA integrity_check")).scalars().all()
    if whole != ["ok"]:
        return f"{whole[0]}"[:200]
    verdict = audit.verify(record.chain(session))
    if not verdict.holds:
        return f"{verdict}"
    there = {f"delivery {name}" for name in session.exec(select(Delivery.delivery_id))}
    moved = select(Release.version).where(Release.stage == "confirmed")
    there |= {f"release {name}" for name in session.exec(moved)}
    lost = acknowledged - there
    return f"{len(lost)} of {len(acknowledged)} acknowledged are lost" if lost else ""


def test_a_loss_of_power_loses_nothing(shim: Path, tmp_path: Path) -> None:
    chance = random.Random(SEED)  # noqa: S311 - chaos, not secrets
    total, began = 0, time.monotonic()
    for count in range(0, LOSSES, EACH_LIFE):
        if count % ONE_DATABASE == 0:
            last = Loss({}, frozenset())
        put(last.files, tmp_path / "disk")
        diary = live(shim, tmp_path, f"life-{count}", OURS)
        for loss in losses(last.files, diary, EACH_LIFE, chance):
            put(loss.files, tmp_path / "after")
            acknowledged = last.acknowledged | loss.acknowledged
            assert "" == wrong(tmp_path / "after", acknowledged), f"life {count}, seed {SEED}"
        total += len(loss.acknowledged)
        last = Loss(loss.files, acknowledged)
    took = time.monotonic() - began
    print(f"{LOSSES} losses of power, {total} acknowledged, {took:.0f} s, seed {SEED}")


@pytest.mark.parametrize("level", ["OFF", "NORMAL"])
def test_with_lesser_settings_something_is_lost(shim: Path, tmp_path: Path, level: str) -> None:
    chance = random.Random(SEED)  # noqa: S311 - chaos, not secrets
    put({}, tmp_path / "disk")
    found = []
    for loss in losses({}, live(shim, tmp_path, "life", level), FEW, chance):
        put(loss.files, tmp_path / "after")
        found.append(wrong(tmp_path / "after", loss.acknowledged))
    assert any(found), "the test cannot fail"
    print(f"synchronous={level}: {sum(map(bool, found))} of {FEW} losses of power: {max(found)}")
