"""Who asks: by a token, a session, a proxy, or for sitting at this machine. And who does not."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import itsdangerous
import pytest
from pydantic import ValidationError
from starlette.datastructures import Headers
from starlette.types import Message, Scope

from bridge.bootstrap import Bridge
from bridge.errors import Misconfigured, Reason
from bridge.sign_in import Web, must_know_people, who_may
from bridge.web.app import create_app
from bridge.web.people.door import own
from bridge.web.people.who import SOMEBODY_HERE, who
from bridge.web.wish import FORM_WITHIN
from tests.bridge_kit import NOW, a_bridge
from tests.people_kit import CAROL, OWN_PAGE, ROSA, TOKENS, acts_of, asking, carrying, signs_in
from tests.rehearsal_kit import Skipping, served

PROXY = {"trusted": ["10.0.0.0/8", "fd00::/8"], "operators": ["rosa"]}


@pytest.fixture
async def bridge(tmp_path: Path, url: str) -> AsyncIterator[Bridge]:
    """One with two tokens."""
    async with a_bridge(tmp_path, database_url=url, web=TOKENS) as made:
        yield made


def found(web: dict[str, object], headers: dict[str, str], peer: str = "127.0.0.1") -> str:
    """Who that is, or the code of why nobody is known."""
    told = who(Headers(headers), peer, None, Web.model_validate(web))
    return told.code if isinstance(told, Reason) else f"{told.role} {told}"


# at this machine


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "localhost:8000", "LOCALHOST", "127.0.0.1", "127.0.0.1:8000", "127.1.2.3"),
        *("[::1]", "[::1]:8000"),
    ],
)
def test_at_this_machine_nobody_signs_in(host: str) -> None:
    assert f"operator {SOMEBODY_HERE}" == found({}, {"host": host})


@pytest.mark.parametrize(
    "host",
    [
        *(
            "evil.test",
            "evil.test:8000",
            "localhost.evil.test",
            "127.0.0.1.evil.test",
            "",
            "10.0.0.1",
        ),
        *(
            "127.0.0.1@evil.test",
            "evil.test#localhost",
            "2130706433",
            "0.0.0.0",  # noqa: S104
            "[::]",
            "localhost:x",
        ),
        *("localhost, evil.test", "::ffff:10.0.0.1", "127.0.0.1:80:80"),
    ],
)
def test_a_name_that_was_made_to_lead_here_opens_nothing(host: str) -> None:
    assert "foreign_host" == found({}, {"host": host})


def test_a_request_with_two_hosts_or_none_opens_nothing() -> None:
    two = [(b"host", b"localhost"), (b"host", b"localhost")]
    for raw in (two, []):
        told = who(Headers(raw=raw), "127.0.0.1", None, Web())
        assert isinstance(told, Reason)


@pytest.mark.parametrize(
    "header", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via"]
)
def test_a_proxy_at_this_machine_does_not_make_everybody_an_operator(header: str) -> None:
    assert "came_by_proxy" == found({}, {"host": "localhost", header: "made up"})
    assert "came_by_proxy" == found({}, {"host": "localhost"}, peer="10.0.0.1")


async def test_a_page_of_elsewhere_that_leads_here_sees_nothing(tmp_path: Path) -> None:
    async with a_bridge(tmp_path) as bridge, served(create_app(bridge)) as port:
        at = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=at, trust_env=False) as client:
            assert 200 == (await client.get("/")).status_code
            answer = await client.get("/", headers={"host": f"evil.test:{port}"})
            assert 403 == answer.status_code
            assert "docs/sign_in.md" in answer.text
            assert 200 == (await client.get("/livez", headers={"host": "x"})).status_code


# tokens


async def test_a_program_sends_its_token(bridge: Bridge) -> None:
    async with asking(bridge, at="https://bridge.example.com", peer="192.0.2.7") as client:
        for token in (ROSA, CAROL):
            assert 200 == (await client.get("/", headers=carrying(token))).status_code
        basic = base64.b64encode(f"rosa:{ROSA}".encode()).decode()
        for proof in (
            "Bearer",
            "Bearer ",
            f"Bearer {ROSA}x",
            f"Bearer {ROSA[:-1]}",
            f"Basic {basic}",
        ):
            answer = await client.get("/", headers={"authorization": proof})
            assert 401 == answer.status_code, proof
        told = {b"authorization": f"Bearer {'ä' * 24}".encode()}
        assert 401 == (await client.get("/", headers=told)).status_code


@pytest.mark.parametrize("name", ["token", "access_token", "authorization", "bearer"])
async def test_a_token_in_an_address_is_no_token(bridge: Bridge, name: str) -> None:
    async with asking(bridge) as client:
        assert 401 == (await client.get(f"/?{name}={ROSA}")).status_code
        answer = await client.post(f"/sign-in?{name}={ROSA}", headers=OWN_PAGE)
        assert 401 == answer.status_code


async def test_a_person_signs_in_with_a_token_and_out_again(bridge: Bridge) -> None:
    async with asking(bridge) as client:
        asked = await client.get("/sign-in?next=/releases")
        assert 'name="next" value="/releases"' in asked.text
        answer = await signs_in(client, f" {ROSA} ", "/releases")
        assert (303, "/releases") == (answer.status_code, answer.headers["location"])
        assert '"cache"' == answer.headers["clear-site-data"], "no page of another person is kept"
        flags = answer.headers["set-cookie"].lower()
        assert "httponly" in flags
        assert "samesite=lax" in flags
        assert "max-age=28800" in flags
        assert ROSA.encode() not in base64.b64decode(client.cookies["bridge"].split(".")[0])
        assert 200 == (await client.get("/releases")).status_code
        kept = client.cookies["bridge"]
        assert 405 == (await client.get("/sign-out")).status_code
        answer = await client.post("/sign-out", headers=OWN_PAGE)
        assert (303, "/sign-in") == (answer.status_code, answer.headers["location"])
        assert "bridge" not in client.cookies
        assert 401 == (await client.get("/releases")).status_code
        client.cookies.set("bridge", kept)
        assert 401 == (await client.get("/releases")).status_code, "who kept the cookie stays out"
    (told,) = await acts_of(bridge)
    assert {"act": "sign-out", "who": "rosa"}.items() <= told.items()
    assert {"id": "rosa", "by": "token"} == told["person"]


async def test_who_signs_in_again_is_not_signed_out_by_the_old_end(bridge: Bridge) -> None:
    async with asking(bridge) as client:
        for _ in range(2):
            await signs_in(client, ROSA)
            assert 200 == (await client.get("/")).status_code
            await client.post("/sign-out", headers=OWN_PAGE)
    assert 2 == len(await acts_of(bridge))


async def test_a_session_lasts_eight_hours_and_is_not_prolonged(tmp_path: Path, url: str) -> None:
    async with a_bridge(tmp_path, database_url=url, web=TOKENS) as bridge:
        now = NOW
        bridge.clock = lambda: now
        async with asking(bridge) as client:
            await signs_in(client, CAROL)
            for hours, status in ((7.9, 200), (8, 401)):
                now = NOW + timedelta(hours=hours)
                answer = await client.get("/")
                assert status == answer.status_code
                assert "set-cookie" not in answer.headers


async def test_a_session_that_we_did_not_sign_is_none(bridge: Bridge) -> None:
    async with asking(bridge) as client:
        await signs_in(client, CAROL)
        good = client.cookies["bridge"]
    told = json.loads(base64.b64decode(good.split(".")[0]))
    told["person"]["role"] = "operator"
    data = base64.b64encode(json.dumps(told).encode()).decode()
    keys = ["", "secret", Web().key(), CAROL, ROSA]
    forged = [itsdangerous.TimestampSigner(key).sign(data).decode() for key in keys]
    changed = [f"{data}.{good.split('.', 1)[1]}", good[:-2], data, "null", "", "ä"]
    for cookie in [*forged, *changed]:
        raw = {b"cookie": f"bridge={cookie}".encode()}
        async with asking(bridge) as client:
            assert 401 == (await client.get("/", headers=raw)).status_code, cookie
    async with asking(bridge, {"cookie": f"bridge={good}"}) as client:
        assert 200 == (await client.get("/")).status_code


async def test_a_token_that_is_taken_back_ends_its_sessions(tmp_path: Path, bridge: Bridge) -> None:
    async with asking(bridge) as client:
        await signs_in(client, ROSA)
        kept = {"cookie": f"bridge={client.cookies['bridge']}"}
    async with asking(bridge, kept) as client:
        assert 200 == (await client.get("/")).status_code
    fewer = {"viewer_tokens": TOKENS["viewer_tokens"]}
    async with (
        a_bridge(tmp_path, database_url=bridge.settings.database_url, web=fewer) as other,
        asking(other, kept) as client,
    ):
        assert 401 == (await client.get("/")).status_code


async def test_over_https_the_cookie_stays_on_https_and_on_this_host(tmp_path: Path) -> None:
    at = "https://bridge.example.com"
    async with (
        a_bridge(tmp_path, web=TOKENS, public_url=at) as bridge,
        asking(bridge, at=at) as client,
    ):
        answer = await signs_in(client, ROSA)
        assert answer.headers["set-cookie"].startswith("__Host-bridge=")
        assert "secure" in answer.headers["set-cookie"]
        assert "path=/;" in answer.headers["set-cookie"]
        assert "domain" not in answer.headers["set-cookie"]
        assert 200 == (await client.get("/")).status_code


async def test_a_foreign_page_cannot_sign_anybody_in_or_out(bridge: Bridge) -> None:
    foreign = {"sec-fetch-site": "cross-site"}
    async with asking(bridge) as client:
        answer = await client.post("/sign-in", data={"token": ROSA}, headers=foreign)
        assert 403 == answer.status_code
        assert not client.cookies
        await signs_in(client, ROSA)
        assert 403 == (await client.post("/sign-out", headers=foreign)).status_code
        assert 200 == (await client.get("/")).status_code


async def test_who_guesses_is_slowed_down_and_who_knows_is_not(bridge: Bridge) -> None:
    async with asking(bridge) as client:
        tried = [
            (await signs_in(client, "made-up-guess-of-a-token")).status_code for _ in range(21)
        ]
        assert [401] * 20 + [429] == tried
        answer = await client.get("/", headers=carrying("made-up-guess-of-a-token"))
        assert 429 == answer.status_code
        assert int(answer.headers["retry-after"]) > 0
        assert 200 == (await client.get("/", headers=carrying(ROSA))).status_code
        assert 303 == (await signs_in(client, ROSA)).status_code


@pytest.mark.parametrize(
    "path", ["/", "/releases", "/releases/7?done=3", "/audit?at=2026-11-23T09:00"]
)
def test_after_signing_in_one_goes_on_to_a_page_of_ours(path: str) -> None:
    assert path == own(path)


@pytest.mark.parametrize(
    "path",
    [
        *("//evil.test", "/\\evil.test", "\\\\evil.test", "https://evil.test", "evil.test", ""),
        *(
            "/\t/evil.test",
            "/\n/evil.test",
            "javascript:alert(1)",
            "/a\r\nset-cookie: a=b",
            "/ä",
            None,
        ),
    ],
)
def test_and_never_to_somebody_elses(path: str | None) -> None:
    assert "/" == own(path)


async def test_a_token_of_half_a_sign_is_a_wrong_one(bridge: Bridge) -> None:
    """A form may say in which letters it is written; in these, half a surrogate pair is one."""
    form = b'--x\r\ncontent-disposition: form-data; name="token"\r\n\r\n+2AA-\r\n--x--\r\n'
    kind = {"content-type": "multipart/form-data; boundary=x; charset=utf-7"}
    async with asking(bridge, OWN_PAGE) as client:
        assert 401 == (await client.post("/sign-in", content=form, headers=kind)).status_code


async def test_a_form_that_is_no_form_is_no_crash(bridge: Bridge) -> None:
    async with asking(bridge, OWN_PAGE) as client:
        for content, kind in (
            (b"\xff\xfe&=%", "application/x-www-form-urlencoded"),
            (b"--x\r\nmade up", "multipart/form-data; boundary=x"),
            (b"made up", "multipart/form-data"),
            (b"token=" + b"x" * 100_000, "application/x-www-form-urlencoded"),
            (b"&".join([b"a=b"] * 20), "application/x-www-form-urlencoded"),
            (b"{}", "application/json"),
        ):
            answer = await client.post("/sign-in", content=content, headers={"content-type": kind})
            assert 400 <= answer.status_code < 500, kind


def test_a_form_that_takes_for_ever_is_not_waited_for(tmp_path: Path, loop: Skipping) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"token="
        loop.skipped += FORM_WITHIN + 1
        for _ in range(9):
            await asyncio.sleep(0)
        yield b"x"

    async def story() -> None:
        form = {"content-type": "application/x-www-form-urlencoded", **OWN_PAGE}
        async with a_bridge(tmp_path, web=TOKENS) as bridge:
            for path, proof in (("/sign-in", {}), ("/everything/pause", carrying(ROSA))):
                said = await raw(bridge, path, {**form, **proof}, slow())
                assert 408 == said["status"]

    loop.run_until_complete(story())


@pytest.fixture
def loop() -> Iterator[Skipping]:
    made = Skipping()
    yield made
    made.run_until_complete(made.shutdown_asyncgens())
    made.run_until_complete(made.shutdown_default_executor())
    made.close()


async def raw(
    bridge: Bridge, path: str, headers: dict[str, str], chunks: AsyncIterator[bytes]
) -> Message:
    """How the bridge begins to answer what comes in pieces, as a server hands it over."""
    told: list[Message] = []

    async def receive() -> Message:
        async for chunk in chunks:
            return {"type": "http.request", "body": chunk, "more_body": True}
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        told.append(message)

    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await create_app(bridge)(scope, receive, send)
    return told[0]


# a proxy


@pytest.mark.parametrize(
    ("peer", "name", "told"),
    [
        ("10.1.2.3", "rosa", "operator rosa"),
        ("10.1.2.3", "dana", "viewer dana"),
        ("fd00::7", "rosa", "operator rosa"),
        ("::ffff:10.1.2.3", "rosa", "operator rosa"),
        ("11.1.2.3", "rosa", "sign_in_first"),
        ("127.0.0.1", "rosa", "sign_in_first"),
        ("", "rosa", "sign_in_first"),
        ("10.1.2.3", "", "unnamed_by_proxy"),
        ("10.1.2.3", "rosa\x1b[31m", "unnamed_by_proxy"),
        ("10.1.2.3", "r" * 101, "unnamed_by_proxy"),
    ],
)
def test_a_proxy_that_is_trusted_says_who_it_is(peer: str, name: str, told: str) -> None:
    headers = {"host": "localhost", "x-forwarded-user": name, "x-forwarded-for": "10.9.9.9"}
    assert told == found({"proxy": PROXY}, headers, peer)


def test_a_proxy_that_names_two_people_names_nobody() -> None:
    raw = [(b"x-forwarded-user", b"rosa"), (b"x-forwarded-user", b"dana")]
    told = who(Headers(raw=raw), "10.1.2.3", None, Web.model_validate({"proxy": PROXY}))
    assert "unnamed_by_proxy" == (told.code if isinstance(told, Reason) else None)


async def test_who_does_not_come_from_the_proxy_is_nobody(tmp_path: Path) -> None:
    spoofed = {"x-forwarded-user": "rosa", "x-forwarded-for": "10.1.2.3", "x-real-ip": "10.1.2.3"}
    async with a_bridge(tmp_path, web={"proxy": PROXY}) as bridge:
        for peer, status in (("10.1.2.3", 200), ("127.0.0.1", 401), ("192.0.2.7", 401)):
            async with asking(bridge, spoofed, peer=peer) as client:
                answer = await client.get("/")
                assert status == answer.status_code
                assert "/sign-in" not in answer.text, "the proxy is the door"


# what is set


def test_a_short_token_or_one_for_two_is_refused_unshown() -> None:
    short = "made-up-token-of-23-byt"
    for web, told in (
        ({"viewer_tokens": {"carol": short}}, "shorter than 24 bytes"),
        ({"viewer_tokens": {"carol": ROSA}, "operator_tokens": {"rosa": ROSA}}, "the same token"),
        ({"viewer_tokens": {"rosa": CAROL}, "operator_tokens": {"rosa": ROSA}}, "one name"),
    ):
        with pytest.raises(ValidationError, match=told) as error:
            Web.model_validate(web)
        shown = str(error.value.errors(include_input=False))
        assert short not in shown
        assert ROSA not in shown


SOME: dict[str, dict[str, object]] = {
    "tokens": dict(TOKENS),
    "github": {
        "github": {
            "client_id": "made-up",
            "client_secret": "made-up-secret",
            "organization": "acme",
        }
    },
    "proxy": {"proxy": PROXY},
}


@pytest.mark.parametrize("way", SOME)
def test_beyond_this_machine_somebody_must_be_known(way: str) -> None:
    web = Web.model_validate(SOME[way])
    must_know_people(web, "https://bridge.example.com", local=False)
    must_know_people(web, "http://127.0.0.1:8000", local=False)
    with pytest.raises(Misconfigured, match="https"):
        must_know_people(web, "http://bridge.example.com", local=False)
    (line,) = who_may(web)
    assert "made-up" not in line.sentence


def test_nobody_known_is_for_this_machine_or_for_webhooks_only() -> None:
    must_know_people(Web(), "http://127.0.0.1:8000", local=True)
    must_know_people(Web(pages=False), "http://bridge.example.com", local=False)
    with pytest.raises(Misconfigured) as told:
        must_know_people(Web(), "http://127.0.0.1:8000", local=False)
    for word in ("BRIDGE_WEB__OPERATOR_TOKENS__NAME", "web.github", "web.proxy", "pages = false"):
        assert word in str(told.value)
    assert "whoever sits here may act" in who_may(Web())[0].sentence
    assert "No pages" in who_may(Web(pages=False))[0].sentence


def test_whoever_can_be_reached_by_a_proxy_at_this_machine_is_not_open() -> None:
    """nginx, told nothing but where to go, asks for 127.0.0.1 and does not say for whom."""
    unseen = {"host": "127.0.0.1:8000", "connection": "close"}
    assert f"operator {SOMEBODY_HERE}" == found({}, unseen)
    with pytest.raises(Misconfigured, match="without signing in"):
        must_know_people(Web(), "https://bridge.example.com", local=True)
