"""The list of models in a browser: it fits, with all that can be in a row."""

import pytest
from playwright.sync_api import Page

from tests import live_server
from tests.browser import CHANGELIST

FILL = """
from django.utils import timezone
from registry.models import ModelTest, RegisteredModel
shown = {"tools": True, "json": False, "reasoning": True, "long_context": True, "languages": ["en", "ru"],
         "tokens_per_second": 123.4, "first_token_ms": 1234, "host_bytes": 2**34, "device_bytes": 2**34}
values = {"path": "demo/demo.gguf", "architecture": "granitehybrid", "quantization": "IQ4_XS",
          "trained_context": 131072, "parameter_count": 235 * 10**9, "size_bytes": 2**37, "ctx_size": 131072}
for name in ("qwen3-235b-a22b-instruct-2507", "granite-4.0-h-small"):
    model = RegisteredModel.objects.create(name=name, **values)
    ModelTest.objects.create(model=model, started_at=timezone.now(), seconds=1, state="finished", capabilities=shown)
"""
SCROLL_WIDTHS = """() => {
  const boxes = [...document.querySelectorAll("#changelist .simplebar-content-wrapper")];
  return boxes.map((box) => box.scrollWidth - box.clientWidth);
}"""


@pytest.fixture(scope="module")
def own_server(tmp_path_factory):
    """A server with models of long names that have shown all there is to show."""
    folder = tmp_path_factory.mktemp("model_list")
    live_server.set_up(folder)
    filled = live_server.manage(folder, "shell", "-v0", "-c", FILL)
    assert filled.returncode == 0, filled.stderr
    server = live_server.start(folder)
    yield server
    server.stop()


def beyond(page: Page) -> list[int]:
    """Return by how many pixels the page, and each box in it that scrolls, is wider than it is shown."""
    page.wait_for_function("document.querySelector('#changelist .simplebar-content-wrapper')")
    whole = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [whole, *page.evaluate(SCROLL_WIDTHS)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_list_needs_no_scroll_bar(own_server, open_page, tmp_path, width, scheme, language):
    page = open_page(width, scheme, on=own_server).open(CHANGELIST)
    if language == "ru":
        with page.expect_navigation():
            page.locator("form:has(input[name=language][value=ru])").evaluate("form => form.requestSubmit()")
    page.screenshot(path=f"{tmp_path}/list.png", full_page=True)
    assert set(beyond(page)) == {0}
