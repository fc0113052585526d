"""Adding models in a browser: from a folder, and from a hub of the tests' own."""

import shutil
import threading

import pytest
from playwright.sync_api import expect

from tests import live_server
from tests.file_server import FileServer
from tests.live_server import DEMO
from tests.registry.hub_server import HubServer

CONTENT = DEMO.read_bytes()


class StalledHub:
    """A hub whose one file stops coming after a quarter, until it is released."""

    def __init__(self, server):
        self.server, self.release = server, threading.Event()
        files = HubServer(server).add_repo("owner/m-GGUF", {"m-F16.gguf": CONTENT})
        self.file = files["m-F16.gguf"]
        self.file.pause = (len(CONTENT) // 4, lambda: self.release.wait(60))

    def let_go(self):
        self.file.pause = None
        self.release.set()


@pytest.fixture(scope="module")
def hub():
    with FileServer() as server:
        hub = StalledHub(server)
        yield hub
        hub.let_go()


@pytest.fixture(scope="module")
def own_server(tmp_path_factory, hub):
    """A server with a model folder of its own, which has one file."""
    folder = tmp_path_factory.mktemp("add_model")
    (folder / "models").mkdir()
    shutil.copy(DEMO, folder / "models" / "copy.gguf")
    storage = {"model_folders": [str(folder / "models")]}
    live_server.set_up(folder, storage=storage, downloads={"allowed_hosts": ["127.0.0.1"]})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", hub.server.url)
        server = live_server.start(folder)
    yield server
    server.stop()


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_a_file_of_a_folder_is_registered(own_server, open_page, width, scheme):
    page = open_page(width, scheme, on=own_server).open("/admin/registry/registeredmodel/add/")
    page.get_by_role("row").filter(has_text="copy.gguf").get_by_role("link", name="Choose").click()
    estimate = page.locator("[data-estimate]")
    expect(estimate).to_have_attribute("data-level", "ok", timeout=60_000)
    first = estimate.inner_text()
    page.get_by_label("Context size").fill("128")
    expect(estimate).not_to_have_text(first)
    expect(estimate).to_have_attribute("data-level", "ok", timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width < 1000:
        return
    page.get_by_label("Name").fill("from-folder")
    page.get_by_role("button", name="Register").click()
    page.wait_for_url("**/change/")
    expect(page.locator("[data-estimate]")).to_have_attribute("data-level", "ok", timeout=60_000)


def test_a_model_is_downloaded_paused_resumed_and_registered(own_server, open_page, hub):
    page = open_page(on=own_server).open("/admin/models/add/")
    page.get_by_label("Repository").fill("owner/m-GGUF")
    page.get_by_role("button", name="List its files").click()
    page.get_by_label("m-F16.gguf").check()
    page.get_by_role("button", name="Download the chosen file").click()
    state = page.locator("[data-part=state]")
    expect(page.locator("[data-part=text]")).to_contain_text("25 %", timeout=30_000)
    expect(state).to_have_text("running")
    page.get_by_role("button", name="Pause").click()
    hub.let_go()
    expect(state).to_have_text("paused", timeout=30_000)
    page.get_by_role("button", name="Resume").click()
    expect(state).to_have_text("done", timeout=30_000)
    page.get_by_role("link", name="Register").click()
    page.get_by_role("button", name="Register").click()
    page.wait_for_url("**/change/")
    ranges = [
        headers.get("Range") for method, path, headers in hub.server.requests if method == "GET" and "resolve" in path
    ]
    assert ranges[0] is None
    assert ranges[1].startswith("bytes=")
    assert (own_server.folder / "models" / "owner" / "m-GGUF" / "m-F16.gguf").read_bytes() == CONTENT
