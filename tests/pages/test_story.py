"""What an operator does on the first day, in a browser, on a server with a fresh database."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from openai import OpenAI
from playwright.sync_api import expect

from tests import live_server
from tests.live_server import ADMIN_PASSWORD, DEMO, ROOT
from tests.pages.conftest import Watched, reload_until

MAIN_PAGES = {
    "dashboard": "/admin/",
    "models": "/admin/registry/registeredmodel/",
    "add-model": "/admin/models/add/",
    "presets": "/admin/registry/preset/",
    "playground": "/admin/console/playground/",
    "keys": "/admin/access/apikey/",
    "usage": "/admin/console/usage/",
    "requests": "/admin/usage/requestlog/",
    "librechat": "/admin/console/librechat/",
}
VIEWER = """
from django.contrib.auth.models import Group, User
user = User.objects.create_user("viewer", password="{password}", is_staff=True)
user.groups.add(Group.objects.get(name="viewer"))
"""


def set_up(folder) -> str:
    """Do what `make run` does first; return the password it prints."""
    variables = live_server.environment(folder)
    del variables["DJANGO_SUPERUSER_PASSWORD"]
    command = [sys.executable, "manage.py", "setup"]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=120, check=True)
    return re.search(r"the password (\S+) \(shown only now\)", done.stdout)[1]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A server with a folder of one file that is not registered, and the password of `admin`."""
    folder = tmp_path_factory.mktemp("story")
    (folder / "models").mkdir()
    shutil.copy(DEMO, folder / "models" / "first.gguf")
    live_server.write_config(folder, storage={"model_folders": [str(folder / "models")]})
    password = set_up(folder)
    server = live_server.start(folder)
    yield server, password
    server.stop()


@pytest.fixture
def log_in(chromium, fresh):
    """Returns the page of a user; in the end, nothing may have left the host or been an error."""
    server, admin_password = fresh
    opened = []

    def log_in(name="admin", width=1280, scheme="light") -> Watched:
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, locale="en-GB")
        watched = Watched(context.new_page(), server.url)
        watched.watch()
        opened.append((context, watched))
        page = watched.open("/admin/login/?next=/admin/")
        page.fill("input[name=username]", name)
        page.fill("input[name=password]", admin_password if name == "admin" else ADMIN_PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url("**/admin/")
        return watched

    yield log_in
    for context, watched in opened:
        context.close()
        assert not watched.foreign
        assert not watched.complaints


def register_first(site):
    page = site.open("/admin/models/add/")
    page.get_by_role("row").filter(has_text="first.gguf").get_by_role("link", name="Choose").click()
    page.get_by_label("Name").fill("first")
    page.get_by_role("button", name="Register").click()
    page.wait_for_url("**/change/")


def run_action(page, row, value):
    page.get_by_role("row").filter(has_text=row).locator("input.action-select").first.check()
    page.locator("select[name=action]").select_option(value)
    page.locator("button[name=index]").click()


def load_first(site, server):
    page = site.open("/admin/registry/registeredmodel/")
    run_action(page, "first", "load")
    server.wait_for("names['first'] == 'ready'", timeout=60)


def chat(site):
    page = site.open("/admin/console/playground/?model=first")
    expect(page.locator("#context")).to_contain_text("2048")
    page.evaluate(
        """() => { window.lengths = new Set(); new MutationObserver(() => {
          const text = document.querySelector("li.message-assistant .message-text");
          if (text) window.lengths.add(text.textContent.length);
        }).observe(document.getElementById("transcript"), {subtree: true, childList: true, characterData: true}); }"""
    )
    page.fill("#temperature", "0")
    page.fill("#message", "Count to 30.")
    page.press("#message", "Enter")
    text = page.locator("#transcript li.message-assistant .message-text")
    expect(text).to_contain_text("28, 29, 30", timeout=60_000)
    assert page.evaluate("window.lengths.size") > 10


def create_key(site) -> str:
    page = site.open("/admin/access/apikey/add/")
    page.locator("#id_name").fill("story")
    page.get_by_role("button", name="Save", exact=True).click()
    return page.get_by_label("API key", exact=True).input_value()


def test_the_first_day(fresh, log_in):
    server, _ = fresh
    site = log_in()
    register_first(site)
    load_first(site, server)
    chat(site)
    key = create_key(site)
    with OpenAI(base_url=server.base_url, api_key=key, max_retries=0) as client:
        answer = client.chat.completions.create(model="first", messages=[{"role": "user", "content": "Hello"}])
    assert answer.choices[0].message.content
    page = site.open("/admin/")
    tile = page.locator("#dash-report .dash-tiles > div", has_text="Requests").locator("dd").first
    expect(tile).not_to_have_text("0", timeout=20_000)
    expect(page.locator("figure.dash-chart svg").first).to_be_visible()
    page = site.open("/admin/console/usage/?by=model&by=key")
    row = page.locator("tbody tr").filter(has_text=key[:11])
    reload_until(row)
    expect(row).to_contain_text("first")
    page = site.open("/admin/usage/requestlog/")
    expect(page.get_by_role("row").filter(has_text=key[:11]).first).to_contain_text("first")


def make(server, name):
    path = str(server.folder / "models" / "first.gguf")
    done = server.manage("register_model", path, "--name", name)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_preset_is_cloned(fresh, log_in):
    server, _ = fresh
    make(server, "of-presets")
    code = (
        "from registry.models import *;"
        "Preset.objects.create(name='short', model=RegisteredModel.objects.get(name='of-presets'), max_tokens=9)"
    )
    assert server.manage("shell", "-v0", "-c", code).returncode == 0
    page = log_in().open("/admin/registry/preset/")
    run_action(page, "short", "clone")
    page.goto(server.url + "/admin/registry/preset/")
    expect(page.locator("#result_list")).to_contain_text("short-")


def test_a_viewer_has_no_buttons_and_is_refused_behind_them(fresh, log_in):
    server, _ = fresh
    make(server, "only-seen")
    assert server.manage("shell", "-v0", "-c", VIEWER.format(password=ADMIN_PASSWORD)).returncode == 0
    site = log_in("viewer")
    page = site.open("/admin/registry/registeredmodel/")
    expect(page.get_by_role("link", name="only-seen", exact=True).first).to_be_visible()
    expect(page.locator("select[name=action] option[value=load]")).to_have_count(0)
    expect(page.locator("a[href$='/add/']")).to_have_count(0)
    for path in ("/admin/models/add/", "/admin/registry/preset/add/", "/admin/access/apikey/add/"):
        assert page.request.get(server.url + path).status == 403, path


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_main_pages_fit(log_in, tmp_path, width, scheme):
    site = log_in(width=width, scheme=scheme)
    folder = os.environ.get("STORY_SCREENSHOTS", tmp_path)
    for name, path in MAIN_PAGES.items():
        page = site.open(path)
        page.screenshot(path=f"{folder}/{name}-{width}-{scheme}.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
