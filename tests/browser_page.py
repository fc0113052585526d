"""A real browser on the live server. Whatever goes wrong on a page fails the test that looks at it."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Request, Response

from tests.live_server import ADMIN_PASSWORD, LiveServer

OPTIONS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
NARROW = {"width": 390, "height": 844}
WIDE = {"width": 1280, "height": 900}


def start_browser(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(OPTIONS))


class Watch:
    """Collects what goes wrong on a page: its own errors, failed requests, and requests to any other host.

    `allow` takes a part of a message that a test provokes.
    """

    def __init__(self, page: Page, url: str) -> None:
        self._url = url
        self._problems: list[str] = []
        self._allowed: list[str] = []
        page.on("console", lambda message: self._note(f"console: {message.text}", message.type == "error"))
        page.on("pageerror", lambda error: self._note(f"script: {error}"))
        page.on("request", self._check_host)
        page.on("requestfailed", self._check_failed)
        page.on("response", self._check_response)

    @property
    def problems(self) -> list[str]:
        return [text for text in self._problems if not any(part in text for part in self._allowed)]

    def allow(self, *parts: str) -> None:
        self._allowed += parts

    def _note(self, text: str, is_problem: bool = True) -> None:
        if is_problem:
            self._problems.append(text)

    def _check_host(self, request: Request) -> None:
        self._note(f"elsewhere: {request.url}", not request.url.startswith((self._url, "data:", "blob:")))

    def _check_failed(self, request: Request) -> None:
        # A stream that the page itself ends, when it is stopped or left, counts as aborted.
        self._note(f"failed: {request.url} {request.failure}", request.failure != "net::ERR_ABORTED")

    def _check_response(self, response: Response) -> None:
        self._note(f"{response.status}: {response.url}", response.status >= 400)


@contextmanager
def watched_page(context: BrowserContext, server: LiveServer) -> Iterator[tuple[Page, Watch]]:
    """Give a page, and fail if anything went wrong on it."""
    page = context.new_page()
    page.set_default_timeout(20_000)
    watch = Watch(page, server.url)
    yield page, watch
    page.close()
    assert not watch.problems, watch.problems


def log_in(page: Page, server: LiveServer, name: str = "admin", password: str = ADMIN_PASSWORD) -> None:
    page.goto(f"{server.url}/admin/login/")
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(f"{server.url}/admin/")
