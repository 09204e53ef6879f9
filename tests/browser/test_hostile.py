"""Somebody else's words are words: fifty hostile ones in every field of every page."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.kit import hosted, hostile, opened
from tools.storybook.app import storybook

WORDS = (Path(__file__).parent / "hostile.txt").read_text().splitlines()
PAGES = sorted(hostile(""))
HACKED = "window.hacked = () => { window.was_hacked = true; }"
LOOK = """() => ({
  hacked: window.was_hacked === true,
  leads: [...document.querySelectorAll("[href], [src], [action]")]
    .map((one) => String(one.href?.baseVal ?? one.href ?? one.src ?? one.action))
    .filter((url) => !url.startsWith(location.origin) && !/^https?:/.test(url)),
  can: [...document.querySelectorAll("*")].flatMap((one) => [...one.attributes]
    .filter(({ name }) => /^(on|style$|(data-)?hx-)/.test(name))
    .map(({ name }) => `${one.tagName} ${name}`)),
  text: document.querySelector("main").textContent,
})"""


@pytest.fixture(scope="module")
def book() -> Iterator[str]:
    """Every page once for every word."""
    states = {
        f"{name}-{number}": state
        for number, word in enumerate(WORDS)
        for name, state in hostile(word).items()
    }
    with hosted(storybook(states)) as address:
        yield address


def test_there_are_fifty() -> None:
    assert (50, 50) == (len(WORDS), len(set(WORDS)))


@pytest.mark.parametrize("name", PAGES)
def test_hostile_words_are_only_words(browser: Browser, book: str, name: str) -> None:
    with opened(browser) as (page, told):
        page.add_init_script(HACKED)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url.removeprefix(book)))
        for number, word in enumerate(WORDS):
            page.goto(f"{book}/state/{name}-{number}", wait_until="load")
            seen = page.evaluate(LOOK)
            assert word.strip() in seen.pop("text"), word
            assert {"hacked": False, "leads": [], "can": []} == seen, word
        expected = ("/state/", "/static/", "/api/v1/events?after=1")
        assert [] == [url for url in asked if not url.startswith(expected)]
    assert [] == [one for one in told if "api/v1/events" not in one and "404" not in one]
