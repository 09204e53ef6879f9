"""The guard: nobody talks us into asking an address inside the network."""

import asyncio
import contextlib
import gzip
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import httpcore
import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.bootstrap import must_use_https
from bridge.errors import Misconfigured, Unavailable
from bridge.kit import http
from bridge.kit.http import Door
from bridge.kit.outbound import Guard, Guarded
from bridge.settings import Settings
from tests.bridge_kit import pipeline
from tests.rehearsal_kit import served

FORBIDDEN = [
    # loopback, in every way to write it
    *("127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "2130706433", "0x7f000001", "0x7f.1"),
    *("0177.0.0.1", "017700000001", "127.0.0.1.", "127。0。0。1", "１２７.0.0.1", "⑫7.0.0.1"),
    *("localhost", "LOCALHOST", "localhost.", "[::1]", "[0:0:0:0:0:0:0:1]"),
    *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]"),
    # nothing, everybody, the others here
    *("0.0.0.0", "0", "0x0", "[::]", "255.255.255.255", "224.0.0.1", "239.255.255.250"),  # noqa: S104
    *("[ff02::1]", "240.0.0.1"),
    # private networks
    *("10.0.0.1", "10.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "0xc0a80001"),
    *("100.64.0.1", "198.18.0.1", "192.0.2.1", "203.0.113.1", "192.0.0.192"),
    *("[fc00::1]", "[fd12:3456::1]", "[fe80::1]", "[fec0::1]", "[2001:db8::1]"),
    *("[::ffff:10.0.0.1]", "[2002:a00:1::]", "[2001:0:a00:1::]", "[64:ff9b:1::a00:1]"),
    # what tells a machine's credentials
    *("169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518"),
    *("[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[fd00:ec2::254]", "[fd20:ce::254]"),
    *("100.100.100.200", "168.63.129.16", "169.254.170.2"),
]
ALLOWED = ["1.1.1.1", "140.82.121.6", "[2606:50c0:8000::154]", "[64:ff9b::8c52:7906]"]


class Net(httpcore.AsyncNetworkBackend):
    """A network that notes where a connection would go, and lets none come about."""

    def __init__(self, *silent: str) -> None:
        self.went: list[str] = []
        self._silent = silent

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: object = None,
    ) -> httpcore.AsyncNetworkStream:
        self.went.append(host)
        if host in self._silent:
            raise httpcore.ConnectTimeout
        raise httpcore.ConnectError


def answers(*addresses: str) -> Callable[[str, int], "asyncio.Future[list[str]]"]:
    async def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    return lambda host, port: asyncio.ensure_future(resolve(host, port))


def door(guard: Guard, url: str = "https://neighbour.test") -> Door:
    async def no_nap(seconds: float) -> None:
        pass

    return Door("the neighbour", url, transport=Guarded(guard), sleep=no_nap)


@contextlib.asynccontextmanager
async def neighbour(app: ASGIApp) -> AsyncIterator[Door]:
    """A neighbour on loopback, which is configured, and the door to it."""
    async with served(app) as port:
        made = Door("the neighbour", f"http://127.0.0.1:{port}")
        yield made
        await made.close()


def test_the_corpus_is_large() -> None:
    assert len(set(FORBIDDEN)) >= 60


@pytest.mark.parametrize("host", FORBIDDEN)
async def test_no_address_inside_is_connected_to(host: str) -> None:
    """Whether the guard or the resolver refuses it: the network is not asked."""
    net = Net()
    guarded = door(Guard(network=net))
    for method in ("GET", "POST"):
        with pytest.raises(Unavailable):
            await guarded.ask(method, f"https://{host}/latest/meta-data/")
    assert [] == net.went


@pytest.mark.parametrize("host", FORBIDDEN)
async def test_the_guard_alone_refuses_it_too(host: str) -> None:
    net = Net()
    with contextlib.suppress(httpx.InvalidURL):
        plain = httpx.URL(f"https://{host}/").host
        with pytest.raises((Unavailable, httpcore.ConnectError)):
            await Guard(network=net).connect_tcp(plain, 443, 5.0)
    assert [] == net.went


