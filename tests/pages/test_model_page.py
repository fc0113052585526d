"""A model's own page in a browser: what the model does, and its buttons."""

import httpx
from playwright.sync_api import expect

from tests.browser import CHANGELIST

NAMES = ("Load", "Unload", "Enable", "Disable")


def test_its_buttons_load_unload_disable_and_enable_it(register, browser, open_page):
    page = open_page().open(f"{CHANGELIST}{browser.key(register('page-buttons'))}/change/")
    state = page.locator(".console-state [role=status]")
    buttons = {name: page.get_by_role("button", name=f"{name}: page-buttons", exact=True) for name in NAMES}
    expect(state).to_have_text("State: not loaded")
    buttons["Load"].click()
    expect(state).to_contain_text("State: loaded (", timeout=60_000)
    expect(buttons["Load"]).to_be_hidden()
    buttons["Unload"].click()
    expect(page.get_by_text("1 model was unloaded.")).to_be_visible()
    expect(state).to_have_text("State: not loaded")
    buttons["Disable"].click()
    expect(page.get_by_text("Disabled now: 1.")).to_be_visible()
    expect(buttons["Load"]).to_have_count(0)
    buttons["Enable"].click()
    expect(buttons["Load"]).to_be_visible()


def test_it_follows_what_happens_elsewhere(register, browser, server, open_page):
    name = register("page-state")
    page = open_page().open(f"{CHANGELIST}{browser.key(name)}/change/")
    page.evaluate("window.isTheSamePage = true")
    unload = page.get_by_role("button", name=f"Unload: {name}")
    expect(unload).to_be_hidden()
    body = {"model": name, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}
    assert httpx.post(f"{server.base_url}/chat/completions", json=body, timeout=60).status_code == 200
    expect(unload).to_be_visible()
    browser.act("unload", name)
    expect(unload).to_be_hidden()
    assert page.evaluate("window.isTheSamePage")
