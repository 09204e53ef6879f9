"""A page that is open keeps up with the record, and says so when it cannot."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import Session

from bridge.bell import Bell
from bridge.bootstrap import Bridge
from bridge.errors import Reason
from bridge.rehearsal.hosting import Hosting
from bridge.release import Release
from bridge.store import record
from bridge.web.app import create_app
from tests.bridge_kit import NOW, begin, settings
from tests.browser.kit import opened

SOON = 15_000


class Town:
    """A bridge that is served, and a hand that writes into its record."""

    def __init__(self, folder: Path) -> None:
        self.bridge = Bridge(settings(folder))
        self.bridge.store.migrate()
        self.hosting = Hosting()
        listening, self.address = self.hosting.reserve()
        self.bell = Bell(self.bridge.store)
        self.hosting.serve(create_app(self.bridge, bell=self.bell), listening)

    def announce(self, version: str) -> int:
        def work(session: Session) -> int:
            return begin(session, version).key

        return self.hosting.submit(self.bridge.store.write(work)).result(timeout=10)

    def note(self, key: int, sentence: str) -> None:
        """Another reason for the same stage."""

        def work(session: Session) -> None:
            row = session.get(Release, key)
            assert row is not None
            reason = Reason("looking_again", sentence)
            row.code, row.sentence = reason.code, reason.sentence
            record.append(
                session, row, "note", row.stage, reason, actor="bridge", occurred_at=NOW, now=NOW
            )

        self.hosting.submit(self.bridge.store.write(work)).result(timeout=10)

    def close(self) -> None:
        self.bell.close()
        self.hosting.stop()
        self.bridge.store.close()


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.close()


def ready(page: Page) -> None:
    """Wait until it listens."""
    expect(page.locator("#live-said")).to_contain_text("Up to date", timeout=SOON)


def test_a_page_follows_the_record(browser: Browser, town: Town) -> None:
    with opened(browser) as (page, told):
        page.goto(f"{town.address}/")
        ready(page)
        expect(page.locator("main")).to_contain_text("No newer version is on its way")
        town.announce("0.1.0")
        expect(page.locator(".three")).to_contain_text("0.1.0", timeout=SOON)
        expect(page.locator("#live-said")).to_contain_text("regression-model 0.1.0")
        assert page.title().startswith(("?", "…"))
    assert [] == told


def test_what_a_person_is_doing_stays(browser: Browser, town: Town) -> None:
    first = town.announce("0.1.0")
    with opened(browser) as (page, told):
        page.goto(f"{town.address}/releases")
        ready(page)
        page.get_by_label("Version").fill("0.1")
        town.announce("0.2.0")
        expect(page.locator("table")).to_contain_text("0.2.0", timeout=SOON)
        assert "0.1" == page.locator(":focus").input_value()
        page.goto(f"{town.address}/releases/{first}")
        ready(page)
        page.locator("summary", has_text="Raw").first.click()
        town.note(first, "Another sentence.")
        expect(page.locator("p.sentence")).to_have_text("Another sentence.", timeout=SOON)
        assert page.locator("td details").first.evaluate("(one) => one.open")
    assert [] == told


def test_a_release_does_not_care_for_another(browser: Browser, town: Town) -> None:
    first, second = town.announce("0.1.0"), town.announce("0.2.0")
    with opened(browser) as (page, _):
        looks: list[str] = []
        page.goto(f"{town.address}/releases/{first}")
        ready(page)
        page.on(
            "request", lambda one: looks.append(one.url) if one.url.endswith(f"/{first}") else None
        )
        town.note(second, "Elsewhere.")
        page.wait_for_timeout(2000)
        assert len(looks) <= 1  # the beat at the beginning
        town.note(first, "Here.")
        expect(page.locator("p.sentence")).to_have_text("Here.", timeout=SOON)


def test_a_pause_is_a_pause_and_lasts(browser: Browser, town: Town) -> None:
    with opened(browser) as (page, _):
        page.goto(f"{town.address}/releases")
        ready(page)
        page.get_by_role("button", name="Pause updates").click()
        expect(page.locator("#live-said")).to_contain_text("Paused")
        town.announce("0.1.0")
        page.wait_for_timeout(2000)
        expect(page.locator("main")).not_to_contain_text("0.1.0")
        page.reload()
        expect(page.locator("#live-said")).to_contain_text("Paused")
        page.get_by_role("button", name="Go on updating").click()
        town.announce("0.2.0")
        expect(page.locator("table")).to_contain_text("0.2.0", timeout=SOON)


def test_without_a_stream_it_looks_again_and_again(browser: Browser, town: Town) -> None:
    with opened(browser) as (page, _):
        page.route("**/api/v1/events*", lambda route: route.abort())
        page.goto(f"{town.address}/releases")
        expect(page.locator("#live-said")).to_contain_text("every few seconds", timeout=SOON)
        statuses: list[int] = []
        page.on("response", lambda answer: statuses.append(answer.status))
        town.announce("0.1.0")
        expect(page.locator("table")).to_contain_text("0.1.0", timeout=SOON)
        page.wait_for_timeout(6000)
        assert 304 in statuses


def test_a_page_that_hears_nothing_says_how_old_it_is(browser: Browser, town: Town) -> None:
    with opened(browser) as (page, _):
        page.clock.install()
        page.goto(f"{town.address}/")
        ready(page)
        page.route("**/*", lambda route: route.abort())
        town.bell.close()
        page.clock.run_for(200_000)
        expect(page.locator("#live-said")).to_contain_text("Nobody answers. Last update 3 min ago")
        assert "stale" in str(page.locator("#live").get_attribute("class"))


def test_times_are_told_as_one_likes(browser: Browser, town: Town) -> None:
    town.announce("0.1.0")
    with opened(browser) as (page, told):
        page.goto(f"{town.address}/releases")
        time = page.locator("td time").first
        moment = "2026-11-23 09:00:00 UTC"
        page.get_by_label("Times").select_option("UTC")
        expect(time).to_have_text(moment)
        page.get_by_label("Times").select_option("local")
        expect(time).to_have_text("Nov 23, 2026, 10:00:00 AM")
        assert moment in str(time.get_attribute("title"))
        page.reload()
        expect(time).to_have_text("Nov 23, 2026, 10:00:00 AM")
    assert [] == told


def test_an_act_is_done_by_its_button(browser: Browser, town: Town) -> None:
    key = town.announce("0.1.0")
    with opened(browser) as (page, told):
        page.goto(f"{town.address}/releases/{key}")
        page.locator("summary", has_text="Put into quarantine").click()
        act = page.locator("details[open]")
        act.get_by_label("Why").fill("a bad feeling <b>")
        act.get_by_role("button").click()
        expect(page.locator(".note.good")).to_contain_text("a bad feeling <b>")
        expect(page.locator(".note.bad")).to_contain_text("In quarantine")
        page.locator("summary", has_text="Lift the quarantine").click()
        act = page.locator("details[open]")
        act.get_by_label("Why").fill("it went away")
        page.keyboard.press("Enter")
        expect(page.locator(".note.good")).to_contain_text("it went away")
        expect(page.locator(".note.bad")).to_have_count(0)
        page.goto(f"{town.address}/")
        page.locator(".tile summary", has_text="Pause").click()
        page.locator("details[open]").get_by_label("Why").fill("lunch")
        page.keyboard.press("Enter")
        expect(page.locator(".tile .note").first).to_contain_text("lunch")
    assert [] == told