@pytest.mark.parametrize("host", ALLOWED)
async def test_a_public_address_is_connected_to(host: str) -> None:
    net = Net()
    with pytest.raises(Unavailable, match="did not answer"):
        await door(Guard(network=net)).ask("POST", f"https://{host}/")
    assert [host.strip("[]")] == net.went


@pytest.mark.parametrize("host", [host.strip("[]") for host in FORBIDDEN if ":" in host])
async def test_a_name_that_leads_inside_is_refused(host: str) -> None:
    net = Net()
    with pytest.raises(Unavailable, match=r"neighbour\.test leads to .* private_hosts"):
        await door(Guard(resolve=answers(host), network=net)).ask("POST", "/")
    assert [] == net.went


async def test_one_bad_address_among_good_ones_is_enough() -> None:
    net = Net()
    with pytest.raises(Unavailable, match="leads to an address"):
        await door(Guard(resolve=answers("1.1.1.1", "10.0.0.1"), network=net)).ask("POST", "/")
    assert [] == net.went


async def test_a_name_that_changes_its_mind_is_connected_to_where_it_was_judged() -> None:
    """Rebinding: public at the first look, inside at the next. There is no second look."""
    net, looks = Net(), iter([["1.1.1.1"], ["127.0.0.1"], ["127.0.0.1"]])

    async def resolve(host: str, port: int) -> list[str]:
        return next(looks)

    guarded = door(Guard(resolve=resolve, network=net))
    for said in ("did not answer", "leads to an address"):
        with pytest.raises(Unavailable, match=said):
            await guarded.ask("POST", "/")
    assert ["1.1.1.1"] == net.went


async def test_a_silent_address_is_not_the_last_one() -> None:
    net = Net("2606:50c0:8000::154")
    found = answers("2606:50c0:8000::154", "1.1.1.1")
    with pytest.raises(Unavailable, match="did not answer"):
        await door(Guard(resolve=found, network=net)).ask("POST", "/")
    assert ["2606:50c0:8000::154", "1.1.1.1"] == net.went


async def test_what_the_operator_listed_may_lie_inside_but_never_at_the_metadata() -> None:
    net = Net()
    for address in ("10.0.0.1", "127.0.0.1", "fd12::1"):
        guard = Guard({"neighbour.test"}, resolve=answers(address), network=net)
        with pytest.raises(Unavailable, match="did not answer"):
            await door(guard).ask("POST", "/")
    assert ["10.0.0.1", "127.0.0.1", "fd12::1"] == net.went
    for address in ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "::", "224.0.0.1"):
        guard = Guard({"neighbour.test"}, resolve=answers(address), network=net)
        with pytest.raises(Unavailable, match="leads to an address"):
            await door(guard).ask("POST", "/")
    assert 3 == len(net.went)


async def test_a_configured_address_of_this_machine_is_asked() -> None:
    async with neighbour(PlainTextResponse("ok")) as made:
        assert "ok" == (await made.ask("GET", "/")).text


@pytest.mark.parametrize("userinfo", ["made-up:word@", "169.254.169.254:80@", "github.com%23@"])
async def test_an_address_with_a_user_in_it_is_refused(userinfo: str) -> None:
    net = Net()
    with pytest.raises(Unavailable, match="with a user") as told:
        await door(Guard(network=net)).ask("GET", f"https://{userinfo}neighbour.test/")
    assert "made-up" not in str(told.value)
    assert [] == net.went


@pytest.mark.parametrize("address", ["https://[::1", "https://a b/", "https://" + "a" * 70000])
async def test_an_address_that_is_none_is_unavailable(address: str) -> None:
    with pytest.raises(Unavailable):
        await door(Guard(network=Net())).ask("GET", address)


class Twin:
    """A neighbour that redirects to `where`, and counts who comes there."""

    def __init__(self) -> None:
        self.where, self.came = "", 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        self.came += request.url.path == "/secret"
        answer: Response = PlainTextResponse("inside")
        if request.url.path == "/file":
            answer = RedirectResponse(self.where)
        await answer(scope, receive, send)


