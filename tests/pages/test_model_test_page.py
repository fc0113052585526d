"""Testing a model in a browser."""

import os
import signal

import httpx
from playwright.sync_api import expect

from tests.browser import CHANGELIST

NARROW = 390


def test_a_model_is_tested_from_its_page(open_page):
    page = open_page().open(CHANGELIST)
    page.get_by_role("link", name="demo", exact=True).click()
    page.get_by_role("link", name="Test model").click()
    page.get_by_role("button", name="Test model").click()
    expect(page.locator("#run-steps li").first).to_contain_text("Greeting: “Hello", timeout=60_000)
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    expect(page.locator("#run-state")).to_have_text("finished", timeout=90_000)
    expect(page.locator("#run-steps li")).to_have_count(8)
    expect(page.locator("#run-badges .badge-yes").first).to_have_text("✓ tools")
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
    page.reload()
    expect(page.locator("table.runs").first).to_contain_text("get_weather")
    page.set_viewport_size({"width": NARROW, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/test-narrow.png", full_page=True)
        page.set_viewport_size({"width": 1280, "height": 900})
        page.screenshot(path=f"{folder}/test.png", full_page=True)
        page.goto(page.url.split("/admin/")[0] + CHANGELIST)
        page.screenshot(path=f"{folder}/list.png", full_page=True)


def test_a_run_is_cancelled(open_page, server):
    chat = {"model": "demo", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}
    httpx.post(f"{server.base_url}/chat/completions", json=chat, timeout=60).raise_for_status()
    page = open_page().open(CHANGELIST)
    page.get_by_role("link", name="demo", exact=True).click()
    page.get_by_role("link", name="Test model").click()
    worker = server.worker_pid()
    os.kill(worker, signal.SIGSTOP)  # the run would be over before the browser looks
    try:
        page.get_by_role("button", name="Test model").click()
        expect(page.locator("#run-state")).to_have_text("running", timeout=60_000)
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator("#run-state")).to_have_text("cancelled", timeout=60_000)
    finally:
        os.kill(worker, signal.SIGCONT)
