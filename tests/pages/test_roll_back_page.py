"""Rolling a change of a model back in a browser: it reaches the engine."""

import httpx
from playwright.sync_api import Page, expect

from tests.browser import CHANGELIST
from tests.live_server import DEMO, LiveServer


def chat(server: LiveServer) -> None:
    body = {"model": "rolled", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}
    assert httpx.post(f"{server.base_url}/chat/completions", json=body, timeout=60).status_code == 200


def parallel(page: Page, server: LiveServer, key: str):
    """Return the row of the loaded engine's table that says how many requests it computes together."""
    page.goto(f"{server.url}{CHANGELIST}{key}/change/")
    return page.locator(".engine-settings tr").filter(has_text="parallel requests").locator("td").first


def test_the_next_request_runs_with_the_old_setting(register, browser, server, open_page):
    key = browser.key(register("rolled", DEMO, "--parallel", "3"))
    page = open_page().page
    chat(server)
    expect(parallel(page, server, key)).to_have_text("3")
    assert server.manage("register_model", str(DEMO), "--name", "rolled", "--parallel", "2").returncode == 0
    chat(server)
    expect(parallel(page, server, key)).to_have_text("2")
    page.goto(f"{server.url}{CHANGELIST}{key}/history/")
    model_history = page.locator(".console-history").first
    model_history.locator("li", has=page.locator("a")).last.locator("a").first.click()
    expect(page.get_by_label("Parallel requests")).to_have_value("3")
    page.get_by_role("button", name="Revert").click()
    expect(page.locator("body")).to_contain_text("changed successfully")
    chat(server)
    expect(parallel(page, server, key)).to_have_text("3")
