"""The pages as the bridge answers: nothing new is cheap, trouble is told in plain words."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlmodel import Session

from bridge.bootstrap import Bridge
from bridge.release import Stage
from bridge.web.app import create_app
from bridge.web.files import address
from tests.bridge_kit import NOW, a_bridge, begin, keep, told
from tests.web_kit import Page, get, placed

PAGES = [
    *("/", "/releases", "/releases/1", "/deliveries", "/deliveries/out", "/drift"),
    *("/metrics-board", "/audit"),
]


@pytest.fixture
async def bridge(tmp_path: Path) -> AsyncIterator[Bridge]:
    async with a_bridge(tmp_path) as made:
        yield made


@pytest.fixture
async def client(bridge: Bridge) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(bridge), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as made:
        yield made


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_sent_again_only_when_something_was_written(
    bridge: Bridge, client: httpx.AsyncClient, path: str
) -> None:
    await placed(bridge, "0.1.0", Stage.PROPOSED)
    first = await client.get(path)
    assert (200, True) == (first.status_code, first.headers["etag"].startswith('W/"'))
    asked = {"if-none-match": first.headers["etag"]}
    again = await client.get(path, headers=asked)
    assert (304, b"") == (again.status_code, again.content)
    await bridge.store.write(lambda session: begin(session, "0.2.0").key)
    after = await client.get(path, headers=asked)
    assert 200 == after.status_code
    assert first.headers["etag"] != after.headers["etag"]


async def test_a_page_that_tells_how_long_ago_is_sent_again_a_minute_later(
    bridge: Bridge, client: httpx.AsyncClient
) -> None:
    """Without JavaScript nothing else keeps "5 s ago" right, nor takes away what was just done."""
    await placed(bridge, "0.1.0", Stage.PROPOSED)
    first = await client.get("/")
    asked = {"if-none-match": first.headers["etag"]}
    bridge.clock = lambda: NOW + timedelta(seconds=59)
    assert 304 == (await client.get("/", headers=asked)).status_code
    bridge.clock = lambda: NOW + timedelta(seconds=60)
    after = await client.get("/", headers=asked)
    assert (200, True) == (after.status_code, first.text != after.text)


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_leads_to_its_twin(
    bridge: Bridge, client: httpx.AsyncClient, path: str
) -> None:
    await placed(bridge, "0.1.0", Stage.PROPOSED)
    (twin,) = [one for one in Page((await client.get(path)).text).links if "/api/" in one]
    answer = await client.get(twin)
    assert (200, "application/json") == (answer.status_code, answer.headers["content-type"])


async def test_an_empty_field_of_a_form_asks_for_nothing(client: httpx.AsyncClient) -> None:
    for path in ("/releases", "/audit"):
        assert (
            200
            == (
                await client.get(f"{path}?pipeline=&stage=&actor=&version=&from=&to=&at=&kind=")
            ).status_code
        )


async def test_the_filters_stand_in_the_address_and_in_the_form(
    bridge: Bridge, client: httpx.AsyncClient
) -> None:
    def work(session: Session) -> None:
        for number in range(3):
            row = begin(session, f"0.{number}")
            row.created_at = row.since = NOW + timedelta(days=number)
            row.stage = Stage.FAILED if number == 2 else Stage.PROPOSED
            session.add(row)

    await bridge.store.write(work)

    async def shown(query: str) -> set[str]:
        page = (await client.get(f"/releases?{query}")).text
        return set(re.findall(r"regression-model (0\.\d)\">\1<", page))

    assert {"0.0", "0.1"} == await shown("stage=proposed")
    assert {"0.1"} == await shown("version=0.1&stage=proposed")
    assert {"0.1"} == await shown("from=2026-11-24&to=2026-11-24")
    assert set() == await shown("pipeline=other")
    page = (await client.get("/releases?stage=proposed&actor=a%22b&to=2026-11-24")).text
    assert '<option value="proposed" selected>' in page
    assert 'name="actor" value="a&#34;b"' in page
    assert "/api/v1/releases?stage=proposed&amp;actor=a%22b&amp;to=2026-11-25" in page
    assert "No release matches" in page


async def test_now_shows_what_serves_what_comes_and_what_failed(
    bridge: Bridge, client: httpx.AsyncClient
) -> None:
    await placed(bridge, "0.1.0", Stage.FAILED, "Heroku could not build it.")
    await placed(bridge, "0.2.0", Stage.PROPOSED, "Pull request #7 waits for a person.")
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", (await client.get("/")).text))
    assert "no version was verified here" in page
    assert "0.2.0 ◑ proposed Pull request #7 waits for a person." in page
    assert "0.1.0 did not arrive: ✗ failed" in page


async def test_deliveries_are_shown_with_what_became_of_them(
    bridge: Bridge, client: httpx.AsyncClient
) -> None:
    await keep(bridge.store, told("made-up-1", "ab" * 32))
    page = (await client.get("/deliveries")).text
    assert "✓ accepted" in page
    assert "accepted" not in (await client.get("/deliveries?state=parked")).text


@pytest.mark.parametrize(
    ("path", "status", "words", "onward"),
    [
        ("/releases/99", 404, "There is no release 99.", "Check the number"),
        ("/nothing", 404, "There is no page at this address", "Check the number"),
        ("/releases?stage=x", 422, "in a way that cannot be read", "Mend the address"),
        ("/releases?from=yesterday", 422, "<strong>from</strong>", "Mend the address"),
        ("/releases?after=x", 422, "<strong>after</strong>", "Mend the address"),
        ("/metrics-board?days=0", 422, "<strong>days</strong>", "Mend the address"),
        ("/audit?at=then", 422, "<strong>at</strong>", "Mend the address"),
    ],
)
async def test_trouble_is_told_with_the_way_on(
    client: httpx.AsyncClient, path: str, status: int, words: str, onward: str
) -> None:
    answer = await client.get(path)
    assert status == answer.status_code
    assert answer.headers["content-type"].startswith("text/html")
    assert words in answer.text
    assert onward in answer.text
    assert {"/", "/releases", "/deliveries"} <= set(Page(answer.text).links)


async def test_a_page_that_breaks_says_so_and_no_more(
    bridge: Bridge, client: httpx.AsyncClient
) -> None:
    key = await placed(bridge, "0.1.0", Stage.PROPOSED)
    await bridge.store.write(
        lambda session: session.execute(
            text('UPDATE release SET facts = \'{"size": "secret"}\' WHERE id = 1')
        )
    )
    answer = await client.get(f"/releases/{key}")
    assert 500 == answer.status_code
    assert "could not make this page" in answer.text
    assert "secret" not in answer.text
    twin = await client.get(f"/api/v1/releases/{key}")
    assert (500, "application/problem+json") == (twin.status_code, twin.headers["content-type"])


async def test_files_are_kept_for_ever_under_an_address_of_their_own(bridge: Bridge) -> None:
    links = Page((await get(bridge, "/")).text).links
    files = [link for link in links if link.startswith("/static/")]
    assert 4 <= len(set(files))
    for file in files:
        answer = await get(bridge, file)
        assert 200 == answer.status_code
        assert "immutable" in answer.headers["cache-control"]
        assert "nosniff" == answer.headers["x-content-type-options"]


async def test_a_file_is_kept_for_ever_only_under_the_address_of_its_content(
    client: httpx.AsyncClient,
) -> None:
    """Also while a newer bridge and an older one answer in turn, and on the page to sign in."""
    for where, is_kept in ((address("bridge.css"), True), ("/static/bridge.css?abc", False)):
        assert is_kept == ("immutable" in (await client.get(where)).headers["cache-control"])
    refused = await client.get("/", headers={"x-forwarded-for": "192.0.2.7"})
    assert (403, True) == (refused.status_code, address("bridge.css") in refused.text)
