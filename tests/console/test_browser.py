"""The admin in a real browser: what its policy and scripts make of it."""

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.browser import CHANGELIST
from tests.live_server import ADMIN_PASSWORD

ARGUMENTS = ("no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking")
# Its bundle names a picture of its makers' on another server, which the policy keeps it from fetching.
REDOC_LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg"


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=[f"--{argument}" for argument in ARGUMENTS]
        )
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, server):
    """A page of somebody who is logged in; `page.problems` is what went wrong on it."""
    page = chromium.new_page()
    page.problems = []
    page.on("console", lambda message: message.type == "error" and page.problems.append(message.text))
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("request", lambda request: page.problems.extend(_foreign(request.url, server.url)))
    page.goto(f"{server.url}/admin/login/")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", ADMIN_PASSWORD)
    page.click("[type=submit]")
    page.wait_for_selector("#nav-sidebar")
    yield page
    page.close()


def _foreign(url: str, own: str) -> list[str]:
    return [] if url.startswith((own, "data:", "blob:")) else [url]


PAGES = (
    "/admin/",
    CHANGELIST,
    f"{CHANGELIST}add/",
    f"{CHANGELIST}1/change/",
    f"{CHANGELIST}1/history/",
    f"{CHANGELIST}1/delete/",
    "/admin/registry/preset/add/",
    "/admin/access/apikey/add/",
    "/admin/auth/user/1/change/",
    "/docs",
    "/redoc",
)


def test_pages_do_what_their_policy_allows_and_fit_a_telephone(page: Page, server):
    page.set_viewport_size({"width": 390, "height": 844})
    for path in PAGES:
        page.goto(server.url + path, wait_until="load")
        page.wait_for_function("document.readyState === 'complete'")
        assert path == "/docs" or page.evaluate("document.documentElement.scrollWidth") <= 390, path
    page.goto(f"{server.url}{CHANGELIST}1/history/")
    page.locator(".console-history a").last.click()
    page.wait_for_selector("[name=_save]")
    assert [problem for problem in page.problems if REDOC_LOGO not in problem] == []


def test_a_row_is_loaded_and_the_page_follows(page: Page, server):
    page.goto(server.url + CHANGELIST)
    row = page.locator("tbody", has=page.locator("text=/^\\s*demo\\s*$/")).first
    if (unload := row.get_by_role("button", name="Unload: demo")).is_visible():  # other tests use it, too
        unload.click()
    row.get_by_role("button", name="Load: demo", exact=True).click()
    page.wait_for_function("document.querySelector('[data-badge=loaded]').textContent > 0")
    row.get_by_text("loaded (").wait_for()
    row.get_by_role("button", name="Unload: demo").click()
    row.get_by_text("not loaded").wait_for()


def test_the_language_can_be_changed(page: Page, server):
    page.goto(f"{server.url}/admin/")
    switch = page.locator("form:has(input[name=language][value=ru])")
    with page.expect_navigation():
        switch.evaluate("form => form.requestSubmit()")
    assert page.evaluate("document.documentElement.lang") == "ru"
    assert "Выйти" in page.content()
