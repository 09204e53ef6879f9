"""The rehearsal's Heroku, in process: builds, releases, what serves, and what it tells."""

import asyncio
import base64
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime

import httpx
import pytest
from starlette.applications import Starlette

from bridge.rehearsal.gate import Fault
from bridge.rehearsal.heroku import Heroku
from bridge.rehearsal.heroku.dyno import Dyno
from bridge.rehearsal.heroku.light import LightRunner
from bridge.rehearsal.heroku.ranges import BadRange, page
from bridge.rehearsal.letters import Letter
from tests.rehearsal_kit import served, sha256, tarball, wheel

TOKEN, SECRET = "token-made-up", "secret-made-up"
HEADERS = {
    "Accept": "application/vnd.heroku+json; version=3",
    "Authorization": f"Bearer {TOKEN}",
}
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ROW = {"LotArea": 8450}


def model(version: str) -> bytes:
    answer = {"input": ROW, "output": 208500.0, "tolerance": 1.0}
    card = {"version": version, "known_answers": [answer]}
    files = {"model.onnx": version.encode(), "model_card.json": json.dumps(card).encode()}
    inside = {f"regression_model/{name}": data for name, data in files.items()}
    return wheel("regression_model", version, inside)[1]


def pin(version: str, digest: str | None = None) -> str:
    digest = digest or sha256(model(version))
    return f"# the model\nregression-model=={version} \\\n    --hash=sha256:{digest}\n"


class SlowRunner(LightRunner):
    """Light, but a dyno boots only when it may."""

    def __init__(self) -> None:
        wheels = {version: model(version) for version in ("0.1.0", "0.1.1")}
        super().__init__(lambda name, version: wheels.get(version), clock=lambda: NOW)
        self.may_boot, self.boots = asyncio.Event(), asyncio.Event()
        self.may_boot.set()

    async def start(self, slug: str, env: Mapping[str, str]) -> Dyno:
        self.boots.set()
        await self.may_boot.wait()
        return await super().start(slug, env)


