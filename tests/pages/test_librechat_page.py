"""The LibreChat page in a browser."""

import os

import pytest
import yaml
from playwright.sync_api import expect

PATH = "/admin/console/librechat/"
NARROW = 390


def test_the_file_is_copied_and_downloaded(open_page, server):
    page = open_page().open(PATH)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
    page.locator("[data-copy=config]").click()
    expect(page.locator("#status")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    endpoint = yaml.safe_load(copied)["endpoints"]["custom"][0]
    assert endpoint["baseURL"] == f"http://host.docker.internal:{server.port}/v1"
    assert endpoint["tokenConfig"]["demo"]["context"] == 2048
    with page.expect_download() as download:
        page.get_by_role("link", name="Download", exact=True).click()
    assert download.value.suggested_filename == "librechat.yaml"
    assert download.value.path().read_text() == copied


def test_the_base_url_is_chosen(open_page, server):
    page = open_page().open(PATH)
    page.get_by_role("link", name=f"{server.url}/v1").click()
    expect(page.locator("#config")).to_contain_text(f"baseURL: {server.url}/v1")
    page.fill("#base_url", "https://llm.example.com/v1")
    page.get_by_role("button", name="Use").click()
    expect(page.locator("#config")).to_contain_text("baseURL: https://llm.example.com/v1")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_narrow_page(open_page, scheme):
    page = open_page(NARROW, scheme).open(PATH)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/librechat-{scheme}.png", full_page=True)
