"""The pages and their twins: every stage, hostile words, and nothing where nobody signs in."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlmodel import Session

from bridge import ledger
from bridge.attestation import Provenance
from bridge.bootstrap import Bridge
from bridge.drift import Seen, judge
from bridge.facts import CiRun, Facts, PullRequest
from bridge.release import Release, Stage
from bridge.sentences import say
from bridge.store import boards
from bridge.web.app import create_app
from bridge.web.present import ago, lead_time, rail, release_json
from tests.bridge_kit import NOW, a_bridge, begin
from tests.web_kit import CARD, EVIL, HOSTILE, Page, get, placed


@pytest.fixture
async def bridge(tmp_path: Path) -> AsyncIterator[Bridge]:
    async with a_bridge(tmp_path) as made:
        yield made


@pytest.mark.parametrize("stage", Stage)
async def test_every_stage_has_a_page_and_a_row(bridge: Bridge, stage: Stage) -> None:
    key = await placed(bridge, "0.1.0", stage, facts=Facts())
    words = stage.value.replace("_", " ")
    for path in (f"/releases/{key}", "/releases"):
        answer = await get(bridge, path)
        assert 200 == answer.status_code
        assert answer.headers["content-type"].startswith("text/html")
        assert re.search(rf'class="mark [a-z]*">\S {words}<', answer.text)
        assert "Because." in answer.text


@pytest.mark.parametrize("stage", Stage)
async def test_hostile_words_are_only_words(bridge: Bridge, stage: Stage) -> None:
    facts = Facts.model_validate({**HOSTILE.model_dump(), "card": CARD})
    key = await placed(bridge, "0.1.0", stage, EVIL, facts)
    for path in (f"/releases/{key}", "/releases"):
        answer = await get(bridge, path)
        page = Page(answer.text)
        assert not {"iframe", "object", "base"} & set(page.tags)
        assert (2, 1) == (page.tags.count("script"), page.tags.count("img"))
        assert [] == page.handlers
        assert not [link for link in page.links if link.startswith(("javascript:", "data:"))]
        assert "&lt;script&gt;" in answer.text
        assert "{{ 7*7 }}" in answer.text


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:1", "data:text/html,x", "//x", ""],
)
async def test_only_web_addresses_are_links(bridge: Bridge, url: str) -> None:
    facts = Facts(
        ci=CiRun(system="circleci", job="publish", url=url),
        pull_request=PullRequest(id="x", number=7, url=url, head_sha="c"),
    )
    page = Page(
        (
            await get(bridge, f"/releases/{await placed(bridge, '1', Stage.MERGED, facts=facts)}")
        ).text
    )
    assert url.strip() not in [link.strip() for link in page.links] or not url
    assert all(link.startswith(("/", "#")) and not link.startswith("//") for link in page.links)


async def test_a_web_address_is_a_link(bridge: Bridge) -> None:
    facts = Facts(ci=CiRun(system="circleci", job="publish", url="https://ci.test/1"))
    key = await placed(bridge, "0.1.0", Stage.ANNOUNCED, facts=facts)
    assert "https://ci.test/1" in Page((await get(bridge, f"/releases/{key}")).text).links


@pytest.mark.parametrize(
    "path",
    ["/", "/releases/1", "/audit", "/api/v1/releases", "/livez", "/releases/99", "/nothing"],
)
async def test_every_answer_is_guarded(bridge: Bridge, path: str) -> None:
    await placed(bridge, "0.1.0", Stage.PROPOSED)
    headers = (await get(bridge, path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert ("nosniff", "no-referrer") == (
        headers["x-content-type-options"],
        headers["referrer-policy"],
    )


async def test_pages_ask_no_foreign_host(bridge: Bridge) -> None:
    await placed(bridge, "0.1.0", Stage.VERIFIED, facts=Facts())
    for path in ("/", "/releases/1", "/audit"):
        page = Page((await get(bridge, path)).text)
        assert all(link.startswith(("/", "#")) for link in page.links)
    assert "text/css" in (await get(bridge, "/static/bridge.css")).headers["content-type"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/releases/99", 404),
        ("/api/v1/releases/99", 404),
        ("/releases/x", 422),
        ("/releases/-1", 404),
        ("/releases?before=x", 422),
        ("/api/v1/releases?limit=0", 422),
        ("/api/v1/releases?limit=201", 422),
        ("/api/v1/releases?after=x", 422),
        ("/nothing", 404),
        ("/static/../app.py", 404),
        ("/static/%2e%2e/app.py", 404),
    ],
)
async def test_what_is_not_there_is_said_so(bridge: Bridge, path: str, status: int) -> None:
    assert status == (await get(bridge, path)).status_code


@pytest.mark.parametrize(
    "path",
    [
        "/releases/{0}",
        "/api/v1/releases/{0}",
        "/releases?before={0}",
        "/api/v1/releases?after={0}",
    ],
)
async def test_a_number_beyond_all_rows_is_no_crash(bridge: Bridge, path: str) -> None:
    for number in (2**63, 10**30):
        assert (await get(bridge, path.format(number))).status_code in (200, 404, 422)


async def test_an_empty_bridge_says_what_begins_a_release(bridge: Bridge) -> None:
    assert "No version has been announced yet" in (await get(bridge, "/releases")).text
    assert "There are no older releases" in (await get(bridge, "/releases?after=1")).text
    assert "0 lines" in (await get(bridge, "/audit")).text


async def test_many_releases_are_turned_over(bridge: Bridge) -> None:
    def work(session: Session) -> None:
        for number in range(60):
            begin(session, f"0.{number}")

    await bridge.store.write(work)
    first = await get(bridge, "/releases")
    (older,) = [link for link in Page(first.text).links if link.startswith("/releases?after=")]
    second = await get(bridge, older)
    seen = [set(re.findall(r"/releases/(\d+)", page.text)) for page in (first, second)]
    assert (50, 10, set()) == (len(seen[0]), len(seen[1]), seen[0] & seen[1])
    assert not [one for one in Page(second.text).links if one.startswith("/releases?after=")]
    (newer,) = [one for one in Page(second.text).links if one.startswith("/releases?before=")]
    back = await get(bridge, newer)
    assert seen[0] == set(re.findall(r"/releases/(\d+)", back.text))


async def test_the_twin_turns_over_too(bridge: Bridge) -> None:
    def work(session: Session) -> None:
        for number in range(5):
            begin(session, f"0.{number}")

    await bridge.store.write(work)
    seen: list[str] = []
    after: int | None = None
    for _ in range(4):
        path = "/api/v1/releases?limit=2" + (f"&after={after}" if after else "")
        page = (await get(bridge, path)).json()
        seen += [item["version"] for item in page["items"]]
        after = page["after"]
        if after is None:
            break
    assert ["0.4", "0.3", "0.2", "0.1", "0.0"] == seen


async def test_the_twin_has_what_is_promised(bridge: Bridge) -> None:
    key = await placed(bridge, "0.1.0", Stage.VERIFIED)
    told = (await get(bridge, f"/api/v1/releases/{key}")).json()
    promised = (
        "id pipeline package version previous_version stage reason since due_at digest file commit "
        "ci pull_request merge_sha heroku readings lead_time_s transitions"
    )
    assert set(promised.split()) <= told.keys()
    assert {"code", "sentence"} == told["reason"].keys()
    assert {"number": 7, "head_sha": "c" * 40}.items() <= told["pull_request"].items()
    line = told["transitions"][0]
    wanted = "seq from to reason actor occurred_at recorded_at delivery evidence"
    assert set(wanted.split()) <= line.keys()
    assert 90 == told["lead_time_s"]


async def test_the_audit_page_shows_a_broken_chain(bridge: Bridge, tmp_path: Path) -> None:
    await placed(bridge, "0.1.0", Stage.MERGED)
    assert "✓ whole" in (await get(bridge, "/audit")).text

    def tamper(session: Session) -> None:
        session.execute(text("DROP TRIGGER transition_no_update"))
        session.execute(text("UPDATE transition SET sentence = 'never happened'"))

    await bridge.store.write(tamper)
    page = (await get(bridge, "/audit")).text
    assert "✗ broken" in page
    assert "Line 1: its content was changed" in page
    verdict = (await get(bridge, "/api/v1/audit")).json()["verdict"]
    assert (False, 1) == (verdict["holds"], verdict["bad_seq"])


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/releases",
        "/releases/1",
        "/audit",
        "/static/bridge.css",
        "/api/v1/releases",
        "/api/v1/releases/1",
        "/api/v1/audit",
        "/api/v1/openapi.json",
        "/openapi.json",
        "/docs",
        "/redoc",
    ],
)
async def test_without_pages_nothing_is_shown(bridge: Bridge, path: str) -> None:
    await placed(bridge, "0.1.0", Stage.PROPOSED)
    answer = await get(bridge, path, with_pages=False)
    assert answer.status_code in (403, 404)
    assert "0.1.0" not in answer.text


async def test_without_pages_it_still_receives_and_lives(bridge: Bridge) -> None:
    assert 503 == (await get(bridge, "/readyz", with_pages=False)).status_code
    bridge.worker.beat = bridge.clock()
    for path in ("/livez", "/readyz", "/healthz"):
        assert 200 == (await get(bridge, path, with_pages=False)).status_code
    transport = httpx.ASGITransport(create_app(bridge, with_pages=False))
    async with httpx.AsyncClient(transport=transport, base_url="http://bridge.test") as client:
        assert 401 == (await client.post("/webhooks/github", content=b"{}")).status_code


def in_its_place(bridge: Bridge) -> None:
    """A folder lies where the database should."""
    path = Path(bridge.settings.database_url.removeprefix("sqlite:///"))
    for old in path.parent.glob("bridge.db*"):
        old.unlink()
    path.mkdir()


async def test_a_database_that_takes_no_writes_is_not_ready(bridge: Bridge) -> None:
    bridge.store.close()
    in_its_place(bridge)
    answer = await get(bridge, "/readyz")
    assert (503, "not ready") == (answer.status_code, answer.json()["status"])
    assert 200 == (await get(bridge, "/livez")).status_code


def test_a_rail_tells_when_each_stage_was_earned() -> None:
    release = Release(
        pipeline="p",
        package="m",
        version="1",
        canonical="1",
        app="a",
        stage=Stage.FAILED,
        code="c",
        sentence="s",
        since=NOW,
        created_at=NOW,
        facts=Facts(),
    )
    assert ["ahead"] * 6 == [stop["state"] for stop in rail(release, [])]
    release.stage = Stage.MERGED
    assert ["merged"] == [stop["stage"] for stop in rail(release, []) if stop["state"] == "now"]
    assert lead_time(release) is None
    assert release_json(release, [])["pull_request"] is None
    assert "0 ms ago" == ago(NOW + timedelta(seconds=5), NOW), "clocks differ; never minus"


async def test_who_built_it_is_on_the_page_and_in_its_twin(bridge: Bridge) -> None:
    known = Provenance(
        mode="record", trust="sha256:x", verdict="proven", code="attested", sentence="A job did."
    )
    key = await placed(bridge, "0.1.0", Stage.CONFIRMED, facts=Facts(provenance=known))
    assert "<dt>Built by</dt><dd>A job did.</dd>" in (await get(bridge, f"/releases/{key}")).text
    twin = (await get(bridge, f"/api/v1/releases/{key}")).json()
    assert ("proven", "A job did.") == (
        twin["provenance"]["verdict"],
        twin["provenance"]["sentence"],
    )


async def test_the_page_and_its_twin_say_what_would_let_it_go_on(bridge: Bridge) -> None:
    def work(session: Session) -> int:
        row = begin(session, "0.1.1")
        row.code, row.sentence = "frozen", "Nothing is merged before Monday: a freeze holds."
        ledger.note(session, row, "note", row.reason, NOW + timedelta(seconds=30))
        ledger.note(
            session, row, "intent", say("intent_hold", number=7), NOW + timedelta(minutes=9)
        )
        session.add(row)
        return row.key

    key = await bridge.store.write(work)
    page = (await get(bridge, f"/releases/{key}")).text
    assert "bridge retry regression-model 0.1.1 --allow freeze --reason TEXT" in page
    told = (await get(bridge, f"/api/v1/releases/{key}")).json()
    assert "nobody" == told["unblock"]["who"]
    assert told["unblock"]["what"] in page
    assert "2026-11-23T09:00:30.000Z" == told["reason_since"]


async def test_the_drift_page_and_its_twin_tell_the_same(bridge: Bridge) -> None:
    assert "has not looked yet" in (await get(bridge, "/drift")).text
    found = judge(Seen(newest="0.1.1", pinned="0.1.0", deployed=EVIL, serving="0.0.9"), {})
    await bridge.store.write(lambda session: boards.write(session, "p", found, "", NOW))
    page = (await get(bridge, "/drift")).text
    (told,) = (await get(bridge, "/api/v1/drift")).json()["items"]
    assert ("0.1.1", "0.1.0", EVIL) == (told["newest"], told["pinned"], told["deployed"])
    assert ["surprise"] * 3 == [gap["verdict"] for gap in told["gaps"]]
    assert EVIL not in page
    assert "no release is to change that" in page


async def test_a_verified_release_waits_for_nobody(bridge: Bridge) -> None:
    key = await placed(bridge, "0.1.0", Stage.VERIFIED)
    assert (await get(bridge, f"/api/v1/releases/{key}")).json()["unblock"] is None
    assert "Waits for" not in (await get(bridge, f"/releases/{key}")).text
