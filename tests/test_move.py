"""A database moves with its chain, or not at all."""

from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import Session

from bridge.errors import Misconfigured
from bridge.operator import Act, do
from bridge.store import Store, deliveries, record, releases
from tests.bridge_kit import NOW, a_store, begin, keep, told
from tests.postgresql_kit import Server


async def fill(store: Store) -> None:
    """Three releases, their lines, and a delivery with every byte there is, which was discarded."""
    for version in ("0.1.0", "0.2.0", "0.3.0"):
        await store.write(partial(begin, version=version))
    await keep(store, told("a", "1", body=bytes(range(256))))
    why = partial(do, act=Act.DISCARD, identifier=1, who="rosa", why="odd", now=NOW)
    await store.write(why)


def everything(store: Store) -> list[object]:
    def look(session: Session) -> tuple[object, ...]:
        lines = [(line.seq, line.body, line.hash) for line in record.chain(session)]
        rows = [row.model_dump() for row in releases.newest(session, 99)]
        return lines, rows, [row.model_dump() for row in deliveries.newest(session, 99)]

    return list(store.read_now(look))


async def test_everything_moves_there_and_back(tmp_path: Path, postgresql: Server) -> None:
    with (
        a_store(f"sqlite:///{tmp_path / 'bridge.db'}") as before,
        postgresql.database("template1") as address,
    ):
        await fill(before)
        there, back = Store(address), Store(f"sqlite:///{tmp_path / 'back.db'}")
        verdict = before.move_to(there)
        assert (True, 3) == (verdict.holds, verdict.lines)
        assert everything(before) == everything(there)
        await there.write(lambda session: begin(session, "0.4.0").key)
        there.move_to(back)
        assert everything(there) == everything(back)
        assert 4 == len(everything(back)[0])  # type: ignore[arg-type]
        there.close()
        back.close()


async def test_a_target_with_anything_in_it_is_refused(tmp_path: Path, url: str) -> None:
    with a_store(f"sqlite:///{tmp_path / 'before.db'}") as before, a_store(url) as there:
        await fill(before)
        await there.write(lambda session: begin(session, "9.0.0").key)
        kept = everything(there)
        with pytest.raises(Misconfigured, match="not empty: it has release, tally, transition"):
            before.move_to(there)
        assert kept == everything(there)


async def test_a_target_with_something_foreign_is_refused(tmp_path: Path, url: str) -> None:
    with a_store(f"sqlite:///{tmp_path / 'before.db'}") as before, a_store(url) as there:
        await there.write(lambda session: session.execute(text("CREATE TABLE houses (n int)")))
        with pytest.raises(Misconfigured, match="houses"):
            before.move_to(there)


async def test_a_broken_chain_does_not_move(tmp_path: Path, url: str) -> None:
    with a_store(f"sqlite:///{tmp_path / 'before.db'}") as before, a_store(url) as there:
        await fill(before)
        for statement in (
            "DROP TRIGGER transition_no_update",
            "UPDATE transition SET sentence = 'never happened' WHERE seq = 2",
        ):
            await before.write(partial(Session.execute, statement=text(statement)))
        with pytest.raises(Misconfigured, match="its content was changed"):
            before.move_to(there)
        assert [[], [], []] == everything(there)
