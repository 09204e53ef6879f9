"""The command line and a bridge that runs elsewhere: what it asks, what it says of the answer."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from bridge.release import Stage
from bridge.web.shapes import Numbers, Page, ReleaseRow
from bridge.web.wish import Done
from tests import cli_kit
from tests.bridge_kit import PACKAGE
from tests.cli_kit import TOKEN, Told, a_told_bridge, problem
from tests.test_cli import Run, bridge, home

__all__ = ["bridge", "home"]
SAYS = "Pull request #7 waits for a person."
NUMBERS = Numbers.model_validate(
    {
        "days": 30,
        "from": "2026-10-25",
        "to": "2026-11-23",
        "pipeline": None,
        "dora": [
            {
                "name": "change_fail_rate",
                "title": "Change fail rate",
                "value": 0.25,
                "unit": "share",
                "definition": "So many of the verified versions were rolled back.",
                "count": 8,
                "trend": [],
            }
        ],
        "stages": [{"stage": "proposed", "p50_s": 90, "p90_s": 7500, "count": 8}],
        "webhooks": [],
    }
)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    """A bridge that runs elsewhere, and wants to know who asks."""
    with a_told_bridge(TOKEN) as there:
        monkeypatch.setenv("BRIDGE_URL", there.url)
        monkeypatch.setenv("BRIDGE_TOKEN", TOKEN)
        yield there


def with_a_release(told: Told, stage: Stage = Stage.PROPOSED) -> None:
    """It knows of one release, 0.1.1, with the number 7."""
    row = ReleaseRow.model_validate(cli_kit.row("0.1.1", stage, SAYS))
    told.answers["/releases"] = Page[ReleaseRow](items=[row])
    told.answers["/releases/7"] = cli_kit.page("0.1.1", stage, SAYS)


def test_now_says_what_serves_what_is_on_its_way_and_why_not(bridge: Run, told: Told) -> None:
    told.answers["/now"] = cli_kit.now(SAYS)
    code, out, _ = bridge("now")
    assert 0 == code
    assert "✓ 0.1.0 serves since" in out
    assert f"proven: {SAYS}" in out
    assert "… 0.1.1 is proposed since" in out
    assert "Waits for a reviewer, since" in out
    assert "● proposed" in out
    assert "✗ Not live: 0.0.9" in out
    assert "bridge deliveries --parked" in out


def test_the_history_is_filtered_there_and_not_here(bridge: Run, told: Told) -> None:
    with_a_release(told)
    words = ("--pipeline", "house-prices", "--stage", "proposed", "--actor", "rosa")
    more = ("--version", "0.1.1", "--since", "2026-11-01", "--limit", "5", "--after", "c-9")
    code, out, _ = bridge("releases", *words, *more)
    assert (0, True) == (code, f"{PACKAGE} 0.1.1  … proposed" in out)
    asked = {
        "pipeline": "house-prices",
        "stage": "proposed",
        "actor": "rosa",
        "version": "0.1.1",
        "from": "2026-11-01T00:00:00",
        "limit": "5",
        "after": "c-9",
    }
    assert [("GET", "/releases", asked)] == told.asked


def test_a_list_says_how_it_goes_on(bridge: Run, told: Told) -> None:
    told.answers["/deliveries"] = cli_kit.deliveries("It is odd.")
    assert "More: --after c-17" in bridge("deliveries", "--parked")[1]


DOCUMENTS: dict[str, tuple[tuple[str, ...], str, BaseModel]] = {
    "now": (("now",), "/now", cli_kit.now(SAYS)),
    "deliveries": (("deliveries",), "/deliveries", cli_kit.deliveries(SAYS)),
    "notices": (("deliveries", "--out"), "/deliveries/out", cli_kit.notices(SAYS)),
    "drift": (("drift",), "/drift", cli_kit.boards(SAYS)),
    "numbers": (("numbers", "--days", "30"), "/metrics", NUMBERS),
}


@pytest.mark.parametrize("case", DOCUMENTS)
def test_json_is_one_document_and_what_the_bridge_said(bridge: Run, told: Told, case: str) -> None:
    words, path, shape = DOCUMENTS[case]
    told.answers[path] = shape
    code, out, _ = bridge(*words, "--json")
    assert (1 if case == "drift" else 0) == code
    assert shape.model_dump(mode="json") == json.loads(out)


def test_the_record_is_looked_through(bridge: Run, told: Told) -> None:
    told.answers["/audit"] = cli_kit.audit(SAYS)
    assert "The chain holds: 1 lines" in bridge("audit", "verify")[1]
    assert SAYS in bridge("audit", "lines", "--actor", "rosa")[1]
    code, out, _ = bridge("audit", "at", "2026-11-23T09:00")
    assert (0, True) == (code, "✓ proven" in out)
    assert "2026-11-23T09:00:00+00:00" == told.asked[-1][2]["at"]


def test_the_numbers_are_told_with_their_definitions(bridge: Run, told: Told) -> None:
    told.answers["/metrics"] = NUMBERS
    out = bridge("numbers")[1]
    assert "25%" in out
    assert "So many of the verified versions were rolled back." in out
    assert "90 s" in out


def test_a_release_is_shown_whole(bridge: Run, told: Told) -> None:
    with_a_release(told)
    code, out, _ = bridge("show", PACKAGE, "v0.1.1")
    assert 0 == code
    for words in ("● proposed", "+5.0%", "✗ 2 %", "v0.1.1", "→ announced", "Approve it."):
        assert words in out, words
    (shown,) = json.loads(bridge("show", PACKAGE, "0.1.1", "--json")[1])["items"]
    assert "proposed" == shown["stage"]


ACTS = {
    "retry": ("retry", PACKAGE, "0.1.1", "--allow", "prerelease"),
    "rollback": ("rollback", PACKAGE, "0.1.1"),
    "quarantine": ("quarantine", PACKAGE, "0.1.1", "--until", "2026-12-01"),
    "release-quarantine": ("release-quarantine", PACKAGE, "0.1.1"),
}
MORE: dict[str, dict[str, object]] = {
    "retry": {"allow": ["prerelease"]},
    "quarantine": {"until": "2026-12-01T00:00:00+00:00"},
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("dry", [True, False])
def test_an_act_about_a_version_is_posted(bridge: Run, told: Told, act: str, dry: bool) -> None:
    with_a_release(told)
    told.answers[f"/releases/7/{act}"] = Done(done=not dry, code="x", sentence="Rosa did it.")
    code, out, _ = bridge(*ACTS[act], "--reason", "a test", *(["--dry-run"] if dry else []))
    assert (0, "Would be done: Rosa did it.\n" if dry else "Rosa did it.\n") == (code, out)
    assert {"reason": "a test", "dry_run": dry} | MORE.get(act, {}) == told.asked[-1][2]


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (("pause", "house-prices"), "/pipelines/house-prices/pause"),
        (("pause", "a/../b"), "/pipelines/a/../b/pause"),
        (("resume",), "/everything/resume"),
        (("replay", "17"), "/deliveries/17/replay"),
        (("discard", "3", "--out"), "/deliveries/out/3/discard"),
    ],
)
def test_the_other_acts_are_posted(
    bridge: Run, told: Told, words: tuple[str, ...], path: str
) -> None:
    told.answers[path] = Done(done=True, code="x", sentence="Rosa did it.", delivery=9)
    code, out, _ = bridge(*words, "--reason", "a test", "--json")
    assert 0 == code
    assert {"done": True, "code": "x", "sentence": "Rosa did it.", "delivery": 9} == json.loads(out)
    assert ("POST", path, {"reason": "a test", "dry_run": False}) == told.asked[-1]


def test_a_bridge_that_says_no_is_1_and_its_words_are_told(bridge: Run, told: Told) -> None:
    told.answers["/deliveries/17/replay"] = problem(409, "Delivery 17 is handled.")
    code, _, err = bridge("replay", "17", "--reason", "again")
    assert (1, "Delivery 17 is handled.\n") == (code, err)
    told.answers["/deliveries/17/replay"] = problem(403, "Rosa may only look.")
    assert (1, "Rosa may only look.\n") == bridge("replay", "17", "--reason", "again")[::2]


def test_a_name_that_is_nearly_right_is_offered(bridge: Run, told: Told) -> None:
    with_a_release(told)
    code, _, err = bridge("why", "regresion-model", "0.1.1")
    assert (1, True) == (code, f"Near it: {PACKAGE}." in err)
    assert "Near it: 0.1.1." in bridge("why", PACKAGE, "0.1.2")[2]
    code, _, err = bridge("why", PACKAGE, "latest")
    assert (2, "latest is not a version.\n") == (code, err)


ANSWERS: dict[str, tuple[JSONResponse, int, str]] = {
    "busy": (problem(503, "The disk is full."), 3, "answered 503: The disk is full. Ask again"),
    "wrong words": (problem(422, "after: no cursor"), 2, "after: no cursor"),
    "another thing": (JSONResponse({"hello": "world"}), 3, "is no bridge"),
    "a sign-in page": (JSONResponse("<h1>Sign in</h1>", 302), 3, "it answered 302"),
    "nothing": (JSONResponse("nothing", 404), 3, "it answered 404"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_an_odd_answer_says_what_to_do(bridge: Run, told: Told, case: str) -> None:
    told.answers["/now"], wanted, words = ANSWERS[case]
    code, out, err = bridge("now")
    assert (wanted, "") == (code, out)
    assert words in err


def test_whoever_has_no_token_or_another_is_told_where_it_belongs(
    bridge: Run, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    for token, words in (("made-up-other-token", "does not know this token"), ("", "who asks")):
        monkeypatch.setenv("BRIDGE_TOKEN", token)
        code, out, err = bridge("now")
        assert 2 == code
        assert words in err
        assert "BRIDGE_TOKEN_FILE" in err
        assert "made-up-other" not in out + err


def test_the_token_may_stand_in_a_file(
    bridge: Run, told: Told, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    told.answers["/now"] = cli_kit.now(SAYS)
    monkeypatch.delenv("BRIDGE_TOKEN")
    monkeypatch.setenv("BRIDGE_TOKEN_FILE", f"{home / 'token'}")
    assert 2 == bridge("now")[0]
    (home / "token").write_text(f"{TOKEN}\n")
    assert 0 == bridge("now")[0]


@pytest.mark.parametrize("token", ["made\nup", "made-up-tökén"])
def test_what_is_no_token_is_not_sent(
    bridge: Run, told: Told, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("BRIDGE_TOKEN", token)
    code, _, err = bridge("now")
    assert (2, "BRIDGE_TOKEN: it is no token\n") == (code, err)
    assert [] == told.asked


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("http://127.0.0.1:9", 3, "No bridge answers at"),
        ("http://bridge.example.com", 2, "use https"),
        ("ftp://127.0.0.1", 2, "--url"),
        ("127.0.0.1:9", 2, "--url"),
        ("http://rosa:made-up-password@127.0.0.1:9", 2, "--url"),
    ],
)
def test_an_address_where_no_bridge_can_be(
    bridge: Run, monkeypatch: pytest.MonkeyPatch, url: str, code: int, words: str
) -> None:
    monkeypatch.setenv("BRIDGE_TOKEN", TOKEN)
    got, out, err = bridge("now", "--url", url)
    assert (code, "") == (got, out)
    assert words in err
    assert "made-up" not in err
