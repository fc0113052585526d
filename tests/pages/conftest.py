"""Fixtures for the tests that look at pages with a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser_page import WIDE, Watch, log_in, start_browser, watched_page
from tests.live_server import LiveServer


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = start_browser(playwright)
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport=WIDE, locale="en-US")
    yield context
    context.close()


@pytest.fixture
def watched(context: BrowserContext, server: LiveServer) -> Iterator[tuple[Page, Watch]]:
    """The page and its watch, for tests that provoke an error."""
    with watched_page(context, server) as (page, watch):
        log_in(page, server)
        yield page, watch


@pytest.fixture
def page(watched: tuple[Page, Watch]) -> Page:
    """A page of the logged-in administrator; anything that goes wrong on it fails the test."""
    return watched[0]
