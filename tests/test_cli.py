"""The command line: one clear line, the right exit code, and no secret in either."""

import asyncio
import ipaddress
import json
import re
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlmodel import Session
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp

from bridge import __version__, cli, ledger
from bridge.bootstrap import Bridge
from bridge.delivery import DeliveryState
from bridge.drift import Seen, judge
from bridge.release import Stage
from bridge.sentences import say
from bridge.sign_in import is_loopback
from bridge.store import Store, boards, deliveries, releases
from bridge.web.app import create_app
from tests.bridge_kit import NOW, PACKAGE, SECRETS, begin, keep, settings, told
from tests.postgresql_kit import Server
from tests.rehearsal_kit import served
from tests.stories.town import model_wheel

CANARY = "made-up-canary-0123456789abcdef"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, with nothing configured but the database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BRIDGE_CONFIG", raising=False)
    monkeypatch.setenv("BRIDGE_DATABASE_URL", f"sqlite:///{tmp_path / 'bridge.db'}")
    return tmp_path


@pytest.fixture
def bridge(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command; its exit code and what it printed."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["bridge", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        printed = capsys.readouterr()
        code = end.value.code
        return (code if isinstance(code, int) else 0 if code is None else 1), *printed

    return run


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    """A database with one verified and one proposed release."""
    made = Store(f"sqlite:///{home / 'bridge.db'}")
    made.migrate()

    def work(session: Session) -> None:
        for version, stage in (("0.1.0", Stage.VERIFIED), ("0.1.1", Stage.PROPOSED)):
            row = begin(session, version)
            row.stage, row.sentence = stage, "Pull request #7 waits [bold] for a person."
            session.add(row)

    asyncio.run(made.write(work))
    yield made
    made.close()


@pytest.fixture
def dist(home: Path) -> Path:
    """A built wheel."""
    file, data = model_wheel("0.1.1")
    path = home / "dist" / file
    path.parent.mkdir()
    path.write_bytes(data)
    return path


def test_the_version_is_told(bridge: Run) -> None:
    assert (0, f"{__version__}\n", "") == bridge("--version")


@pytest.mark.parametrize("words", [["no-such-command"], ["show", "only-one"], ["releases", "--x"]])
def test_wrong_words_are_2(bridge: Run, words: list[str]) -> None:
    assert 2 == bridge(*words)[0]


def test_migrate_makes_the_schema(bridge: Run) -> None:
    assert 0 == bridge("migrate")[0]
    code, out, _ = bridge("releases")
    assert (0, "No version has been announced yet.\n") == (code, out)


@pytest.mark.parametrize("words", [["releases"], ["show", "m", "1"], ["audit", "verify"]])
def test_a_database_that_was_never_made_is_2(bridge: Run, words: list[str]) -> None:
    code, _, err = bridge(*words)
    assert 2 == code
    assert "database_url" in err
    assert "Traceback" not in err


def test_releases_are_listed(bridge: Run, store: Store) -> None:
    code, out, _ = bridge("releases")
    assert 0 == code
    assert re.search(r"regression-model 0\.1\.1\s+\S proposed", out)
    assert re.search(r"regression-model 0\.1\.0\s+\S verified", out)
    assert "waits [bold] for" in " ".join(out.split()), "markup of others is text"


def test_releases_as_json(bridge: Run, store: Store) -> None:
    code, out, err = bridge("releases", "--json", "--limit", "1")
    assert (0, "") == (code, err)
    assert [("0.1.1", "proposed")] == [
        (one["version"], one["stage"]) for one in json.loads(out)["items"]
    ]


def test_show_tells_every_line(bridge: Run, store: Store) -> None:
    code, out, _ = bridge("show", "Regression_Model", "0.1.0")
    assert 0 == code
    assert "→ announced" in out
    code, out, _ = bridge("show", "regression-model", "0.1.0", "--json")
    assert [1] == [line["seq"] for line in json.loads(out)["items"][0]["transitions"]]


def test_why_is_0_only_for_a_verified_version(bridge: Run, store: Store) -> None:
    assert 0 == bridge("why", "regression-model", "0.1.0")[0]
    code, out, _ = bridge("why", "regression-model", "0.1.1")
    assert 1 == code
    assert "house-prices: proposed since" in out
    assert "waits [bold] for a person." in " ".join(out.split())
    code, out, _ = bridge("why", "regression-model", "0.1.1", "--json")
    assert (1, "proposed") == (code, json.loads(out)["items"][0]["stage"])


def test_why_says_for_whom_it_waits_and_what_would_let_it_go_on(bridge: Run, store: Store) -> None:
    def work(session: Session) -> None:
        (row,) = releases.find(session, "regression-model", "0.1.1")
        row.code, row.sentence = "prerelease", "It is a pre-release."
        session.add(row)

    asyncio.run(store.write(work))
    told = " ".join(bridge("why", "regression-model", "0.1.1")[1].split())
    assert "It is a pre-release. Waits for an operator, since" in told
    assert "bridge retry regression-model 0.1.1 --allow prerelease --reason TEXT" in told
    assert "Waits for" not in bridge("why", "regression-model", "0.1.0")[1]


@pytest.mark.parametrize("word", ["show", "why"])
def test_an_unknown_version_is_1(bridge: Run, store: Store, word: str) -> None:
    code, _, err = bridge(word, "regression-model", "9.9.9")
    assert 1 == code
    assert "No release of regression-model 9.9.9 is known" in " ".join(err.split())


@pytest.mark.parametrize("spelling", ["v0.1.0", "0.01.0"])
def test_a_version_is_found_however_it_is_spelled(bridge: Run, store: Store, spelling: str) -> None:
    assert 0 == bridge("why", "regression-model", spelling)[0]


def test_a_whole_chain_is_0_and_a_broken_one_1(bridge: Run, store: Store) -> None:
    code, out, _ = bridge("audit", "verify", "--json")
    assert (0, True, 2) == (code, (told := json.loads(out))["holds"], told["lines"])
    assert "The chain holds: 2 lines" in bridge("audit", "verify")[1]

    def tamper(session: Session) -> None:
        session.execute(text("DROP TRIGGER transition_no_update"))
        session.execute(text("UPDATE transition SET actor = 'nobody' WHERE seq = 2"))

    asyncio.run(store.write(tamper))
    code, out, _ = bridge("audit", "verify", "--json")
    assert (1, 2) == (code, json.loads(out)["bad_seq"])
    code, out, _ = bridge("audit", "verify")
    assert 1 == code
    assert "Line 2 is bad: its content was changed." in out


def test_serve_without_a_pipeline_is_2(bridge: Run) -> None:
    code, _, err = bridge("serve")
    assert 2 == code
    assert "pipeline" in err


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "short secret": ({"BRIDGE_WEBHOOK_SECRETS__GITHUB": "canary-0123"}, "webhook_secrets.github"),
    "half an App": ({"BRIDGE_GITHUB__PRIVATE_KEY": CANARY}, "github"),
    "not a list": ({"BRIDGE_PIPELINE": CANARY}, "pipeline"),
    "not a duration": ({"BRIDGE_SWEEP_EVERY": CANARY}, "sweep_every"),
    "not a pipeline": (
        {"BRIDGE_PIPELINE": json.dumps([{"name": CANARY, "index": CANARY, "token": CANARY}])},
        "pipeline.0.repository",
    ),
    "not a database": ({"BRIDGE_DATABASE_URL": CANARY}, "database_url"),
    "a server": (
        {"BRIDGE_DATABASE_URL": f"mysql://rosa:{CANARY}@db.test/bridge"},
        "database_url",
    ),
    "an empty database": ({"BRIDGE_DATABASE_URL": f"sqlite:///{CANARY}.db"}, "database_url"),
    "a secret's file that is not there": ({"BRIDGE_GITHUB__TOKEN_FILE": CANARY}, "TOKEN_FILE"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_configuration_is_2_and_names_fields_never_values(
    bridge: Run, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    variables, field = WRONG[case]
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    code, out, err = bridge("releases")
    assert 2 == code
    assert field in err
    assert "canary" not in out + err
    assert "Traceback" not in err


def test_a_server_that_is_away_is_3_and_its_password_not_told(
    bridge: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"postgresql://rosa:{CANARY}@127.0.0.1:1/bridge"
    monkeypatch.setenv("BRIDGE_DATABASE_URL", address)
    for command in ("releases", "migrate"):
        code, out, err = bridge(command)
        assert 3 == code
        assert "connection failed" in err
        assert "canary" not in out + err
        assert "Traceback" not in err


def test_a_server_that_no_bridge_has_used_is_2(
    bridge: Run, monkeypatch: pytest.MonkeyPatch, postgresql: Server
) -> None:
    with postgresql.database("template1") as address:
        monkeypatch.setenv("BRIDGE_DATABASE_URL", address)
        code, _, err = bridge("releases")
    assert 2 == code
    assert "holds no bridge's data" in err


def test_a_database_moves_once(
    bridge: Run, monkeypatch: pytest.MonkeyPatch, postgresql: Server
) -> None:
    with postgresql.database("template1") as address:
        code, out, _ = bridge("migrate", "--to", address)
        assert 0 == code
        assert "The chain holds there: 0 lines" in out
        monkeypatch.setenv("BRIDGE_DATABASE_URL", address)
        code, out, _ = bridge("releases")
        assert 0 == code
        assert "No version" in out


def test_a_secret_that_is_no_key_is_2(
    bridge: Run, monkeypatch: pytest.MonkeyPatch, dist: Path
) -> None:
    monkeypatch.setenv("BRIDGE_WEBHOOK_SECRETS__PUBLISHER", f"whsec_{CANARY}!!")
    code, _, err = bridge("announce", str(dist))
    assert 2 == code
    assert "publisher" in err
    assert "canary" not in err


def test_announce_may_be_tried_dry(bridge: Run, dist: Path) -> None:
    code, out, _ = bridge(
        "announce", str(dist), "--dry-run", "--tag", "v0.1.1", "--url", "http://x"
    )
    assert 0 == code
    told = json.loads(out)
    assert "model.published" == told["type"]
    assert ("regression-model", "0.1.1", "v0.1.1") == (
        told["data"]["package"],
        told["data"]["version"],
        told["data"]["tag"],
    )
    assert [dist.name] == [file["filename"] for file in told["data"]["files"]]


def test_announce_needs_a_secret_and_a_file(bridge: Run, dist: Path, home: Path) -> None:
    code, _, err = bridge("announce", str(dist))
    assert 2 == code
    assert "BRIDGE_WEBHOOK_SECRETS__PUBLISHER" in err
    assert 2 == bridge("announce", str(home / "none.whl"))[0]
    (home / "notes.txt").write_text("x")
    assert 2 == bridge("announce", str(home / "notes.txt"))[0]


def test_announce_tells_one_version_at_a_time(bridge: Run, dist: Path) -> None:
    other = dist.with_name(model_wheel("0.1.2")[0])
    other.write_bytes(b"x")
    assert 2 == bridge("announce", str(dist), str(other), "--dry-run")[0]


async def answers(bridge: Run, dist: Path, app: ASGIApp) -> tuple[int, str]:
    """What `announce` says of a bridge that `app` plays; its words on one line."""
    async with served(app) as port:
        words = ("announce", str(dist), "--url", f"http://127.0.0.1:{port}/")
        code, out, err = await asyncio.to_thread(bridge, *words)
    return code, " ".join((out + err).split())


async def test_announce_reaches_a_bridge(
    bridge: Run, monkeypatch: pytest.MonkeyPatch, dist: Path, home: Path
) -> None:
    monkeypatch.setenv("BRIDGE_WEBHOOK_SECRETS__PUBLISHER", SECRETS["publisher"])
    there = Bridge(settings(home))
    there.store.migrate()
    app = create_app(there)
    assert (0, "The bridge says: stored") == await answers(bridge, dist, app)
    assert (0, "The bridge says: duplicate") == await answers(bridge, dist, app)
    (kept,) = there.store.read_now(lambda session: deliveries.newest(session, 9))
    assert dist.name in kept.body.decode()
    there.store.close()


async def test_announce_with_another_secret_is_1(
    bridge: Run, monkeypatch: pytest.MonkeyPatch, dist: Path, home: Path
) -> None:
    monkeypatch.setenv("BRIDGE_WEBHOOK_SECRETS__PUBLISHER", "whsec_" + "QUJD" * 8)
    there = Bridge(settings(home))
    there.store.migrate()
    code, said = await answers(bridge, dist, create_app(there))
    assert 1 == code
    assert "The bridge answered 401" in said
    assert "QUJD" not in said
    there.store.close()


@pytest.mark.parametrize(
    ("status", "text_", "code"),
    [
        (404, "{}", 1),
        (503, "{}", 3),
        (429, "{}", 3),
        (500, "<h1>Oops</h1>", 3),
        (200, "<h1>Sign in</h1>", 3),
        (202, "[]", 3),
        (301, "", 1),
    ],
)
async def test_announce_to_somebody_else_is_no_success(
    bridge: Run,
    monkeypatch: pytest.MonkeyPatch,
    dist: Path,
    status: int,
    text_: str,
    code: int,
) -> None:
    monkeypatch.setenv("BRIDGE_WEBHOOK_SECRETS__PUBLISHER", SECRETS["publisher"])
    app = FastAPI()

    @app.post("/webhooks/publisher")
    async def answer() -> HTMLResponse:
        return HTMLResponse(text_, status)

    assert code == (await answers(bridge, dist, app))[0]


def test_announce_to_nobody_is_3(bridge: Run, monkeypatch: pytest.MonkeyPatch, dist: Path) -> None:
    monkeypatch.setenv("BRIDGE_WEBHOOK_SECRETS__PUBLISHER", SECRETS["publisher"])
    for url in ("http://127.0.0.1:9", "ftp://127.0.0.1", "127.0.0.1:9"):
        code, _, err = bridge("announce", str(dist), "--url", url)
        assert 3 == code
        assert "no bridge answers" in err


def test_loopback_is_told_from_the_world() -> None:
    everywhere = str(ipaddress.IPv4Address(0))
    assert all(is_loopback(host) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost"))
    assert not any(is_loopback(host) for host in (everywhere, "::", "10.0.0.1", "b.test"))


def test_a_parked_delivery_is_listed_looked_at_and_discarded(bridge: Run, store: Store) -> None:
    key = asyncio.run(keep(store, told("a", "1", event="push"))).id
    claim = partial(deliveries.claim, now=NOW, lease=timedelta(seconds=9), limit=9)
    (taken,) = asyncio.run(store.write(claim))
    end = deliveries.End(taken, DeliveryState.PARKED, "It is [bold] odd.")
    asyncio.run(store.write(lambda session: deliveries.finish(session, [end])))
    listed = json.loads(bridge("deliveries", "--parked", "--json")[1])["items"]
    assert [key] == [one["id"] for one in listed]
    words = ("discard", str(key), "--reason", "a test of the sender")
    code, said, _ = bridge(*words, "--dry-run")
    assert (0, True) == (code, "Would be done" in said)
    assert "[bold]" in bridge("deliveries", "--parked")[1]
    assert 0 == bridge(*words)[0]
    assert "Nothing is parked" in bridge("deliveries", "--parked")[1]
    code, _, complaint = bridge(*words)
    assert (1, True) == (code, "is discarded" in complaint)
    assert 0 == bridge("replay", str(key), "--reason", "after all")[0]
    assert ["new"] == [
        one["state"]
        for one in json.loads(bridge("deliveries", "--json")[1])["items"]
        if one["source"] == "github"
    ]


def test_what_never_came_is_told_beside_what_did(bridge: Run, store: Store) -> None:
    def lose(session: Session) -> None:
        (row,) = releases.find(session, PACKAGE, "0.1.1")
        ledger.note(session, row, "repair", say("unheard_github"), NOW)

    asyncio.run(store.write(lose))
    nothing = bridge("deliveries")[1]
    assert "GitHub has told the bridge nothing" in nothing
    assert "Nothing was delivered yet." in nothing
    asyncio.run(keep(store, told("a", "1", event="push")))
    wanted = "1 of 2 GitHub deliveries never came."
    assert wanted in bridge("deliveries")[1]
    assert wanted not in bridge("deliveries", "--parked")[1]
    listed = bridge("deliveries", "--lost")[1]
    assert (True, False) == (wanted in listed, "push" in listed)
    told_json = json.loads(bridge("deliveries", "--lost", "--json")[1])["items"]
    assert [("versions", 2, 0), ("github", 1, 1)] == [
        (one["about"], one["came"], one["lost"]) for one in told_json
    ]
    assert ["push"] == [
        one["event"] for one in json.loads(bridge("deliveries", "--json")[1])["items"]
    ]


def test_a_version_that_failed_is_tried_again_on_a_persons_word(bridge: Run, store: Store) -> None:
    def refuse(session: Session) -> None:
        row = begin(session, "0.2.0rc1")
        why = say("prerelease", package=PACKAGE, version="0.2.0rc1")
        ledger.transit(session, row, Stage.FAILED, why, NOW)

    asyncio.run(store.write(refuse))
    words = ("retry", PACKAGE, "0.2.0rc1", "--allow", "prerelease", "--reason", "a pilot")
    code, said, _ = bridge(*words, "--dry-run")
    assert (0, True) == (code, "Would be done" in said)
    assert 0 == bridge(*words)[0]
    (row,) = store.read_now(lambda session: releases.find(session, PACKAGE, "0.2.0rc1"))
    assert (Stage.ANNOUNCED, ["prerelease"]) == (row.stage, row.facts.allowed)
    code, _, complaint = bridge(*words)
    assert (1, True) == (code, "only one that failed" in complaint)
    assert 1 == bridge("retry", PACKAGE, "9.9.9", "--reason", "hope")[0]


def test_drift_is_1_while_something_surprises(bridge: Run, store: Store) -> None:
    assert "The sweep has not looked yet." in bridge("drift")[1]
    for newest, code in (("0.1.0", 0), ("0.1.1", 1)):
        found = judge(Seen(newest=newest, pinned="0.1.0", deployed="0.1.0", serving="0.1.0"), {})
        write = partial(boards.write, pipeline="house-prices", found=found, told="", now=NOW)
        asyncio.run(store.write(write))
        assert code == bridge("drift")[0]
        assert code == bridge("drift", "--json")[0]
    assert "surprise, index and branch: 0.1.1 is on the index" in " ".join(
        bridge("drift")[1].split()
    )


def test_pause_and_resume_tell_what_they_did(
    bridge: Run, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = bridge("pause", "--reason", "an incident", "--dry-run")
    assert (0, True) == (code, out.startswith("Would be done: Everything was paused by"))
    assert 1 == bridge("resume", "--reason", "over")[0], "nothing was done"
    assert 0 == bridge("pause", "--reason", "an incident")[0]
    assert 1 == bridge("pause", "--reason", "again")[0]
    code, out, _ = bridge("resume", "--reason", "over")
    assert (0, True) == (code, out.startswith("Everything goes on, says"))
    assert 1 == bridge("pause", "no-such-pipeline", "--reason", "an incident")[0]
