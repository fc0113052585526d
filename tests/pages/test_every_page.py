"""What holds for the admin's pages alike: their policy and scripts, a telephone's width, the language."""

from playwright.sync_api import expect

from tests.browser import CHANGELIST

# Its bundle names a picture of its makers' on another server, which the policy keeps it from fetching.
REDOC_LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg"
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
)


def test_pages_do_what_their_policy_allows_and_fit_a_telephone(open_page):
    watched = open_page(width=390)
    for path in PAGES:
        page = watched.open(path)
        assert path == "/docs" or page.evaluate("document.documentElement.scrollWidth") <= 390, path
    page = watched.open(f"{CHANGELIST}1/history/")
    page.locator(".console-history a").last.click()
    page.wait_for_selector("[name=_save]")


def test_the_api_reference_fetches_nothing_from_its_makers(open_page):
    watched = open_page(width=390)
    page = watched.open("/redoc")
    page.locator("h1").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert all(REDOC_LOGO in problem for problem in [*watched.foreign, *watched.complaints])
    watched.foreign.clear()
    watched.complaints.clear()


def test_a_row_is_loaded_and_the_page_follows(open_page):
    page = open_page().open(CHANGELIST)
    row = page.locator("tbody", has=page.locator("text=/^\\s*demo\\s*$/")).first
    load, unload = (row.get_by_role("button", name=f"{name}: demo", exact=True) for name in ("Load", "Unload"))
    if unload.is_visible():  # other tests use it, too
        unload.click()
    load.click()
    page.wait_for_function("document.querySelector('[data-badge=loaded]')?.textContent > 0")
    row.get_by_text("loaded (").wait_for()
    expect(load).to_be_hidden()
    unload.click()
    row.get_by_text("not loaded").wait_for()


def test_the_language_can_be_changed(open_page):
    page = open_page().open("/admin/")
    with page.expect_navigation():
        page.locator("form:has(input[name=language][value=ru])").evaluate("form => form.requestSubmit()")
    assert page.evaluate("document.documentElement.lang") == "ru"
    expect(page.locator("form[action='/admin/logout/']")).to_contain_text("Выйти")
