"""The pictures of the docs. PICTURES=docs/pages has them taken anew, into that folder."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.kit import NARROW, Scheme, opened
from tools.storybook.canned import NOW

WANTED = os.environ.get("PICTURES")
LARGEST = 150_000
WIDTH = 1000
PICTURES: dict[str, tuple[str, int, Scheme]] = {
    "now": ("now", WIDTH, "light"),
    "now-trouble": ("now-trouble", WIDTH, "dark"),
    "now-narrow": ("now", NARROW, "light"),
    "releases": ("releases", WIDTH, "light"),
    "release": ("release-proposed", WIDTH, "light"),
    "deliveries": ("deliveries", WIDTH, "light"),
    "numbers": ("numbers", WIDTH, "light"),
    "audit": ("audit", WIDTH, "light"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_page_has_its_picture_taken(
    browser: Browser, book: str, name: str, tmp_path: Path
) -> None:
    state, width, scheme = PICTURES[name]
    taken = (Path(WANTED) if WANTED else tmp_path) / f"{name}.png"
    taken.parent.mkdir(parents=True, exist_ok=True)
    with opened(browser, width, scheme) as (page, told):
        page.clock.set_fixed_time(NOW)
        page.goto(f"{book}/state/{state}")
        page.screenshot(path=taken, full_page=width == NARROW, animations="disabled")
    assert [] == told
    assert LARGEST > taken.stat().st_size > 10_000
