"""Keeps deliveries and appends lines until it is done, and writes down what was acknowledged.

`python -m tests.faults.keeper FOLDER LIFE SYNCHRONOUS [FAULT]` is what a loss of power happens to.
With FAULT, the file that says which call of the disk's fails, it goes wrong every now and then.
"""

import asyncio
import hashlib
import itertools
import os
import random
import sys
from contextlib import suppress
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlmodel import Session

from bridge import ledger
from bridge.errors import Reason, Unavailable
from bridge.release import Release, Stage
from bridge.store import Store, deliveries
from tests.bridge_kit import NOW, begin

OURS = "as it is"
SESSIONS, SENDERS, EACH, LARGEST = 2, 6, 60, 12_000
FAULTS = ("fsync 5", "fsync 28", "write 5", "write 28")


def synchronous(store: Store, level: str) -> None:
    """Let SQLite wait for the disk as much as `level` says, which is less than we do."""

    @event.listens_for(store._writing, "connect")
    def settle(connection: DBAPIConnection, entry: object) -> None:
        connection.cursor().execute(f"PRAGMA synchronous = {level}")


class Keeper:
    """One process's work on one database."""

    def __init__(self, folder: Path, life: str, level: str, fault: Path | None) -> None:
        self._folder, self._life, self._level, self._fault = folder, life, level, fault
        self._told = os.open(folder / "told", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._count = itertools.count()
        self._chance = random.Random(life)  # noqa: S311 - chaos, not secrets

    async def work(self) -> None:
        """Deliveries from several senders beside one release after another; then close."""
        store = Store(f"sqlite:///{self._folder / 'bridge.db'}")
        if self._level != OURS:
            synchronous(store, self._level)
        store.migrate()
        senders = [asyncio.create_task(self._send(store)) for _ in range(SENDERS)]
        everybody = asyncio.gather(*senders)
        while not everybody.done():
            with suppress(Unavailable):
                await self._move(store)
            if self._fault:
                self._fault.write_text(self._chance.choice(FAULTS))
                await asyncio.sleep(0.02)
                self._fault.unlink()
        await everybody
        store.close()

    async def _send(self, store: Store) -> None:
        for _ in range(EACH):
            delivery = self._delivery(f"{self._life}-{next(self._count)}")
            name = delivery["delivery_id"]
            with suppress(Unavailable):
                await store.write_together(deliveries.keep, delivery)
                self._acknowledge(f"delivery {name}")

    def _delivery(self, name: str) -> deliveries.Told:
        body = f"{name} ".encode() + self._chance.randbytes(self._chance.randrange(LARGEST))
        return {
            "source": "publisher",
            "delivery_id": name,
            "sha256": hashlib.sha256(body).hexdigest(),
            "event": "",
            "body": body,
            "received_at": NOW,
        }

    async def _move(self, store: Store) -> None:
        version = f"{next(self._count)}.{int.from_bytes(self._life.encode())}"
        key = await store.write(lambda session: begin(session, version).key)

        def move(session: Session) -> None:
            row = session.get_one(Release, key)
            ledger.note(session, row, "intent", Reason("code", "An effect."), NOW)
            ledger.transit(session, row, Stage.CONFIRMED, Reason("code", "It is there."), NOW)

        await store.write(move)
        self._acknowledge(f"release {version}")

    def _acknowledge(self, what: str) -> None:
        os.write(self._told, f"{what}\n".encode())


def main(folder: str, life: str, level: str, fault: str = "") -> None:
    """Live once."""
    keeper = Keeper(Path(folder), life, level, Path(fault) if fault else None)
    for _ in range(SESSIONS):
        asyncio.run(keeper.work())


if __name__ == "__main__":
    main(*sys.argv[1:])
