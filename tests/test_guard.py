"""The guard: who may ask for what, and which requests are our own pages' or a program's."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.routing import iter_route_contexts
from starlette.datastructures import Headers

from bridge.bell import Bell
from bridge.bootstrap import Bridge
from bridge.errors import Reason
from bridge.person import By, Person, Role
from bridge.sentences import say
from bridge.store import deliveries
from bridge.web.app import application
from bridge.web.guard import OPEN, judge
from bridge.web.people.who import SOMEBODY_HERE
from bridge.web.suspects import Suspects
from tests.bridge_kit import a_bridge
from tests.people_kit import CAROL, HERE, OWN_PAGE, ROSA, TOKENS, asking, carrying

ORIGIN, HOST = "https://bridge.example.com", {"host": "bridge.example.com"}
OPERATOR = Person("583231", "rosa", Role.OPERATOR, By.GITHUB)
BY_TOKEN = Person("rosa", "rosa", Role.OPERATOR, By.TOKEN)
VIEWER = Person("carol", "carol", Role.VIEWER, By.PROXY)
NOBODY = say("sign_in_first")
BEARER = {"authorization": "Bearer made-up"}
JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
Case = tuple[dict[str, str], Person | Reason, int | None]
CASES: dict[str, Case] = {
    "a button of ours": ({"sec-fetch-site": "same-origin"}, OPERATOR, None),
    "typed by the person": ({"sec-fetch-site": "none"}, OPERATOR, None),
    "a foreign page": ({"sec-fetch-site": "cross-site"}, OPERATOR, 403),
    "a sister host": ({"sec-fetch-site": "same-site"}, OPERATOR, 403),
    "a word of no browser": ({"sec-fetch-site": "made-up"}, OPERATOR, 403),
    "a foreign page with our origin": (
        {"sec-fetch-site": "cross-site", "origin": ORIGIN},
        OPERATOR,
        403,
    ),
    "an older browser, our page": ({"origin": ORIGIN}, OPERATOR, None),
    "an older browser, behind a proxy": (
        {"origin": ORIGIN, "host": "10.0.0.7:8000"},
        OPERATOR,
        None,
    ),
    "an older browser, by another of our names": (
        {"origin": "http://bridge.internal", "host": "bridge.internal"},
        OPERATOR,
        None,
    ),
    "an older browser, a foreign page": ({"origin": "https://evil.test"}, OPERATOR, 403),
    "an older browser, a longer name": ({"origin": f"{ORIGIN}.evil.test"}, OPERATOR, 403),
    "an older browser, a sandbox": ({"origin": "null"}, OPERATOR, 403),
    "an older browser, nothing": ({"origin": ""}, OPERATOR, 403),
    "an older browser, no address": ({"origin": "http://["}, OPERATOR, 403),
    "a sandbox that asks for nobody": ({"origin": "null", "host": ""}, OPERATOR, 403),
    "a foreign page with a token": ({"sec-fetch-site": "cross-site", **BEARER}, BY_TOKEN, 403),
    "a program": (BEARER, BY_TOKEN, None),
    "a session and no header": ({}, OPERATOR, 403),
    "a token's session and no header": ({}, BY_TOKEN, 403),
    "somebody else's bearer beside a session": (BEARER, OPERATOR, 403),
    "at this machine, a program": (JSON, SOMEBODY_HERE, None),
    "at this machine, a form of nowhere": (FORM, SOMEBODY_HERE, 403),
    "at this machine, text that looks like JSON": (
        {"content-type": "text/plain; application/json"},
        SOMEBODY_HERE,
        403,
    ),
    "elsewhere, JSON is no proof": (JSON, OPERATOR, 403),
    "a viewer": (OWN_PAGE, VIEWER, 403),
    "nobody": (OWN_PAGE, NOBODY, 401),
    "a wrong token": (BEARER, say("wrong_token"), 401),
}


@pytest.mark.parametrize("case", CASES)
def test_an_act_comes_from_our_page_or_from_a_program(case: str) -> None:
    headers, found, status = CASES[case]
    told = judge("POST", "/releases/1/retry", Headers({**HOST, **headers}), found, ORIGIN)
    assert status == (told.status if told else None)


@pytest.mark.parametrize("name", ["sec-fetch-site", "origin", "host"])
def test_a_header_that_comes_twice_is_nobodys(name: str) -> None:
    good = {"sec-fetch-site": "same-origin", "origin": ORIGIN, **HOST}
    raw = [(key.encode(), value.encode()) for key, value in good.items()]
    twice = Headers(raw=[*raw, (name.encode(), b"https://evil.test")])
    assert judge("POST", "/", Headers(raw=raw), OPERATOR, ORIGIN) is None
    told = judge("POST", "/", twice, OPERATOR, ORIGIN)
    assert "cross_site" == (told.reason.code if told else None)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "made-up"])
def test_what_may_change_something_is_judged_whatever_it_is_called(method: str) -> None:
    foreign = Headers({**HOST, "sec-fetch-site": "cross-site"})
    for path in ("/releases/1/retry", "/", "/sign-in", "/sign-out", "/livez"):
        told = judge(method, path, foreign, OPERATOR, ORIGIN)
        assert 403 == (told.status if told else None), path


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_to_look_needs_a_person_and_no_header(method: str) -> None:
    for found, status in ((VIEWER, None), (OPERATOR, None), (NOBODY, 401)):
        told = judge(method, "/releases", Headers(HOST), found, ORIGIN)
        assert status == (told.status if told else None)


@pytest.fixture
async def bridge(tmp_path: Path) -> AsyncIterator[Bridge]:
    async with a_bridge(tmp_path, web=TOKENS) as made:
        yield made


FILLED = {"identifier": "1", "name": "house-prices"}
ACTS = {
    "/releases/{identifier}/{act}": ("retry", "rollback", "quarantine", "release-quarantine"),
    "/pipelines/{name}/{act}": ("pause", "resume"),
    "/everything/{act}": ("pause", "resume"),
    "/deliveries/{identifier}/{act}": ("replay", "discard"),
    "/deliveries/out/{identifier}/{act}": ("replay", "discard"),
}
"""Every route that changes something, and what may stand in its address."""


def routes(bridge: Bridge) -> Iterator[tuple[str, str]]:
    """Every method and path that the application knows."""
    for route in iter_route_contexts(application(bridge, Suspects(), Bell(bridge.store)).routes):
        assert route.path is not None
        yield from ((method, route.path) for method in route.methods or ())


def addresses(bridge: Bridge) -> list[str]:
    """The address of every act, as a page's button and as a program's."""
    changing = {path for method, path in routes(bridge) if method not in ("GET", "HEAD")}
    known = {*ACTS, *(f"/api/v1{path}" for path in ACTS), "/sign-in", "/sign-out"}
    assert known == changing, "an act that no test knows"
    return [
        f"{before}{path.format(act=act, **FILLED)}"
        for before in ("", "/api/v1")
        for path, acts in ACTS.items()
        for act in acts
    ]


async def test_only_an_operator_acts(bridge: Bridge) -> None:
    async with asking(bridge) as client:
        for address in addresses(bridge):
            for token, statuses in ((None, {401}), (CAROL, {403}), (ROSA, {303, 404, 409, 200})):
                proof = carrying(token) if token else {}
                told = {"reason": f"A test of {address}"}
                is_form = not address.startswith("/api/")
                words: dict[str, Any] = {"data" if is_form else "json": told}
                answer = await client.post(address, headers={**OWN_PAGE, **proof}, **words)
                assert answer.status_code in statuses, (address, token, answer.text)
                assert (token is CAROL) == ("carol may look, but not act" in answer.text)


async def test_no_act_is_done_from_elsewhere(bridge: Bridge) -> None:
    before = bridge.store.read_now(lambda session: deliveries.newest(session, 9))
    foreign = {"sec-fetch-site": "cross-site", **carrying(ROSA)}
    async with asking(bridge) as client:
        for address in addresses(bridge):
            answer = await client.post(address, headers=foreign, json={"reason": "A test."})
            assert 403 == answer.status_code, address
            assert 405 == (await client.get(address, headers=carrying(ROSA))).status_code
    assert before == bridge.store.read_now(lambda session: deliveries.newest(session, 9)) == []


async def test_whatever_is_not_open_wants_a_person(bridge: Bridge) -> None:
    async with asking(bridge) as client:
        for method, path in routes(bridge):
            filled = path.format(act="retry", **FILLED)
            headers = OWN_PAGE if method == "POST" else {}
            answer = await client.request(method, filled, headers=headers)
            is_open = filled in OPEN or filled.startswith("/static/")
            assert is_open == ("www-authenticate" not in answer.headers), (method, path)
            assert is_open or 401 == answer.status_code


@pytest.mark.parametrize(
    "path", ["/", "/releases?stage=failed", "/no-such-page", "/static", "//livez"]
)
async def test_a_stranger_is_led_to_the_door_and_back(bridge: Bridge, path: str) -> None:
    async with asking(bridge) as client:
        answer = await client.get(f"{HERE}{path}")
        assert 401 == answer.status_code
        (link,) = re.findall(r'href="(/sign-in[^"]*)"', answer.text)
        assert f"/sign-in?next={quote(path, safe='')}" == link
        assert "regression-model" not in answer.text


@pytest.mark.parametrize("path", ["/livez", "/releases", "/api/v1/now", "/static"])
async def test_nobody_is_led_to_a_host_that_only_the_request_names(
    bridge: Bridge, path: str
) -> None:
    """A slash too much would be sent on, act and token, in clear where a proxy ends TLS."""
    named = {**carrying(ROSA), "host": "evil.test"}
    async with asking(bridge, named) as client:
        answer = await client.get(f"{HERE}{path}/")
        assert (404, None) == (answer.status_code, answer.headers.get("location"))


async def test_a_program_is_told_in_problem_details(bridge: Bridge) -> None:
    async with asking(bridge) as client:
        for path in ("/api/v1/releases", "/api/v1/openapi.json", "/api/v1/nothing"):
            answer = await client.get(path)
            told = answer.json()
            assert "application/problem+json" == answer.headers["content-type"]
            assert (401, 401, "sign_in_first") == (
                answer.status_code,
                told["status"],
                told["code"],
            )


@pytest.mark.parametrize("path", ["/", "/livez", "/nothing", "/sign-in", "/api/v1/releases"])
async def test_what_a_browser_may_do_stands_in_every_answer(bridge: Bridge, path: str) -> None:
    for proof in ({}, carrying(ROSA)):
        async with asking(bridge, proof) as client:
            headers = (await client.get(path)).headers
        rules = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
        assert "'none'" == rules.pop("default-src") == rules.pop("frame-ancestors")
        assert "'none'" == rules.pop("base-uri")
        assert {"'self'"} == set(rules.values())
        assert {"script-src", "style-src", "connect-src", "img-src", "form-action"} == rules.keys()
        assert "private, no-cache" == headers["cache-control"]
        assert "same-origin" == headers["cross-origin-resource-policy"]
