"""A real browser for the tests of pages."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Locator, Page, sync_playwright

from tests.live_server import ADMIN_PASSWORD, LiveServer, wait_until

ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


# Not for the whole session: as long as it runs, no test with an event loop of its own can.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(ARGUMENTS))
        yield browser
        browser.close()


@dataclass
class Watched:
    """A page of the administrator's, and what it should never do."""

    page: Page
    url: str
    foreign: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        self.page.goto(self.url + path)
        return self.page

    def watch(self) -> None:
        self.page.on("request", self._note_request)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._note_console)
        self.page.on("requestfailed", self._note_failure)
        self.page.on("response", self._note_response)

    def _note_console(self, said: object) -> None:
        if said.type == "error" and not said.location["url"].endswith("/favicon.ico"):
            self.complaints.append(said.text)

    def _note_failure(self, request: object) -> None:
        # A stream that the page itself ends, or that ends with the page, counts as aborted.
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"{request.url}: {request.failure}")

    def _note_response(self, response: object) -> None:
        if response.status >= 400 and not response.url.endswith("/favicon.ico"):
            self.complaints.append(f"{response.url}: {response.status}")

    def _note_request(self, request: object) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.foreign.append(request.url)


@pytest.fixture
def open_page(chromium: Chromium, server: LiveServer) -> Iterator[Callable[..., Watched]]:
    """Returns a logged-in administrator's page of a width, light or dark.

    When the test ends, nothing may have left the host, and nothing may have been an error.
    """
    opened: list[tuple[BrowserContext, Watched]] = []

    def open_page(width: int = 1280, scheme: str = "light", on: LiveServer = server) -> Watched:
        viewport = {"width": width, "height": 900}
        context = chromium.new_context(viewport=viewport, color_scheme=scheme, locale="en-GB")
        watched = Watched(context.new_page(), on.url)
        watched.watch()
        opened.append((context, watched))
        page = watched.open("/admin/login/?next=/admin/")
        page.fill("input[name=username]", "admin")
        page.fill("input[name=password]", ADMIN_PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url("**/admin/")
        return watched

    yield open_page
    for context, watched in opened:
        context.close()
        assert not watched.foreign
        assert not watched.complaints


def reload_until(locator: Locator) -> None:
    """Load the page again until it has something: what the log writes of a request comes a moment after its answer."""
    wait_until(lambda: locator.count() or not locator.page.reload())
