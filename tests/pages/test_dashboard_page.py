"""The dashboard in a browser, on a running server with the demo model."""

import httpx
import pytest
from playwright.sync_api import expect

from tests.live_server import LiveServer, wait_until
from tests.pages.conftest import reload_until

HELLO = {"role": "user", "content": "Hello"}
CHAT = {"model": "demo", "messages": [HELLO], "max_tokens": 5}
LONG = {"model": "demo", "messages": [HELLO], "stream": True, "ignore_eos": True, "max_tokens": 1500}


@pytest.fixture
def unloaded(server: LiveServer) -> None:
    """No model is in memory, whatever other tests have asked for."""
    with httpx.Client(base_url=server.base_url, headers=server.operator, timeout=60) as http:

        def is_empty() -> bool:
            models = http.get("/pool").json()["models"]
            for model in models:
                http.post(f"/models/{model['name']}/unload")  # one that was deleted goes by itself
            return not models

        wait_until(is_empty)


def test_it_follows_a_model_that_is_loaded_and_used(server, unloaded, open_page):
    page = open_page().open("/admin/")
    expect(page.locator("#dash-connection")).to_have_text("live")
    expect(page.locator("#dash-no-models")).to_be_visible()
    httpx.post(f"{server.base_url}/chat/completions", json=CHAT, timeout=60)
    row = page.locator("#dash-models tbody tr").filter(has_text="demo")
    expect(row.locator("[data-part=state]")).to_have_text("loaded")
    expect(page.locator("[data-tile=loaded]")).to_have_text("1")
    with httpx.stream("POST", f"{server.base_url}/chat/completions", json=LONG, timeout=60):
        expect(row.locator("[data-part=running]")).to_have_text("1")
        expect(page.locator("[data-tile=speed]")).not_to_have_text("0")
    expect(page.locator("[data-tile=running]")).to_have_text("0")
    expect(page.locator("[data-tile=speed]")).to_have_text("0")
    assert page.locator("#dash-memory progress").first.get_attribute("value") != "0"


def test_its_sums_and_charts_follow_without_loading_it_anew(server, open_page):
    page = open_page().open("/admin/")
    expect(page.locator("#dash-connection")).to_have_text("live")
    page.evaluate("window.isTheSamePage = true")
    tile = page.locator("#dash-report .dash-tiles > div", has_text="Requests").locator("dd").first
    before = int(tile.text_content())
    httpx.post(f"{server.base_url}/chat/completions", json=CHAT, timeout=60)
    expect(tile).to_have_text(str(before + 1), timeout=20_000)
    expect(page.locator("figure.dash-chart svg").first).to_be_visible()
    assert page.evaluate("window.isTheSamePage")


def test_an_error_is_shown_and_leads_to_its_request(server, open_page):
    body = {**CHAT, "temperature": 17}
    assert httpx.post(f"{server.base_url}/chat/completions", json=body, timeout=60).status_code == 400
    page = open_page().open("/admin/")
    error = page.locator(".dash-errors li").filter(has_text="temperature").first
    expect(error).to_be_visible(timeout=20_000)
    error.locator("a").click()
    expect(page.locator("body")).to_contain_text("/v1/chat/completions")


def test_a_chart_can_be_read_as_a_table_with_the_keyboard(server, open_page):
    httpx.post(f"{server.base_url}/chat/completions", json=CHAT, timeout=60)
    page = open_page().open("/admin/")
    summary = page.locator("figure.dash-chart summary").first
    reload_until(summary)
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator("figure.dash-chart details table").first).to_be_visible()


@pytest.mark.parametrize("path", ["/admin/", "/admin/console/usage/", "/admin/usage/requestlog/"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(server, open_page, path, scheme):
    page = open_page(width=390, scheme=scheme).open(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_usage_is_downloaded_as_csv(server, open_page):
    httpx.post(f"{server.base_url}/chat/completions", json=CHAT, timeout=60)
    page = open_page().open("/admin/console/usage/?by=day&by=model")
    reload_until(page.locator("tbody th", has_text="demo"))
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    rows = download.value.path().read_text().splitlines()
    assert rows[0].startswith("day,model,key_prefix")
    assert any(",demo," in row for row in rows[1:])
