"""A person's acts by the command line, on either database."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from bridge import ledger
from bridge.delivery import Delivery
from bridge.errors import Reason
from bridge.release import Release, Stage
from bridge.store import Store, record, releases
from tests.bridge_kit import NOW, PACKAGE, a_store, begin
from tests.test_cli import Run, bridge, home

__all__ = ["bridge", "home"]
ROOT = Path(__file__).parent.parent
WHY_NOT = Reason("build_failed", "It did not build.")
WHY = ("--reason", "a test of it")


@pytest.fixture
def store(url: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Two verified versions, and one that waits for a person."""
    monkeypatch.setenv("BRIDGE_DATABASE_URL", url)
    with a_store(url) as made:

        def work(session: Session) -> None:
            for at, version in enumerate(("0.1.0", "0.1.1", "0.1.2")):
                row = begin(session, version)
                row.stage = Stage.PROPOSED if at == 2 else Stage.VERIFIED
                row.since = NOW + timedelta(minutes=at)
                session.add(row)

        asyncio.run(made.write(work))
        yield made


def release(store: Store, version: str) -> Release:
    (row,) = store.read_now(lambda session: releases.find(session, PACKAGE, version))
    return row


def acts(store: Store) -> list[str]:
    """What stands in the inbox as a person's act."""
    query = select(Delivery).where(Delivery.source == "operator").order_by("id")
    return [one.event for one in store.read_now(lambda session: session.exec(query).all())]


def test_a_quarantine_is_put_on_and_lifted(bridge: Run, store: Store) -> None:
    words = ("quarantine", PACKAGE, "0.1.2", *WHY)
    code, out, err = bridge(*words, "--until", "2026-12-01", "--dry-run")
    assert (0, "") == (code, err)
    assert out.startswith("Would be done: ")
    assert "put regression-model 0.1.2 into quarantine until 2026-12-01T00:00:00" in out
    assert release(store, "0.1.2").facts.quarantine is None
    assert [] == acts(store)

    code, out, _ = bridge(*words, "--until", "2026-12-01")
    assert (0, True) == (code, "into quarantine until 2026-12-01T00:00:00" in out)
    held = release(store, "0.1.2").facts.quarantine
    assert held
    assert held.until
    assert ("a test of it", "2026-12-01") == (held.why, f"{held.until:%Y-%m-%d}")

    code, out, _ = bridge("release-quarantine", PACKAGE, "0.1.2", *WHY, "--json")
    assert (0, True) == (code, json.loads(out)["done"])
    assert release(store, "0.1.2").facts.quarantine is None
    assert ["quarantine", "release-quarantine"] == acts(store)

    code, out, err = bridge("release-quarantine", PACKAGE, "0.1.2", *WHY)
    assert (1, "") == (code, out)
    assert "is not in quarantine" in err
    told = store.read_now(lambda session: record.of_release(session, release(store, "0.1.2").key))
    assert ["quarantine", "quarantine_lifted"] == [line.code for line in told][1:]


def test_a_version_that_serves_is_rolled_back(bridge: Run, store: Store) -> None:
    words = ("rollback", PACKAGE, "0.1.1", *WHY)
    code, out, _ = bridge(*words, "--dry-run")
    assert (0, True) == (code, "had regression-model 0.1.1 rolled back: a test of it" in out)
    assert Stage.VERIFIED is release(store, "0.1.1").stage

    assert 0 == bridge(*words)[0]
    row = release(store, "0.1.1")
    assert (Stage.ROLLING_BACK, True) == (row.stage, row.facts.rollback is not None)
    assert ["rollback"] == acts(store)

    for version, no in (("0.1.1", "does not serve"), ("0.1.0", "No other version")):
        code, out, err = bridge("rollback", PACKAGE, version, *WHY)
        assert (1, "") == (code, out)
        assert no in err
    assert ["rollback"] == acts(store)


