"""The App's way in: a proof that GitHub can check, and a token that is fresh enough."""

import asyncio
import json
import traceback
from datetime import datetime, timedelta

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

from bridge.columns import written
from bridge.errors import BridgeError, Misconfigured, Unavailable
from bridge.github.auth import PERMISSIONS, AppAuth
from tests.bridge_kit import NOW, Street

URL = "https://api.github.test"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.TraditionalOpenSSL,
    serialization.NoEncryption(),
).decode()


class App(Street):
    """GitHub that mints `token-1`, `token-2`, … for an hour each; `now` is the App's clock."""

    def __init__(self, pem: str = PEM) -> None:
        self.now, self.minted = NOW, 0
        auth = AppAuth("4711", SecretStr(pem), "acme/model", f"{URL}/", lambda: self.now)
        super().__init__(URL, auth)
        self.where = self.router.get(f"{URL}/repos/acme/model/installation")
        self.where.respond(200, json={"id": 99, "account": {"login": "acme"}})
        self.mint = self.router.post(f"{URL}/app/installations/99/access_tokens")
        self.mint.mock(side_effect=self._mint)
        self.work = self.router.get(f"{URL}/work")
        self.work.respond(200)

    async def _mint(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.01)
        self.minted += 1
        ends = written(self.now + timedelta(hours=1))
        return httpx.Response(201, json={"token": f"token-{self.minted}", "expires_at": ends})

    async def asks(self) -> str:
        """The token that the work was done with."""
        await self.door.ask("GET", "/work")
        return self.asked[-1].headers["authorization"]


@pytest.fixture
def app() -> App:
    return App()


async def test_the_proof_is_signed_with_the_apps_key_and_short(app: App) -> None:
    await app.asks()
    for request in app.asked[:2]:
        proof = request.headers["authorization"].removeprefix("Bearer ")
        claims = jwt.decode(
            proof,
            KEY.public_key(),
            algorithms=["RS256"],
            options={"verify_exp": False, "verify_iat": False},
        )
        assert "4711" == claims["iss"]
        assert NOW - timedelta(seconds=60) == datetime.fromtimestamp(claims["iat"], NOW.tzinfo)
        assert claims["exp"] - NOW.timestamp() <= 600, "GitHub refuses more than ten minutes"
        assert PEM[40:80] not in str(request.headers)


async def test_a_token_is_for_one_repository_and_little_else(app: App) -> None:
    await app.asks()
    wanted = json.loads(app.asked[1].content)
    assert {"repositories": ["model"], "permissions": PERMISSIONS} == wanted
    assert {"metadata", "contents", "pull_requests", "statuses", "checks"} == PERMISSIONS.keys()


async def test_a_token_is_used_until_five_minutes_before_its_end(app: App) -> None:
    assert "Bearer token-1" == await app.asks()
    app.now += timedelta(minutes=55)
    assert "Bearer token-1" == await app.asks()
    app.now += timedelta(seconds=1)
    assert "Bearer token-2" == await app.asks()
    assert 2 == app.mint.call_count


async def test_a_token_that_is_refused_is_dropped_and_the_work_is_done_with_the_next(
    app: App,
) -> None:
    assert "Bearer token-1" == await app.asks()
    app.work.mock(side_effect=[httpx.Response(401), httpx.Response(200)])
    assert "Bearer token-2" == await app.asks()
    assert 2 == app.minted


async def test_who_is_refused_twice_gives_up_and_keeps_no_token(app: App) -> None:
    app.work.respond(401)
    assert "Bearer token-2" == await app.asks()
    assert (2, 2) == (app.work.call_count, app.minted)
    app.work.respond(200)
    assert "Bearer token-3" == await app.asks()


async def test_many_callers_wait_for_one_token(app: App) -> None:
    await asyncio.gather(*(app.asks() for _ in range(20)))
    assert (20, 1) == (app.work.call_count, app.minted)


async def test_many_who_are_refused_at_once_make_one_new_token(app: App) -> None:
    """Who learns late that the old token is refused does not drop the new one."""
    await app.asks()
    everybody_is_here = asyncio.Barrier(8)

    async def refuse(request: httpx.Request) -> httpx.Response:
        if request.headers["authorization"] != "Bearer token-1":
            return httpx.Response(200)
        await everybody_is_here.wait()
        return httpx.Response(401)

    app.work.mock(side_effect=refuse)
    await asyncio.gather(*(app.door.ask("GET", "/work") for _ in range(8)))
    assert 2 == app.minted


async def test_a_caller_who_leaves_leaves_the_way_free(app: App) -> None:
    def stay_away(request: httpx.Request) -> httpx.Response:
        raise asyncio.CancelledError

    app.where.mock(side_effect=stay_away)
    with pytest.raises(asyncio.CancelledError):
        await app.asks()
    app.where.mock(side_effect=None, return_value=httpx.Response(200, json={"id": 99}))
    async with asyncio.timeout(5):
        assert "Bearer token-1" == await app.asks()