class Town:
    """A Heroku, its letters, somebody with a token, and a visitor of the app."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.runner = SlowRunner()
        self.heroku = Heroku(
            app_name="house-prices-api",
            token=TOKEN,
            webhook_secret=SECRET,
            post=self.letters.append,
            clock=lambda: NOW,
            runner=self.runner,
            config_vars={"PIP_EXTRA_INDEX_URL": "http://index.test/acme/"},
        )
        self.api = client(self.heroku.app, "http://heroku.test", HEADERS)
        self.visitor = client(self.heroku.router, "http://app.test", {})

    async def upload(self, source: bytes) -> str:
        slot = (await self.api.post("/sources")).json()["source_blob"]
        async with client(self.heroku.app, "http://heroku.test", {}) as anonymous:
            (await anonymous.put(slot["put_url"], content=source)).raise_for_status()
        url: str = slot["get_url"]
        return url

    async def start_build(self, requirements: str, commit: str, **blob: str) -> httpx.Response:
        source = tarball({"requirements.txt": requirements, "Procfile": "web: serve\n"})
        named = {"url": await self.upload(source), "version": commit}
        body = {"source_blob": {**named, "checksum": f"SHA256:{sha256(source)}", **blob}}
        return await self.api.post("/apps/house-prices-api/builds", json=body)

    async def build(self, requirements: str, commit: str = "c0ffee00c0ffee") -> str:
        started = (await self.start_build(requirements, commit)).json()
        await self.heroku.settle()
        status: str = (await self.get(f"builds/{started['id']}")).json()["status"]
        return status

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.api.get(f"/apps/house-prices-api/{path}", headers=headers)

    async def serving(self) -> str:
        answer = await self.visitor.get("/api/v1/health")
        return answer.json()["model_version"] if answer.is_success else str(answer.status_code)


def client(app: Starlette, url: str, headers: dict[str, str]) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=url, headers=headers)


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    town = Town()
    yield town
    await town.api.aclose()
    await town.visitor.aclose()
    await town.heroku.close()


async def test_a_build_ends_in_a_release_that_serves(town: Town) -> None:
    assert await town.serving() == "503"
    started = await town.start_build(pin("0.1.0"), "c0ffee00c0ffee")
    assert (started.status_code, started.json()["status"]) == (201, "pending")
    await town.heroku.settle()
    build = (await town.get(f"builds/{started.json()['id']}")).json()
    release = (await town.get(f"releases/{build['release']['id']}")).json()
    slug = (await town.get(f"slugs/{build['slug']['id']}")).json()
    assert build["status"] == "succeeded"
    assert (release["version"], release["description"]) == (1, "Deploy c0ffee00")
    assert (release["current"], release["status"]) == (True, "succeeded")
    assert slug["id"] == release["slug"]["id"]
    assert (slug["commit"], slug["process_types"]) == ("c0ffee00c0ffee", {"web": "serve"})
    assert (await town.get("releases/1")).json() == release
    health = (await town.visitor.get("/api/v1/health")).json()
    assert health["model_version"] == "0.1.0"
    assert health["model_digest"] == f"sha256:{sha256(b'0.1.0')}"
    assert health["started_at"] == NOW.isoformat()


# The properties that heroku/platform-api publishes in its schema.json.
BUILD = """app buildpacks created_at generation id output_stream_url release slug source_blob stack
    status updated_at user"""
RELEASE = """addon_plan_names app artifacts created_at current description eligible_for_rollback id
    output_stream_url slug status updated_at user version"""
SLUG = """blob buildpack_provided_description checksum commit commit_description created_at
    deleted_at id process_types size stack updated_at"""


async def test_answers_have_the_published_properties(town: Town) -> None:
    await town.build(pin("0.1.0"))
    [build] = (await town.get("builds")).json()
    [release] = (await town.get("releases")).json()
    slug = (await town.get(f"slugs/{release['slug']['id']}")).json()
    assert (sorted(build), sorted(release)) == (BUILD.split(), RELEASE.split())
    assert sorted(slug) == SLUG.split()
    assert sorted(build["source_blob"]) == ["checksum", "url", "version", "version_description"]
    assert sorted(build["user"]) == sorted(release["user"]) == ["email", "id"]


async def test_everything_that_happens_is_told_and_signed(town: Town) -> None:
    await town.build(pin("0.1.0"))
    told = []
    for letter in town.letters:
        digest = hmac.new(SECRET.encode(), letter.body, hashlib.sha256).digest()
        signature = letter.headers["Heroku-Webhook-Hmac-SHA256"]
        assert (letter.source, signature) == ("heroku", base64.b64encode(digest).decode())
        body = json.loads(letter.body)
        assert body["id"] == body["webhook_metadata"]["event"]["id"]
        assert body["data"]["app"]["name"] == "house-prices-api"
        assert body["version"] == "application/vnd.heroku+json; version=3"
        told.append((body["resource"], body["action"], body["data"]["status"]))
    assert told == [
        ("build", "create", "pending"),
        ("release", "create", "pending"),
        ("release", "update", "succeeded"),
        ("build", "update", "succeeded"),
    ]
    release = json.loads(town.letters[2].body)
    assert release["previous_data"]["status"] == "pending"
    assert release["data"]["slug"]["commit"] == "c0ffee00c0ffee"
    assert len({json.loads(letter.body)["id"] for letter in town.letters}) == 4


@pytest.mark.parametrize(
    ("requirements", "said"),
    [
        (pin("0.1.1", "00" * 32), "DO NOT MATCH THE HASHES"),
        (pin("0.2.0"), "No matching distribution found for regression-model==0.2.0"),
        (f"httpx==1.0\n{pin('0.1.1')}", "Hashes are required"),
        ("regression-model>=0.1", "no exact version"),
        (pin("0.1.0") + pin("0.1.1"), "Double requirement given"),
        ("what is this", "Invalid requirement"),
    ],
)
async def test_a_failed_build_changes_nothing(town: Town, requirements: str, said: str) -> None:
    await town.build(pin("0.1.0"))
    assert await town.build(requirements) == "failed"
    build = (await town.get("builds", range="created_at ..; order=desc,max=1")).json()[0]
    assert (build["release"], build["slug"]) == (None, None)
    assert said in (await town.api.get(build["output_stream_url"])).text
    assert len((await town.get("releases")).json()) == 1
    assert await town.serving() == "0.1.0"


async def test_a_build_wants_the_bytes_that_were_announced(town: Town) -> None:
    wrong = {"checksum": f"SHA256:{'00' * 32}"}
    await town.start_build(pin("0.1.0"), "c0ffee00", **wrong)
    await town.start_build(pin("0.1.0"), "c0ffee00", url="http://heroku.test/slots/none")
    await town.start_build(pin("0.1.0"), "c0ffee00", url="nowhere")
    await town.heroku.settle()
    assert [build.status for build in town.heroku.builds] == ["failed"] * 3
    assert "checksum" in town.heroku.builds[0].output[0]
    assert town.heroku.releases == []


async def test_a_source_needs_a_procfile_and_one_requirements_file(town: Town) -> None:
    whole = {"requirements.txt": "", "Procfile": "web: x"}
    for files in (
        {"requirements.txt": ""},
        {"Procfile": "web: x"},
        {**whole, "uv.lock": ""},
        {f"deep/down/{name}": text for name, text in whole.items()},
        {f"archive/{name}": text for name, text in whole.items()},
    ):
        blob = {"source_blob": {"url": await town.upload(tarball(files))}}
        await town.api.post("/apps/house-prices-api/builds", json=blob)
    blob = {"source_blob": {"url": await town.upload(b"no tarball")}}
    await town.api.post("/apps/house-prices-api/builds", json=blob)
    await town.heroku.settle()
    said = ["".join(build.output) for build in town.heroku.builds]
    words = ["no Procfile", "no requirements.txt", "Multiple", "no requirements.txt", "", "tarball"]
    for word, text in zip(words, said, strict=True):
        assert word in text
    statuses = [build.status for build in town.heroku.builds]
    assert statuses == ["failed"] * 4 + ["succeeded", "failed"]


async def test_the_old_dyno_serves_until_the_new_one_answers(town: Town) -> None:
    await town.build(pin("0.1.0"))
    town.runner.may_boot.clear()
    town.runner.boots.clear()
    await town.start_build(pin("0.1.1"), "decade00")
    await town.runner.boots.wait()
    assert len(town.heroku.releases) == 2
    assert await town.serving() == "0.1.0"
    town.runner.may_boot.set()
    await town.heroku.settle()
    assert await town.serving() == "0.1.1"
    assert [release.current for release in town.heroku.releases] == [False, True]


async def test_a_crash_leaves_the_release_and_an_error_page(town: Town) -> None:
    await town.build(pin("0.1.0"))
    assert await town.build("httpx==1.0\n") == "succeeded"
    assert await town.serving() == "503"
    assert "No module named" in town.heroku.crash
    assert town.heroku.releases[-1].current


async def test_a_rollback_is_a_new_release_of_the_old_slug(town: Town) -> None:
    await town.build(pin("0.1.0"))
    await town.build(pin("0.1.1"))
    [first, second] = (await town.get("releases")).json()
    body = {"release": first["id"]}
    answer = await town.api.post("/apps/house-prices-api/releases", json=body)
    await town.heroku.settle()
    assert (answer.status_code, answer.json()["version"]) == (201, 3)
    assert answer.json()["slug"] == first["slug"] != second["slug"]
    assert answer.json()["description"] == "Rollback to v1"
    assert await town.serving() == "0.1.0"
    stranger = await town.api.post("/apps/house-prices-api/releases", json={"release": "none"})
    assert (stranger.status_code, stranger.json()["id"]) == (404, "not_found")


async def test_a_slug_can_be_released_again(town: Town) -> None:
    await town.build(pin("0.1.0"))
    await town.build(pin("0.1.1"))
    slug = (await town.get("builds")).json()[0]["slug"]["id"]
    body = {"slug": slug, "description": "Back"}
    answer = await town.api.post("/apps/house-prices-api/releases", json=body)
    await town.heroku.settle()
    assert (answer.json()["version"], answer.json()["description"]) == (3, "Back")
    assert await town.serving() == "0.1.0"


async def test_a_person_sets_a_config_var_and_takes_it_back(town: Town) -> None:
    empty = town.heroku.set_config({"DEBUG": "1"}, "ann@acme.test")
    await town.build(pin("0.1.0"))
    before = (await town.visitor.get("/api/v1/health")).json()["instance"]
    changed = await town.api.patch(
        "/apps/house-prices-api/config-vars", json={"DEBUG": None, "MODE": "calm"}
    )
    await town.heroku.settle()
    after = (await town.visitor.get("/api/v1/health")).json()["instance"]
    assert sorted(changed.json()) == ["MODE", "PIP_EXTRA_INDEX_URL"]
    assert before != after
    assert town.heroku.releases[-1].description == "Set DEBUG, MODE config vars"
    assert town.heroku.set_config({"MODE": "calm"}, "ann@acme.test") is None
    town.heroku.rollback(2, "ann@acme.test")
    await town.heroku.settle()
    assert sorted((await town.get("config-vars")).json()) == ["DEBUG", "PIP_EXTRA_INDEX_URL"]
    assert json.loads(town.letters[-1].body)["actor"]["email"] == "ann@acme.test"
    assert empty is not None
    refused = await town.api.post("/apps/house-prices-api/releases", json={"release": empty.id})
    assert (refused.status_code, refused.json()["id"]) == (422, "invalid_params")


@pytest.mark.parametrize(
    ("changed", "path", "status", "code"),
    [
        ({"Authorization": "Bearer wrong"}, "house-prices-api/builds", 401, "unauthorized"),
        ({"Accept": "application/json"}, "house-prices-api/builds", 404, "not_found"),
        ({}, "another-app/builds", 404, "not_found"),
        ({}, "house-prices-api/builds/none", 404, "not_found"),
        ({}, "house-prices-api/releases/9", 404, "not_found"),
        ({}, "house-prices-api/slugs/none", 404, "not_found"),
        ({"Range": "colour .."}, "house-prices-api/releases", 422, "invalid_params"),
    ],
)
async def test_it_says_no_as_heroku_does(
    town: Town, changed: dict[str, str], path: str, status: int, code: str
) -> None:
    answer = await town.api.get(f"/apps/{path}", headers=changed)
    assert (answer.status_code, answer.json()["id"]) == (status, code)
    assert answer.json()["message"]
    assert answer.headers["ratelimit-remaining"] == "4499"


async def test_a_build_without_a_source_is_refused(town: Town) -> None:
    answer = await town.api.post("/apps/house-prices-api/builds", json={"source_blob": {}})
    assert (answer.status_code, answer.json()["id"]) == (422, "invalid_params")
    assert town.heroku.builds == []


async def test_a_slot_takes_bare_bytes_only(town: Town) -> None:
    slot = (await town.api.post("/sources")).json()["source_blob"]["put_url"]
    with_token = await town.api.put(slot, content=b"x")
    async with client(town.heroku.app, "http://heroku.test", {}) as anonymous:
        typed = await anonymous.put(slot, content=b"x", headers={"Content-Type": "text/plain"})
        unknown = await anonymous.put("/slots/none", content=b"x")
        empty = await anonymous.get(slot)
    statuses = [answer.status_code for answer in (with_token, typed, unknown, empty)]
    assert statuses == [400, 403, 403, 404]


async def test_a_refused_call_has_no_effect_and_a_lost_reply_has_one(town: Town) -> None:
    limit = Fault("refuse", 429, {"id": "rate_limit", "message": "Wait."})
    town.heroku.before = lambda operation: limit if operation == "create_build" else None
    assert (await town.start_build(pin("0.1.0"), "c0ffee00")).status_code == 429
    assert town.heroku.builds == []
    lost = Fault("lost_reply")
    town.heroku.before = lambda operation: lost if operation == "create_build" else None
    with pytest.raises(httpx.TransportError):
        await town.start_build(pin("0.1.0"), "c0ffee00")
    await town.heroku.settle()
    assert [build.status for build in town.heroku.builds] == ["succeeded"]
    made = [call.status for call in town.heroku.calls if call.operation == "create_build"]
    assert made == [429, 201]


async def test_the_app_can_misbehave(town: Town) -> None:
    await town.build(pin("0.1.0"))
    town.runner.stuck_version = "0.1.0"
    await town.build(pin("0.1.1"))
    stuck = (await town.visitor.get("/api/v1/health")).json()
    assert stuck["model_version"] == "0.1.0"
    assert stuck["model_digest"] == f"sha256:{sha256(b'0.1.0')}"
    town.runner.stuck_version = None
    assert await town.serving() == "0.1.1"
    ask = {"inputs": [ROW]}
    right = (await town.visitor.post("/api/v1/predict", json=ask)).json()
    town.runner.wrong_answers = True
    wrong = (await town.visitor.post("/api/v1/predict", json=ask)).json()
    assert right == {"predictions": [208500.0], "version": "0.1.1", "errors": None}
    assert wrong["predictions"] != right["predictions"]
    for bad in (b'{"inputs": [{"LotArea": 1}]}', b'{"rows": []}', b"junk"):
        assert (await town.visitor.post("/api/v1/predict", content=bad)).status_code == 422
    town.runner.fail_build = "The disk is full."
    assert await town.build(pin("0.1.0")) == "failed"
    assert " !     The disk is full." in town.heroku.builds[-1].output


async def test_the_router_is_a_real_proxy(town: Town) -> None:
    await town.build(pin("0.1.0"))
    async with served(town.heroku.router) as port, httpx.AsyncClient() as visitor:
        base = f"http://127.0.0.1:{port}"
        health = await visitor.get(f"{base}/api/v1/health")
        asked = await visitor.post(f"{base}/api/v1/predict?a=b", json={"inputs": [ROW]})
        missing = await visitor.get(f"{base}/nothing")
    assert health.json()["model_version"] == "0.1.0"
    assert asked.json()["predictions"] == [208500.0]
    assert missing.status_code == 404


async def test_long_lists_come_in_parts(town: Town) -> None:
    await town.build(pin("0.1.0"))
    for number in range(3):
        town.heroku.set_config({"NUMBER": str(number)}, "ann@acme.test")
    await town.heroku.settle()
    first = await town.get("releases", range="version ..; order=desc,max=3")
    rest = await town.get("releases", range=first.headers["next-range"])
    assert (first.status_code, rest.status_code) == (206, 200)
    assert [release["version"] for release in first.json()] == [4, 3, 2]
    assert [release["version"] for release in rest.json()] == [1]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, [1, 2, 10]),
        ("version ..", [1, 2, 10]),
        ("version ..; order=desc", [10, 2, 1]),
        ("version ..; order=desc,max=1", [10]),
        ("version 2..", [2, 10]),
        ("version ]2..; max=5", [10]),
        ("version ]10..", []),
        ("id ..;max=2", [1, 10]),
    ],
)
def test_ranges(header: str | None, expected: list[int]) -> None:
    items = [{"version": version, "id": str(version)} for version in (1, 2, 10)]
    assert expected == [item["version"] for item in page(items, header, ["version", "id"]).items]


@pytest.mark.parametrize(
    "header", ["colour ..", "version", "version ..; max=0", "version ..; max=x"]
)
def test_odd_ranges_are_refused(header: str) -> None:
    with pytest.raises(BadRange):
        page([], header, ["version"])


def test_things_of_one_second_are_turned_around_too() -> None:
    items = [{"created_at": "2026-11-22T12:00:00Z", "id": name} for name in "abc"]
    part = page(items, "created_at ..; order=desc,max=2", ["created_at"])
    assert [item["id"] for item in part.items] == ["c", "b"]
    assert re.fullmatch(r"created_at \]\S+\.\.; max=2,order=desc", part.next_range or "")
