"""The door to a neighbour: three tries to see, one to act, and our words for bad news."""

import gzip
from collections.abc import AsyncIterator
from datetime import timedelta
from email.utils import format_datetime

import httpx
import pytest
from starlette.responses import PlainTextResponse

from bridge.errors import Unavailable
from bridge.kit.http import ANSWER_CAP, Door
from tests.bridge_kit import NOW, Street
from tests.rehearsal_kit import served

URL = "http://neighbour.test"


@pytest.fixture
def street() -> Street:
    return Street(URL, auth=("made-up-token", ""))


async def test_an_answer_is_read_whole(street: Street) -> None:
    street.router.get(f"{URL}/a").respond(404, json={"id": "not_found"})
    answer = await street.door.ask("GET", "/a")
    assert (404, {"id": "not_found"}) == (answer.status_code, answer.json())
    assert "model-bridge" == street.asked[0].headers["user-agent"]
    assert not street.naps


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_a_get_that_is_put_off_is_tried_three_times(street: Street, status: int) -> None:
    route = street.router.get(f"{URL}/a").respond(status, html="<h1>Later</h1>")
    with pytest.raises(Unavailable, match=f"the neighbour answered {status}"):
        await street.door.ask("GET", "/a")
    assert (3, 2) == (route.call_count, len(street.naps))


async def test_the_second_try_may_succeed(street: Street) -> None:
    route = street.router.get(f"{URL}/a")
    route.side_effect = [httpx.ConnectError("refused"), httpx.Response(200, text="ok")]
    assert "ok" == (await street.door.ask("GET", "/a")).text


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("lost", [httpx.ReadTimeout("slow"), httpx.Response(502)])
async def test_an_effect_is_tried_once(
    street: Street, method: str, lost: httpx.Response | httpx.ReadTimeout
) -> None:
    route = street.router.request(method, f"{URL}/a")
    route.side_effect = [lost, httpx.Response(201)]
    with pytest.raises(Unavailable):
        await street.door.ask(method, "/a", json={})
    assert 1 == route.call_count


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("made-up-detail"),
        httpx.ConnectTimeout("made-up-detail"),
        httpx.ReadError("made-up-detail"),
        httpx.RemoteProtocolError("made-up-detail"),
        httpx.PoolTimeout("made-up-detail"),
        httpx.UnsupportedProtocol("made-up-detail"),
        httpx.DecodingError("made-up-detail"),
    ],
)
async def test_every_way_not_to_answer_is_unavailable(
    street: Street, error: httpx.RequestError
) -> None:
    street.router.get(f"{URL}/a").mock(side_effect=error)
    with pytest.raises(Unavailable, match="did not answer") as told:
        await street.door.ask("GET", "/a")
    assert "made-up-detail" not in str(told.value)
    assert told.value.__cause__ is None


async def test_a_body_that_is_not_what_its_encoding_says_is_unavailable(street: Street) -> None:
    torn = gzip.compress(b"x" * 100)[:-30] + b"\0" * 20
    street.router.get(f"{URL}/a").respond(
        200, stream=httpx.ByteStream(torn), headers={"content-encoding": "gzip"}
    )
    with pytest.raises(Unavailable):
        await street.door.ask("GET", "/a")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=90), usegmt=True)}, 90.0),
        ({"retry-after": format_datetime(NOW - timedelta(seconds=90), usegmt=True)}, 0.0),
        ({"retry-after": "Mon, 23 Nov 2026 09:01:30 -0000"}, 90.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": ""}, None),
        (
            {
                "x-ratelimit-remaining": "0",
                "x-ratelimit-reset": str(int(NOW.timestamp()) + 60),
            },
            60.0,
        ),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, 0.0),
        ({"x-ratelimit-remaining": "9", "x-ratelimit-reset": "99999999999"}, None),
    ],
)
async def test_later_is_when_they_say(
    street: Street, headers: dict[str, str], seconds: float | None
) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    street.router.post(f"{URL}/a").mock(return_value=httpx.Response(429, headers=raw))
    with pytest.raises(Unavailable) as told:
        await street.door.ask("POST", "/a")
    assert seconds == told.value.retry_after


@pytest.mark.parametrize(
    "headers", [{"retry-after": "60"}, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}]
)
async def test_githubs_403_may_mean_later(street: Street, headers: dict[str, str]) -> None:
    street.router.post(f"{URL}/a").respond(403, headers=headers)
    with pytest.raises(Unavailable, match="403"):
        await street.door.ask("POST", "/a")


async def test_another_403_is_an_answer(street: Street) -> None:
    street.router.post(f"{URL}/a").respond(403, headers={"x-ratelimit-remaining": "12"})
    assert 403 == (await street.door.ask("POST", "/a")).status_code


async def test_redirects_are_not_followed_with_our_token(street: Street) -> None:
    street.router.get(f"{URL}/a").respond(302, headers={"location": "http://evil.test/"})
    assert 302 == (await street.door.ask("GET", "/a")).status_code
    assert ["neighbour.test"] == [request.url.host for request in street.asked]


async def test_an_anonymous_call_carries_no_credentials(street: Street) -> None:
    street.router.get(f"{URL}/a").respond(200)
    await street.door.ask("GET", "/a")
    await street.door.ask("GET", "/a", anonymous=True)
    assert [True, False] == ["authorization" in request.headers for request in street.asked]


async def test_a_body_over_the_cap_is_not_read_to_its_end(street: Street) -> None:
    sent, most = 0, (ANSWER_CAP >> 20) + 4

    async def zeros() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(most):
            sent += 1
            yield bytes(1 << 20)

    street.router.post(f"{URL}/a").mock(return_value=httpx.Response(200, content=zeros()))
    with pytest.raises(Unavailable, match="more than 32 MiB"):
        await street.door.ask("POST", "/a")
    assert (ANSWER_CAP >> 20) + 1 == sent


async def test_the_environments_proxies_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would see every address; who wants one says it in the base address."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with served(PlainTextResponse("ok")) as port:
        door = Door("the neighbour", f"http://127.0.0.1:{port}")
        assert "ok" == (await door.ask("GET", "/")).text
        await door.close()