async def test_a_long_token_with_dots_is_as_good(app: App) -> None:
    long = f"ghs_4711_{'a' * 200}.{'b' * 200}.{'c-_' * 35}"
    ends = written(NOW + timedelta(hours=1))
    app.mint.mock(return_value=httpx.Response(201, json={"token": long, "expires_at": ends}))
    assert f"Bearer {long}" == await app.asks()


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            200,
            "The App is not installed on acme/model. Install it at "
            "https://github.test/apps/made-up-bridge/installations/new",
        ),
        (401, "GitHub does not accept the App's proof. Check BRIDGE_GITHUB__APP_ID"),
        (500, "GitHub answered 500 to the App"),
    ],
)
async def test_an_app_that_is_not_installed_says_where_to_install_it(
    app: App, status: int, said: str
) -> None:
    app.where.respond(404, json={"message": "Not Found"})
    page = {"html_url": "https://github.test/apps/made-up-bridge", "slug": "made-up-bridge"}
    app.router.get(f"{URL}/app").respond(status, json=page)
    with pytest.raises(Unavailable) as told:
        await app.asks()
    assert str(told.value).startswith(said)


@pytest.mark.parametrize("status", [403, 422])
async def test_an_app_that_is_suspended_or_may_too_little_says_where_to_look(
    app: App, status: int
) -> None:
    page = "https://github.test/organizations/acme/settings/installations/99"
    app.where.respond(200, json={"id": 99, "html_url": page})
    app.mint.respond(status, json={"message": "made-up-detail"})
    with pytest.raises(Unavailable, match=f"contents: write.*See {page}$"):
        await app.asks()


async def test_an_app_that_is_slowed_down_is_not_told_to_look_at_its_permissions(app: App) -> None:
    app.mint.respond(403, headers={"retry-after": "60"})
    with pytest.raises(Unavailable, match="GitHub answered 403 to the App"):
        await app.asks()


async def test_no_error_quotes_an_answer_that_holds_a_token(app: App) -> None:
    app.mint.respond(201, json={"token": "made-up-token"})
    with pytest.raises(Unavailable) as told:
        await app.asks()
    shown = "".join(traceback.format_exception(told.value))
    assert "made-up-token" not in shown


async def test_an_answer_without_end_is_not_read(app: App) -> None:
    app.where.respond(200, content=b" " * (2 << 20))
    with pytest.raises(Unavailable, match="more than 1 MiB"):
        await app.asks()


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_another_bad_answer_keeps_the_token(app: App, status: int) -> None:
    await app.asks()
    app.work.respond(status)
    try:
        await app.asks()
    except Unavailable:
        assert 500 == status
    app.work.respond(200)
    assert "Bearer token-1" == await app.asks()


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, json={"message": "Not Found"}),
        httpx.Response(401, json={"message": "A JSON web token could not be decoded"}),
        httpx.Response(503),
        httpx.Response(200, html="<h1>Sign in</h1>"),
        httpx.Response(200, json={"account": "no id"}),
    ],
)
async def test_an_app_that_is_not_let_in_is_unavailable(app: App, answer: httpx.Response) -> None:
    app.where.mock(return_value=answer)
    app.router.get(f"{URL}/app").respond(200, html="<h1>Sign in</h1>")
    with pytest.raises(Unavailable):
        await app.asks()
    assert 0 == app.work.call_count


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(403, json={"message": "suspended"}),
        httpx.Response(422, json={"message": "permissions"}),
        httpx.Response(201, json={"token": "made-up-token"}),
        httpx.Response(201, text="{"),
    ],
)
async def test_a_token_that_is_not_minted_is_unavailable(app: App, answer: httpx.Response) -> None:
    app.mint.mock(return_value=answer)
    with pytest.raises(Unavailable) as told:
        await app.asks()
    assert "made-up-token" not in str(told.value)


async def test_after_a_failure_the_next_call_tries_again(app: App) -> None:
    app.where.mock(side_effect=httpx.ConnectError("down"))
    with pytest.raises(Unavailable):
        await app.asks()
    app.where.mock(side_effect=None, return_value=httpx.Response(200, json={"id": 99}))
    assert "Bearer token-1" == await app.asks()


@pytest.mark.parametrize("pem", ["", "made-up-private-key", PEM.replace("RSA", "EC")])
async def test_a_key_that_is_none_is_a_configuration_error(pem: str) -> None:
    with pytest.raises(BridgeError) as told:
        await App(pem).asks()
    assert isinstance(told.value, Misconfigured)
    assert not pem or pem[:30] not in str(told.value)


async def test_deployments_are_asked_for_where_the_app_may_write_them(app: App) -> None:
    """GitHub refuses the whole token for one permission that the App does not have."""
    granted = {"deployments": "write", "administration": "write"}
    app.where.respond(200, json={"id": 99, "permissions": granted})
    await app.asks()
    asked = json.loads(app.asked[1].content)["permissions"]
    assert PERMISSIONS | {"deployments": "write"} == asked
