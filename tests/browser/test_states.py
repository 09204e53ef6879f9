"""Every state of every page: nothing that axe calls serious, in light and dark, narrow and wide."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.kit import NARROW, Scheme, opened
from tools.storybook.states import STATES

AXE = (Path(__file__).parent / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOK = """async (rules) => {
  const told = await axe.run(document, { runOnly: rules, resultTypes: ["violations"] });
  return told.violations.filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`);
}"""
TOO_SMALL = """() => [...document.querySelectorAll("a, button, input, select, summary")]
  .filter((one) => one.checkVisibility() && !one.closest(".skip, p, dd, td, th, li, small, h3"))
  .map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
  .filter(([, box]) => box.width && (box.height < 24 || box.width < 24))
  .map(([html, box]) => `${html} ${box.width}x${box.height}`)"""
SIDEWAYS = """() => [...document.querySelectorAll("body *")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".skip"))
  .map((one) => one.outerHTML.slice(0, 100))"""


def faults(page: Page) -> list[str]:
    """What axe calls serious or critical."""
    page.evaluate(AXE)
    found: list[str] = page.evaluate(LOOK, RULES)
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Browser, book: str, scheme: Scheme) -> None:
    found = {}
    with opened(browser, scheme=scheme) as (page, told):
        for name in STATES:
            page.goto(f"{book}/state/{name}")
            page.locator("details").evaluate_all("all => all.forEach((one) => one.open = true)")
            if bad := faults(page):
                found[name] = bad
    assert ({}, []) == (found, told)


def test_axe_would_find_something(browser: Browser, book: str) -> None:
    with opened(browser) as (page, _):
        page.goto(f"{book}/state/now")
        page.evaluate("document.querySelector('.brand img').removeAttribute('alt')")
        page.evaluate("document.documentElement.lang = ''")
        assert ["html-has-lang", "image-alt"] == [one.partition(":")[0] for one in faults(page)]


def test_a_narrow_screen_is_never_moved_sideways(browser: Browser, book: str) -> None:
    found = {}
    with opened(browser, NARROW) as (page, told):
        for name in STATES:
            page.goto(f"{book}/state/{name}")
            page.locator("details").evaluate_all("all => all.forEach((one) => one.open = true)")
            if page.evaluate("document.documentElement.scrollWidth") > NARROW:
                found[name] = page.evaluate(SIDEWAYS)
            if small := page.evaluate(TOO_SMALL):
                found[f"{name}: too small"] = small
    assert ({}, []) == (found, told)


def test_without_scripts_everything_can_be_read(browser: Browser, book: str) -> None:
    with opened(browser, scripts=False) as (page, told):
        for name, state in STATES.items():
            page.goto(f"{book}/state/{name}")
            assert page.locator("h1").count() == 1, name
            assert not page.locator("#live").is_visible()
            assert page.locator("main").inner_text().strip()
            assert state.html()
        page.goto(f"{book}/state/release-proposed")
        page.get_by_text("Roll back").first.click()
        assert page.get_by_label("Why", exact=True).nth(1).is_visible()
    assert [] == told
