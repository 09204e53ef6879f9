"""A real Chromium, and the storybook for it to look at."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.kit import hosted
from tools.storybook.app import storybook

# A module at a time: Playwright holds the thread's event loop for as long as it is open.


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; where there is none, nothing is looked at."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("Chromium is not installed: the pages are not looked at in a browser")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def book() -> Iterator[str]:
    """The address of the storybook."""
    with hosted(storybook()) as address:
        yield address
