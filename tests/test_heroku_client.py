"""Heroku's client: source, build, release, rollback, and their bad news in our words."""

import json

import httpx
import pytest
from pydantic import JsonValue, SecretStr

from bridge.errors import Refused, Unavailable
from bridge.github.auth import TokenAuth
from bridge.heroku.client import Build, Heroku, HerokuRelease, Slot
from bridge.heroku.output import KEPT
from tests.bridge_kit import Street

URL = "https://api.heroku.test"
APP = f"{URL}/apps/house-prices-api"
PUT, GET = "https://store.test/put?sig=short", "https://store.test/get?sig=short"
BUILD: dict[str, JsonValue] = {
    "id": "b1",
    "status": "pending",
    "created_at": "2026-11-23T09:00:00Z",
    "source_blob": {"version": "ab12", "url": "u"},
    "output_stream_url": "https://out.test/b1",
    "slug": None,
    "release": None,
}
RELEASE: dict[str, JsonValue] = {
    "id": "r7",
    "version": 7,
    "status": "succeeded",
    "current": True,
    "eligible_for_rollback": True,
    "description": "Deploy ab12",
    "slug": {"id": "s7"},
}


class Platform(Street):
    """Heroku, as each test tells it to answer."""

    def __init__(self) -> None:
        super().__init__(URL, TokenAuth(SecretStr("made-up-token")))
        self.heroku = Heroku(self.door, "house-prices-api")


@pytest.fixture
def platform() -> Platform:
    return Platform()


async def test_builds_come_newest_first(platform: Platform) -> None:
    older: JsonValue = {**BUILD, "id": "b0", "created_at": "2026-11-22T09:00:00Z"}
    platform.router.get(f"{APP}/builds").respond(206, json=[older, BUILD])
    assert ["b1", "b0"] == [build.id for build in await platform.heroku.builds()]
    request = platform.asked[0]
    assert "application/vnd.heroku+json; version=3" == request.headers["accept"]
    assert "order=desc" in request.headers["range"]
    assert "Bearer made-up-token" == request.headers["authorization"]


async def test_releases_come_newest_first(platform: Platform) -> None:
    older: JsonValue = {**RELEASE, "id": "r6", "version": 6, "current": False, "slug": None}
    platform.router.get(f"{APP}/releases").respond(200, json=[older, RELEASE])
    found = await platform.heroku.releases()
    assert [("r7", True), ("r6", False)] == [(one.id, one.current) for one in found]


async def test_a_build_may_not_know_its_commit() -> None:
    assert Build.model_validate({**BUILD, "source_blob": {"version": None}}).sha is None
    assert "ab12" == Build.model_validate(BUILD).sha


async def test_a_source_goes_to_its_slot_without_our_token(platform: Platform) -> None:
    slot: JsonValue = {"source_blob": {"get_url": GET, "put_url": PUT}}
    platform.router.post(f"{URL}/sources").respond(201, json=slot)
    platform.router.put(PUT).respond(200)
    assert Slot(get_url=GET, put_url=PUT) == await platform.heroku.upload(b"tar")
    put = platform.asked[1]
    assert b"tar" == put.content
    assert not {"authorization", "content-type"} & put.headers.keys(), "the signature forbids it"


@pytest.mark.parametrize("status", [400, 403, 503])
async def test_a_store_that_takes_nothing_is_unavailable(platform: Platform, status: int) -> None:
    slot: JsonValue = {"source_blob": {"get_url": GET, "put_url": PUT}}
    platform.router.post(f"{URL}/sources").respond(201, json=slot)
    platform.router.put(PUT).respond(status)
    with pytest.raises(Unavailable) as told:
        await platform.heroku.upload(b"tar")
    assert "sig=short" not in str(told.value)


async def test_a_build_says_what_it_is_of(platform: Platform) -> None:
    platform.router.post(f"{APP}/builds").respond(201, json=BUILD)
    built = await platform.heroku.build(Slot(get_url=GET, put_url=PUT), "e" * 64, "ab12")
    assert "b1" == built.id
    blob = {"url": GET, "checksum": "SHA256:" + "e" * 64, "version": "ab12"}
    assert {"source_blob": blob} == json.loads(platform.asked[0].content)


async def test_the_last_words_of_a_build(platform: Platform) -> None:
    build = Build.model_validate(BUILD)
    platform.router.get("https://out.test/b1").respond(200, text="x" * 9000 + "\nERROR: no wheel\n")
    told = await platform.heroku.printed(build)
    assert told.endswith("ERROR: no wheel")
    assert len(told) <= KEPT + 10
    assert "authorization" not in platform.asked[0].headers