def test_everything_is_paused_and_goes_on(bridge: Run, store: Store) -> None:
    code, out, _ = bridge("pause", *WHY)
    assert (0, True) == (code, out.startswith("Everything was paused by"))
    code, _, err = bridge("pause", *WHY)
    assert (1, True) == (code, "paused" in err)
    code, out, _ = bridge("resume", *WHY)
    assert (0, True) == (code, out.startswith("Everything goes on"))
    assert ["pause", "resume"] == acts(store)


def test_a_database_is_watched_too(bridge: Run, store: Store) -> None:
    def arrive() -> None:
        def work(session: Session) -> None:
            (row,) = releases.find(session, PACKAGE, "0.1.2")
            ledger.transit(session, row, Stage.FAILED, WHY_NOT, NOW)

        asyncio.run(store.write(work))

    later = threading.Timer(1.0, arrive)
    later.start()
    begun = time.monotonic()
    code, out, err = bridge("watch", PACKAGE, "0.1.2", "--timeout", "60s")
    later.join()
    assert (1, "") == (code, err)
    assert time.monotonic() - begun < 50, "it did not wait for the end"
    assert "failed: It did not build." in out.splitlines()[-1]


def test_an_act_about_what_is_not_there_is_1_and_says_what_is(bridge: Run, store: Store) -> None:
    code, out, err = bridge("quarantine", "regresion_model", "0.1.1", *WHY)
    assert (1, "") == (code, out)
    assert "No release of regresion_model 0.1.1 is known. Near it: regression-model." in err
    assert [] == acts(store)


@pytest.mark.parametrize(
    ("schema", "words"), [("9999", "A newer bridge wrote"), ("0001", "bridge migrate")]
)
def test_a_database_of_another_schema_is_left_alone(
    bridge: Run, store: Store, schema: str, words: str
) -> None:
    statement = text("UPDATE alembic_version SET version_num = :schema")
    asyncio.run(store.write(lambda session: session.execute(statement, {"schema": schema})))
    for command in (("releases",), ("pause", *WHY)):
        code, out, err = bridge(*command)
        assert (2, "") == (code, out)
        assert words.lower() in err.lower()
    assert [] == acts(store)


def test_what_cannot_be_read_is_told_by_its_name(bridge: Run, store: Store) -> None:
    code, out, err = bridge("releases", "--after", "yesterday")
    assert (2, "") == (code, out)
    assert "cannot be read. after: " in err


def test_a_newer_schema_is_not_brought_up_to_date(bridge: Run, store: Store) -> None:
    newer = text("UPDATE alembic_version SET version_num = '9999'")
    asyncio.run(store.write(lambda session: session.execute(newer)))
    code, out, err = bridge("migrate")
    assert (2, "") == (code, out)
    assert "A newer bridge wrote it" in err


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("bridge why reg", [PACKAGE]),
        (f"bridge why {PACKAGE} 0.1.", ["0.1.2", "0.1.1", "0.1.0"]),
        (f"bridge quarantine {PACKAGE} 9", []),
        ("bridge releases --pipeline hou", ["house-prices"]),
        ("bridge release-", ["release-quarantine"]),
    ],
)
def test_the_shell_is_told_the_names(
    bridge: Run, store: Store, monkeypatch: pytest.MonkeyPatch, typed: str, offered: list[str]
) -> None:
    assert (offered, "") == completed(bridge, monkeypatch, typed)


def test_the_shell_is_told_nothing_where_nothing_is(
    bridge: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ([], "") == completed(bridge, monkeypatch, "bridge why reg")


def completed(bridge: Run, monkeypatch: pytest.MonkeyPatch, typed: str) -> tuple[list[str], str]:
    """What bash is offered for the last word, and what is said beside."""
    monkeypatch.setenv("_BRIDGE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split()) - 1))
    _, out, err = bridge()
    return out.split(), err


def test_a_process_of_its_own_acts_too(store: Store) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "bridge", "quarantine", PACKAGE, "0.1.2", *WHY],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert (0, "") == (ran.returncode, ran.stderr)
    assert ran.stdout.endswith("into quarantine: a test of it\n")
    assert release(store, "0.1.2").facts.quarantine