@pytest.mark.parametrize(
    "where",
    [
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:{other}/secret",
        "https://127.0.0.1:{other}/secret",
        "http://localhost:{other}/secret",
        "https://localhost:{other}/secret",
        "https://localhost.:{other}/secret",
        "https://2130706433:{other}/secret",
        "https://[::ffff:127.0.0.1]:{other}/secret",
        "file:///etc/passwd",
        "ftp://127.0.0.1:{other}/secret",
        "https://made-up:word@127.0.0.1:{other}/secret",
        "//[::1",
    ],
)
async def test_a_redirect_leads_nowhere_inside(where: str) -> None:
    """Not even with the very same host, on another port."""
    twin, other = Twin(), Twin()
    async with neighbour(twin) as made, served(other) as port:
        twin.where = where.format(other=port)
        with pytest.raises(Unavailable):
            await made.fetch("/file")
    assert (0, 0) == (twin.came, other.came)


async def test_a_redirect_to_the_neighbour_itself_is_one_hop_without_credentials() -> None:
    seen: list[str | None] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        seen.append(request.headers.get("authorization"))
        await RedirectResponse(f"/{len(seen)}")(scope, receive, send)

    async with served(app) as port:
        made = Door("the neighbour", f"http://127.0.0.1:{port}", auth=("made-up", ""))
        assert 307 == (await made.fetch("/file")).status_code
        await made.close()
    assert [True, False] == [one is not None for one in seen]


async def test_a_bomb_is_not_unpacked() -> None:
    inner = gzip.compress(bytes(64 << 20))
    bombs = {
        "gzip": (inner, "more than 32 MiB"),
        "gzip, gzip": (gzip.compress(inner), "packed in a way"),
        "br": (inner, "packed in a way"),
    }
    for encoding, (body, said) in bombs.items():
        app = Response(body, headers={"content-encoding": encoding})
        async with neighbour(app) as made:
            with pytest.raises(Unavailable, match=said):
                await made.ask("POST", "/")


async def test_a_drip_ends_at_the_deadline_though_every_byte_is_in_time() -> None:
    async def drip(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        with contextlib.suppress(asyncio.CancelledError):
            for _ in range(100):
                await send({"type": "http.response.body", "body": b" ", "more_body": True})
                await asyncio.sleep(0.02)

    async with neighbour(drip) as made:
        began = time.monotonic()
        with pytest.raises(Unavailable, match="TimeoutError"):
            await made.ask("POST", "/", within=0.2)
    assert time.monotonic() - began < timedelta(seconds=10).total_seconds()


async def test_a_resolver_that_is_silent_is_not_waited_for() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    with pytest.raises(httpcore.ConnectTimeout):
        await Guard(resolve=resolve, network=Net()).connect_tcp("neighbour.test", 443, 0.01)


async def test_no_more_connections_than_agreed_are_opened_at_once() -> None:
    at_once, most = 0, 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.02)
        at_once -= 1
        await PlainTextResponse("ok")(scope, receive, send)

    async with neighbour(app) as made:
        await asyncio.gather(*(made.ask("GET", "/") for _ in range(60)))
    assert 20 == most


def test_what_is_asked_in_clear_is_refused_at_the_start() -> None:
    def with_api(url: str) -> Settings:
        return Settings(pipeline=[pipeline(index="https://index.test/", api_url=url)])

    for fine in ("https://api.test", "http://127.0.0.1:8000", "http://localhost", "http://[::1]:1"):
        must_use_https(with_api(fine))
    for clear in ("http://api.test", "http://10.0.0.1", "http://127.0.0.1.evil.test"):
        with pytest.raises(Misconfigured, match=r"house-prices: api_url: .* https") as told:
            must_use_https(with_api(clear))
        assert clear not in str(told.value)


def test_the_door_has_one_client_for_all() -> None:
    """A new one for each request would cost as much as thirty requests."""
    made = Door("the neighbour", "https://neighbour.test")
    assert isinstance(made._client._transport, Guarded)
    assert http.ANSWER_CAP < http.FILE_CAP