async def test_a_build_without_last_words(platform: Platform) -> None:
    build = Build.model_validate(BUILD)
    platform.router.get("https://out.test/b1").respond(404)
    assert "" == await platform.heroku.printed(build)
    assert "" == await platform.heroku.printed(build.model_copy(update={"output_stream_url": None}))


async def test_a_release_knows_its_commit_by_its_slug(platform: Platform) -> None:
    release = HerokuRelease.model_validate(RELEASE)
    platform.router.get(f"{APP}/slugs/s7").respond(200, json={"id": "s7", "commit": "ab12"})
    assert "ab12" == await platform.heroku.commit_of(release)
    assert await platform.heroku.commit_of(release.model_copy(update={"slug": None})) is None


async def test_a_rollback_makes_a_new_release(platform: Platform) -> None:
    made: JsonValue = {**RELEASE, "id": "r8", "version": 8, "description": "Rollback to v7"}
    platform.router.post(f"{APP}/releases").respond(201, json=made)
    assert 8 == (await platform.heroku.rollback(HerokuRelease.model_validate(RELEASE))).version
    assert {"release": "r7"} == json.loads(platform.asked[0].content)


@pytest.mark.parametrize(("status", "identifier"), [(400, "bad_request"), (422, "invalid_params")])
async def test_what_heroku_refuses_is_final(
    platform: Platform, status: int, identifier: str
) -> None:
    told: JsonValue = {"id": identifier, "message": "Slug is not eligible for rollback."}
    platform.router.post(f"{APP}/releases").respond(status, json=told)
    with pytest.raises(Refused, match="not eligible for rollback") as refusal:
        await platform.heroku.rollback(HerokuRelease.model_validate(RELEASE))
    assert "heroku_refused" == refusal.value.reason.code


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_token_that_sees_nothing_can_be_mended(platform: Platform, status: int) -> None:
    """Heroku says 404 for an app that the token may not see."""
    told: JsonValue = {"id": "not_found", "message": "Couldn't find that app."}
    platform.router.get(f"{APP}/builds").respond(status, json=told)
    with pytest.raises(Unavailable, match="house-prices-api, and may the token see it") as answer:
        await platform.heroku.builds()
    assert answer.value.answered


async def test_what_is_quoted_has_no_password(platform: Platform) -> None:
    """A build's log names the index as pip was told it, with the token as the user."""
    address = "https://made-up-read-token:made-up-word@index.test/acme/"
    platform.router.get("https://out.test/b1").respond(200, text=f"Looking in indexes: {address}")
    platform.router.get(f"{APP}/builds").respond(422, json={"message": f"No, {address}"})
    said = await platform.heroku.printed(Build.model_validate(BUILD))
    with pytest.raises(Refused) as refusal:
        await platform.heroku.builds()
    for quoted in (said, str(refusal.value)):
        assert "index.test/acme/" in quoted
        assert "made-up" not in quoted


async def test_a_password_is_not_cut_in_half(platform: Platform) -> None:
    """What remains of a quote must not begin behind the scheme of an address."""
    address = f"https://made-up-read-token:{'x' * 7990}@index.test/"
    platform.router.get("https://out.test/b1").respond(200, text=address)
    assert "xxx" not in await platform.heroku.printed(Build.model_validate(BUILD))


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, json={"id": "unauthorized", "message": "Invalid credentials"}),
        httpx.Response(402, json={"id": "delinquent", "message": "Pay"}),
        httpx.Response(409, json={"id": "conflict", "message": "Busy"}),
        httpx.Response(429, json={"id": "rate_limit"}, headers={"retry-after": "30"}),
        httpx.Response(503, html="<h1>Heroku</h1>"),
        httpx.Response(200, html="<h1>Sign in</h1>"),
        httpx.Response(200, text='[{"id": "b1", "sta'),
        httpx.Response(200, json={"id": "not a list"}),
        httpx.Response(200, json=[{"id": "b1"}]),
        httpx.Response(302, headers={"location": "http://evil.test"}),
    ],
)
async def test_what_cannot_be_understood_is_unavailable(
    platform: Platform, answer: httpx.Response
) -> None:
    platform.router.get(f"{APP}/builds").mock(return_value=answer)
    with pytest.raises(Unavailable) as told:
        await platform.heroku.builds()
    assert (30 if answer.status_code == 429 else None) == told.value.retry_after
    assert "made-up-token" not in str(told.value)


async def test_a_build_whose_answer_is_lost_is_not_started_twice(platform: Platform) -> None:
    route = platform.router.post(f"{APP}/builds").mock(side_effect=httpx.ReadTimeout("lost"))
    with pytest.raises(Unavailable):
        await platform.heroku.build(Slot(get_url=GET, put_url=PUT), "e" * 64, "ab12")
    assert 1 == route.call_count
