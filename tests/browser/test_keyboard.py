"""Nobody needs a mouse: everything is reached, seen to be reached, and left again, by keys."""

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.kit import opened

PAGES = ["now-trouble", "releases", "release-rolled_back", "deliveries", "numbers", "audit"]
REACHABLE = """() => [...document.querySelectorAll("a[href], button, input, select, summary")]
  .filter((one) => one.checkVisibility()).length"""
HERE = """() => {
  const one = document.activeElement;
  if (one === document.body) return null;
  const style = getComputedStyle(one), box = one.getBoundingClientRect();
  const all = [...document.querySelectorAll("*")];
  return {
    place: all.indexOf(one), what: one.outerHTML.slice(0, 80),
    ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    seen: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
}"""


def walk(page: Page, key: str) -> list[dict[str, object]]:
    """Every stop on the way, once each; ends where the page ends."""
    stops: list[dict[str, object]] = []
    for _ in range(600):
        page.keyboard.press(key)
        here = page.evaluate(HERE)
        if here is None:
            return stops
        if not stops or stops[-1]["place"] != here["place"]:
            stops.append(here)
    raise AssertionError(f"no way out by {key}")


@pytest.mark.parametrize("name", PAGES)
def test_everything_is_reached_by_keys_and_left_again(
    browser: Browser, book: str, name: str
) -> None:
    with opened(browser) as (page, told):
        page.goto(f"{book}/state/{name}")
        stops = walk(page, "Tab")
        assert page.evaluate(REACHABLE) == len({stop["place"] for stop in stops})
        assert [] == [stop["what"] for stop in stops if not (stop["ring"] and stop["seen"])]
        places = [int(str(stop["place"])) for stop in stops]
        assert sorted(places) == places, "the order of the keys is not that of the page"
        back = walk(page, "Shift+Tab")
        assert {int(str(stop["place"])) for stop in back} == set(places)
    assert [] == told


def test_the_first_stop_leads_past_the_menu(browser: Browser, book: str) -> None:
    with opened(browser) as (page, _):
        page.goto(f"{book}/state/now")
        page.keyboard.press("Tab")
        assert "Skip to the content" == page.locator(":focus").inner_text()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_an_act_is_done_by_keys_alone(browser: Browser, book: str) -> None:
    with opened(browser) as (page, _):
        page.goto(f"{book}/state/release-proposed")
        page.locator("summary", has_text="Roll back").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.type("angry customers")
        # Chromium hangs where its context ends while a page is on its way.
        with page.expect_navigation(), page.expect_request("**/rollback") as posted:
            page.keyboard.press("Enter")
        assert ("POST", "reason=angry+customers") == (
            posted.value.method,
            posted.value.post_data,
        )
