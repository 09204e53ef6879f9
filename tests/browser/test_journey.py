"""The whole journey as a newcomer clicks it: the rehearsal anybody can start, and a browser."""

import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.kit import opened

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 600.0
LONG = PATIENCE * 1000
"""For a step of the journey, in ms: a model is trained and an app built, beside other tests."""
ENDED = "(it has ended)"
UNKNOWN = "Nobody knows yet what serves in house-prices."
NO_APPROVAL = "0 of 1 approvals on GitHub; missing from rosa."
PROVEN = re.compile("[Ee]verything that serves is proven")
WAITS = "0.1.1 waits for a person; everything that serves is proven."
CALM = "Everything that serves is proven, and nothing waits for a person."


class Rehearsal:
    """`bridge rehearse --yourself --stay`, and what it says."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "bridge", "rehearse", "--yourself", "--stay"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._said: list[str] = []
        self._reader = threading.Thread(target=self._read, name="rehearsal")
        self._reader.start()

    def says(self, pattern: str) -> str:
        """The next line with this pattern in it: the pattern's group."""
        while True:
            try:
                self._said.append(self._lines.get(timeout=PATIENCE))
            except queue.Empty:
                pytest.fail(f"never said {pattern}:\n{''.join(self._said[-25:])}")
            if found := re.search(pattern, self._said[-1]):
                return found.group(1)
            if self._said[-1] == ENDED:
                pytest.fail(f"ended and never said {pattern}:\n{''.join(self._said[-25:])}")

    def stop(self) -> int:
        """Ctrl-C; the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout
        with self._process.stdout as said:
            for line in said:
                self._lines.put(line)
        self._lines.put(ENDED)


@pytest.fixture
def rehearsal() -> Iterator[Rehearsal]:
    started = Rehearsal()
    yield started
    started.stop()


def reads(
    page: Page, headline: str | re.Pattern[str], serves: str, proven: str, *comes_next: str
) -> None:
    """*Now* comes to say this, by itself."""
    three = page.locator(".three > div")
    for words in comes_next:
        expect(three.nth(2)).to_contain_text(words, timeout=LONG)
    expect(three.nth(0)).to_contain_text(serves, timeout=LONG)
    expect(three.nth(1)).to_contain_text(proven, timeout=LONG)
    expect(page.locator("p.sentence")).to_have_text(headline, timeout=LONG)


def approve_and_merge(page: Page) -> None:
    """On GitHub's page, which looks again by itself until the button is green."""
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("li.success", has_text="rosa approved")).to_be_visible()
    page.get_by_role("button", name="Merge pull request").click(timeout=LONG)
    expect(page.locator(".state")).to_have_text("Merged", timeout=LONG)
    expect(page.locator("body")).to_contain_text("merged by rosa")


def act(page: Page, label: str, why: str) -> None:
    """On a release's page."""
    page.locator("summary", has_text=label).click()
    form = page.locator("details[open]", has=page.get_by_role("button", name=label))
    form.get_by_label("Why").fill(why)
    form.get_by_role("button", name=label).click()
    expect(page.locator(".note.good")).to_contain_text(why)


def test_the_whole_journey_is_clicked_through(browser: Browser, rehearsal: Rehearsal) -> None:
    bridge = rehearsal.says(r"Bridge +(\S+)")
    # Two who look on: one whose page follows the record, and one who switched JavaScript off.
    with opened(browser) as (page, told), opened(browser, scripts=False) as (plain, said):
        page.goto(bridge)
        reads(page, UNKNOWN, "?", "? unknown", "0.1.0", NO_APPROVAL)
        pull = rehearsal.says(r"As rosa, approve and merge (\S+)")
        page.get_by_role("link", name="Pull request #1").click()
        expect(page).to_have_url(pull)
        merge = page.get_by_role("button", name="Merge pull request")
        expect(merge).to_be_disabled()
        expect(page.locator(".acts")).to_contain_text('status check "bridge/gate" is pending')
        approve_and_merge(page)

        page.goto(bridge)
        page.evaluate("() => { window.opened_once = true }")
        reads(page, PROVEN, "0.1.0", "✓ proven")
        reads(page, WAITS, "0.1.0", "✓ proven", "0.1.1", NO_APPROVAL)
        plain.goto(rehearsal.says(r"As rosa, approve and merge (\S+)"))
        approve_and_merge(plain)
        reads(page, CALM, "0.1.1", "✓ proven", "No newer version is on its way.")
        assert page.evaluate("() => window.opened_once")
        rehearsal.says("(Staying)")

        page.locator(".three").get_by_role("link", name="0.1.1").click()
        act(page, "Roll back", "angry customers")
        expect(page.locator("h1")).to_contain_text("rolled back", timeout=LONG)
        expect(page.locator(".note.bad")).to_contain_text("In quarantine")
        release = page.url
        page.goto(bridge)
        reads(page, WAITS, "0.1.0", "✓ proven", "0.1.1", "rolled back", "Pull request #3")
        plain.goto(rehearsal.says(r"As rosa, approve and merge (\S+)"))
        approve_and_merge(plain)
        back = "0.1.1 was rolled back, and main pins 0.1.0 again"
        reads(page, CALM, "0.1.0", "✓ proven", "0.1.1", back, "angry customers")

        plain.goto(release)
        expect(plain.locator(".note.bad")).to_contain_text("In quarantine")
        act(plain, "Lift the quarantine", "they were angry about something else")
        expect(plain.locator(".note.bad")).to_have_count(0)
        page.get_by_role("link", name="Audit").click()
        expect(page.locator("p.sentence")).to_contain_text("each tied to the one before")
        expect(page.locator("p.sentence .mark")).to_have_text("✓ whole")
        assert [] == told + said
    assert 0 == rehearsal.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(bridge, trust_env=False)
