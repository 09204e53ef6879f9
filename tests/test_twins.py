"""The JSON twins: what is live and what was, turned over, not sent again, refused in words."""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import Session

from bridge import ledger
from bridge.bootstrap import Bridge
from bridge.drift import Seen, judge
from bridge.errors import Reason
from bridge.facts import Facts, HerokuDeployment, Reading, Rollback
from bridge.model_card import ModelCard
from bridge.release import Release, Stage
from bridge.store import boards, pauses, releases
from bridge.web import shapes
from bridge.web.app import create_app
from tests.bridge_kit import NOW, a_bridge, begin, keep, pipeline, told
from tests.people_kit import OWN_PAGE

ARRIVES = (Stage.CONFIRMED, Stage.PROPOSED, Stage.MERGED, Stage.DEPLOYED, Stage.VERIFIED)
PROBLEM = "application/problem+json"
GATES = {"gates": {"rmse": {"may_grow": "2%"}}}


@pytest.fixture
async def bridge(tmp_path: Path, url: str) -> AsyncIterator[Bridge]:
    configured = [pipeline(policy=GATES), pipeline(name="rents", app="rents-api")]
    async with a_bridge(tmp_path, database_url=url, pipeline=configured) as made:
        yield made


async def ask(bridge: Bridge, path: str, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(create_app(bridge))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.get(f"/api/v1{path}", headers=headers)


async def told_by(bridge: Bridge, path: str) -> Any:
    answer = await ask(bridge, path)
    assert 200 == answer.status_code, answer.text
    return answer.json()


async def now(bridge: Bridge) -> shapes.Tile:
    """The first pipeline's tile."""
    return shapes.Now.model_validate(await told_by(bridge, "/now")).tiles[0]


def arrive(
    session: Session,
    version: str,
    stages: tuple[Stage, ...] = ARRIVES,
    after: int = 0,
    facts: Facts | None = None,
) -> Release:
    """Announced, and each stage a minute later than the last, `after` minutes from NOW."""
    row = begin(session, version)
    row.facts = facts or row.facts
    for number, stage in enumerate(stages, start=after + 1):
        why = Reason(stage.value, f"{version} is {stage.value}.")
        ledger.transit(session, row, stage, why, NOW + timedelta(minutes=number))
    return row


async def arrived(bridge: Bridge, version: str, *args: Any, **words: Any) -> int:
    return await bridge.store.write(lambda s: arrive(s, version, *args, **words).key)


async def test_now_says_what_serves_why_that_is_proven_and_what_is_on_its_way(
    bridge: Bridge,
) -> None:
    reading = Reading(at=NOW + timedelta(minutes=4), verdict="matches", version="0.1.0")
    facts = Facts(readings=[reading], heroku=HerokuDeployment(build="b", release=43))
    key = await arrived(bridge, "0.1.0", facts=facts)
    await arrived(bridge, "0.1.1", (Stage.CONFIRMED, Stage.FAILED))
    other = await arrived(bridge, "0.1.2", (Stage.CONFIRMED,))
    tile = await now(bridge)
    assert tile.serving == shapes.Serving(
        release_id=key,
        version="0.1.0",
        since=NOW + timedelta(minutes=5),
        proven=True,
        sentence="0.1.0 is verified.",
        last_reading_at=reading.at,
        heroku_release=43,
    )
    assert tile.last_failure is not None
    assert ("0.1.1", [other]) == (tile.last_failure.version, [one.id for one in tile.under_way])
    states = [(stop.state, stop.took_s) for stop in tile.under_way[0].rail]
    assert [("done", None), ("now", 60.0), *[("ahead", None)] * 4] == states


async def test_what_is_being_built_puts_the_proof_in_doubt_until_the_next(bridge: Bridge) -> None:
    await arrived(bridge, "0.1.0")
    await arrived(bridge, "0.1.1", ARRIVES[:3], after=10)

    def build(session: Session) -> None:
        row = releases.find(session, "regression-model", "0.1.1")[0]
        why = Reason("intent_build", "About to build.")
        ledger.note(session, row, "intent", why, NOW + timedelta(minutes=20))

    await bridge.store.write(build)
    serving = (await now(bridge)).serving
    assert serving is not None
    assert ("0.1.0", False) == (serving.version, serving.proven)
    assert "It is not proven that 0.1.0 answers: About to build." == serving.sentence


@pytest.mark.parametrize(("reported", "proven"), [("0.1.0", True), ("0.0.9", False), (None, True)])
async def test_what_the_api_reports_outweighs_an_older_proof(
    bridge: Bridge, reported: str | None, proven: bool
) -> None:
    await arrived(bridge, "0.1.0")
    found = judge(Seen(serving=reported), {})
    seen_at = NOW + timedelta(hours=1)
    write = partial(boards.write, pipeline="house-prices", found=found, told="", now=seen_at)
    await bridge.store.write(write)
    tile = await now(bridge)
    assert tile.serving is not None
    assert tile.drift is not None
    assert (proven, reported) == (tile.serving.proven, tile.drift.serving)
    assert ("reported 0.0.9" in tile.serving.sentence) is not proven


async def test_a_version_that_nobody_proved_is_said_to_be_one(bridge: Bridge) -> None:
    assert (await now(bridge)).serving is None
    found = judge(Seen(serving="0.0.7"), {})
    await bridge.store.write(lambda s: boards.write(s, "house-prices", found, "", NOW))
    serving = (await now(bridge)).serving
    assert serving is not None
    assert (None, "0.0.7", False) == (serving.release_id, serving.version, serving.proven)


async def test_what_was_put_back_serves(bridge: Bridge) -> None:
    key = await arrived(bridge, "0.1.0")
    back = Facts(rollback=Rollback(to="0.1.0", release=45))
    ways = (*ARRIVES[:4], Stage.ROLLING_BACK, Stage.ROLLED_BACK)
    await arrived(bridge, "0.1.1", ways, after=10, facts=back)
    serving = (await now(bridge)).serving
    assert serving is not None
    assert (key, "0.1.0", True, 45) == (
        serving.release_id,
        serving.version,
        serving.proven,
        serving.heroku_release,
    )


async def test_a_pause_is_on_the_tiles_that_it_stops(bridge: Bridge) -> None:
    write = partial(pauses.begin, pipeline="rents", who="rosa", why="Stop.", now=NOW)
    await bridge.store.write(write)
    page = await told_by(bridge, "/now")
    assert [None, "rents"] == [(one["paused"] or {}).get("pipeline") for one in page["tiles"]]
    assert ["rosa"] == [one["who"] for one in page["pauses"]]


@pytest.mark.parametrize(
    ("path", "held", "proven"),
    [
        ("2026-11-23T08:00:00Z", None, False),
        ("2026-11-23T09:04:30", "0.1.0", False),
        ("2026-11-23T09:05:00Z", "0.1.0", True),
        ("2026-11-23T10:05:00%2B01:00", "0.1.0", True),
        ("2026-11-24", "0.1.0", True),
    ],
)
async def test_what_was_serving_at_a_time_and_whether_it_was_proven(
    bridge: Bridge, path: str, held: str | None, proven: bool
) -> None:
    await arrived(bridge, "0.1.0")
    at = (await told_by(bridge, f"/audit?at={path}"))["at"]
    first, second = at["serving"]
    assert (held, proven) == (first["version"], first["proven"])
    assert ("rents", None) == (second["pipeline"], second["version"])


async def test_one_release_tells_everything(bridge: Bridge) -> None:
    old = ModelCard(name="m", version="0.1.0", metrics={"rmse": 100.0, "r2": 0.5})
    new = ModelCard(name="m", version="0.1.1", metrics={"rmse": 103.0, "r2": 0.5})
    await arrived(bridge, "0.1.0", facts=Facts(card=old))
    facts = Facts(card=new, previous_version="0.1.0", tag="v0.1.1")
    key = await arrived(bridge, "0.1.1", ARRIVES[:2], facts=facts)
    page = shapes.ReleasePage.model_validate(await told_by(bridge, f"/releases/{key}"))
    assert page.comparison is not None
    rmse = next(one for one in page.comparison.metrics if one.name == "rmse")
    assert (100.0, 103.0, 0.03, "broken", "may grow 2%") == (
        rmse.old,
        rmse.new,
        rmse.change,
        rmse.verdict,
        rmse.rule,
    )
    assert [("tag", "v0.1.1")] == [(one.name, one.text) for one in page.evidence_links]
    assert [7, 8, 9] == [line.seq for line in page.transitions]


async def test_releases_are_filtered_and_turned_over(bridge: Bridge) -> None:
    for number in range(5):
        await arrived(bridge, f"0.{number}", (Stage.CONFIRMED,) if number % 2 else ())
    page = await told_by(bridge, "/releases?stage=announced&pipeline=house-prices&limit=2")
    assert ["0.4", "0.2"] == [one["version"] for one in page["items"]]
    assert page["before"] is None
    older = await told_by(bridge, f"/releases?stage=announced&limit=2&after={page['after']}")
    assert (["0.0"], None) == ([one["version"] for one in older["items"]], older["after"])
    newer = await told_by(bridge, f"/releases?stage=announced&limit=2&before={older['before']}")
    assert page["items"] == newer["items"]
    assert [] == (await told_by(bridge, "/releases?to=2026-11-23T09:00:00Z"))["items"]
    assert 5 == len((await told_by(bridge, "/releases?from=2026-11-23&actor="))["items"])


PATHS = [
    "/now",
    "/releases",
    "/releases/1",
    "/deliveries",
    "/deliveries/out",
    "/drift",
    "/metrics",
    "/audit",
]


@pytest.mark.parametrize("path", PATHS)
async def test_who_asks_again_is_told_that_nothing_was_written(bridge: Bridge, path: str) -> None:
    await arrived(bridge, "0.1.0")
    first = await ask(bridge, path)
    tag = first.headers["etag"]
    assert tag.startswith('W/"')
    for asked in (tag, f'"other", {tag}', tag.removeprefix("W/")):
        again = await ask(bridge, path, **{"if-none-match": asked})
        assert (304, b"", tag) == (again.status_code, again.content, again.headers["etag"])
    await keep(bridge.store, told("a", "1"))
    then = await ask(bridge, path, **{"if-none-match": tag})
    assert 200 == then.status_code
    assert tag != then.headers["etag"]


async def test_the_numbers_are_new_every_day(bridge: Bridge) -> None:
    tag = (await ask(bridge, "/metrics")).headers["etag"]
    bridge.clock = lambda: NOW + timedelta(days=1)
    assert 200 == (await ask(bridge, "/metrics", **{"if-none-match": tag})).status_code


@pytest.mark.parametrize(
    ("path", "status", "name"),
    [
        ("/releases/99", 404, None),
        ("/releases/x", 422, "identifier"),
        ("/releases?after=x", 422, "after"),
        ("/releases?after=-1", 422, "after"),
        ("/releases?limit=0", 422, "limit"),
        ("/releases?stage=nowhere", 422, "stage"),
        ("/releases?from=0.0", 422, "from"),
        ("/releases?to=", 422, "to"),
        ("/releases?actor=%00", 422, "actor"),
        ("/metrics?days=0", 422, "days"),
        ("/audit?at=soon", 422, "at"),
        ("/nothing", 404, None),
    ],
)
async def test_a_refusal_is_a_problem(
    bridge: Bridge, path: str, status: int, name: str | None
) -> None:
    answer = await ask(bridge, path)
    assert (status, PROBLEM) == (answer.status_code, answer.headers["content-type"])
    problem = shapes.Problem.model_validate(answer.json())
    assert (status, "about:blank") == (problem.status, problem.type)
    assert ([name] if name else []) == [one.name for one in problem.errors]


async def test_another_method_is_a_problem_too(bridge: Bridge) -> None:
    transport = httpx.ASGITransport(create_app(bridge))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.delete("/api/v1/now", headers=OWN_PAGE)
    assert (405, PROBLEM) == (answer.status_code, answer.headers["content-type"])
    assert "GET" in answer.headers["allow"]


async def test_a_number_beyond_all_rows_finds_nothing(bridge: Bridge) -> None:
    for path in ("/releases?after=999999999999999999", "/releases?before=999999999999999999"):
        assert (await ask(bridge, path)).status_code == 200
    assert 422 == (await ask(bridge, f"/releases/{2**31}")).status_code
    for moment in ("0001-01-01", "9999-12-31T23:59:59.999999-14:00", "2000-02-29"):
        assert 200 == (await ask(bridge, f"/audit?at={moment}&from={moment}")).status_code


async def test_every_example_is_one(bridge: Bridge) -> None:
    paths = (await told_by(bridge, "/openapi.json"))["paths"]
    twins = {
        path: told["get"]
        for path, told in paths.items()
        if path.startswith("/api/v1/") and "get" in told
    }
    assert {f"/api/v1{path.replace('/1', '/{identifier}')}" for path in PATHS} <= set(twins)
    for path, operation in twins.items():
        shown = operation["responses"]["200"]["content"]["application/json"]
        assert shown["example"], path
        assert "$ref" in shown["schema"], path
