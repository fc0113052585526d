"""The admin's live part: the state column and the actions that load and unload."""

import json
import re
from collections.abc import Iterator

import httpx
import pytest

from inference.pool import pool
from registry.models import RegisteredModel
from tests.browser import CHANGELIST, Browser
from tests.live_server import DEMO

HELLO = {"role": "user", "content": "Hello"}
LONG = {"model": "demo", "messages": [HELLO], "stream": True, "ignore_eos": True, "max_tokens": 1500}


def test_an_operator_loads_and_unloads_a_model(server, browser):
    browser.act("unload")
    assert browser.state() == "not loaded"
    assert "1 model is loading." in browser.act("load")
    server.wait_for("names.get('demo') == 'ready'")
    assert re.fullmatch(r"loaded \([\d.]+ MiB\), 0 running, 0 waiting", browser.state())
    assert "1 model was unloaded." in browser.act("unload")
    assert browser.state() == "not loaded"
    assert "0 models were unloaded." in browser.act("unload")


def test_the_page_of_a_model_shows_what_its_engine_runs_with(server, browser):
    browser.act("load")
    server.wait_for("names.get('demo') == 'ready'")
    url = f"{CHANGELIST}{_key(browser, 'demo')}/change/"
    rows = dict(re.findall(r'<th scope="row">([^<]+)</th><td>(.*?)</tr>', browser.http.get(url).text))
    assert rows["KV layout"] == "partitioned</td><td>automatically</td>"
    assert rows["parallel requests"] == "8</td><td></td>"
    assert rows["kind of memory"].startswith("attention<")
    assert rows["devices"].startswith("CPU<")
    browser.act("unload")
    assert "What this engine runs with" not in browser.http.get(url).text


def test_disabling_a_model_unloads_it_and_hides_it(server, browser):
    browser.act("load")
    server.wait_for("names.get('demo') == 'ready'")
    try:
        browser.act("disable")
        server.wait_for("'demo' not in names")
        assert httpx.get(f"{server.base_url}/models/demo", timeout=60).status_code == 404
        assert "1 disabled model was skipped." in browser.act("load")
    finally:
        browser.act("enable")
    assert httpx.get(f"{server.base_url}/models/demo", timeout=60).status_code == 200


def test_the_reason_of_a_failed_load_is_shown(server, browser, tmp_path):
    path = tmp_path / "lost.gguf"
    path.write_bytes(DEMO.read_bytes())
    server.manage("register_model", str(path), "--name", "lost")
    path.unlink()
    browser.act("load", "lost")
    body = {"model": "lost", "messages": [{"role": "user", "content": "x"}]}
    httpx.post(f"{server.base_url}/chat/completions", json=body, timeout=60)
    assert browser.state("lost").startswith("failed: llama.cpp could not load")
    page = browser.http.get(f"{CHANGELIST}{_key(browser, 'lost')}/change/").text
    assert "What went wrong last" in page
    assert "llama.cpp could not load" in page.partition("What went wrong last")[2]


def test_the_list_follows_what_happens(server, browser):
    """The page's script gets the states whenever one changes."""
    assert "inference/live_state.js" in browser.http.get(CHANGELIST).text
    assert browser.http.get("/static/inference/live_state.js").status_code == 200
    browser.act("unload")
    key = _key(browser, "demo")
    seen = []
    with browser.http.stream("GET", f"{CHANGELIST}live/") as response:
        events = _states(response, key)
        seen.append(next(events))
        httpx.post(f"{server.base_url}/chat/completions", json={"model": "demo", "messages": [HELLO]}, timeout=60)
        while not seen[-1].startswith("loaded"):
            seen.append(next(events))
        assert seen[0] == "not loaded"
        with httpx.stream("POST", f"{server.base_url}/chat/completions", json=LONG, timeout=60):
            while "1 running" not in next(events):
                continue
    browser.act("unload")


def _states(response: httpx.Response, key: str) -> Iterator[str]:
    """Yield what a live list says of one model."""
    for line in response.iter_lines():
        if line.startswith("data: "):
            event = json.loads(line[6:])
            yield event["states"].get(key, event["others"])


def test_strangers_see_no_states(server):
    answer = httpx.get(f"{server.url}{CHANGELIST}live/", timeout=60)
    assert answer.status_code == 302
    assert "/admin/login/" in answer.headers["Location"]


def test_deleting_a_model_unloads_it(server, browser):
    server.manage("register_model", str(DEMO), "--name", "brief")
    browser.act("load", "brief")
    server.wait_for("names.get('brief') == 'ready'")
    browser.post(CHANGELIST + "?q=brief", action="delete_selected", _selected_action=_key(browser, "brief"), post="yes")
    server.wait_for("'brief' not in names")


def _key(browser: Browser, name: str) -> str:
    return browser.key(name)


@pytest.fixture
def model(db) -> RegisteredModel:
    return RegisteredModel.objects.create(name="m", path="m.gguf")


@pytest.mark.parametrize("action", ["load", "unload"])
def test_outside_the_server_loading_says_so(admin_client, model, action):
    assert not pool.is_running
    response = admin_client.post(CHANGELIST, {"action": action, "_selected_action": model.pk}, follow=True)
    assert "only be loaded in the running server" in response.content.decode()


def test_staff_without_the_permission_gets_no_actions(client, django_user_model, model):
    staff = django_user_model.objects.create_user("staff", password="x", is_staff=True)
    client.force_login(staff)
    assert client.get(CHANGELIST).status_code == 403
    from django.contrib.auth.models import Permission

    staff.user_permissions.add(Permission.objects.get(codename="view_registeredmodel"))
    page = client.get(CHANGELIST).content.decode()
    assert re.search(r">\s*m\s*<", page)
    assert 'value="load"' not in page
    client.post(CHANGELIST, {"action": "load", "_selected_action": model.pk})
    assert pool.status() == {}


def test_anonymous_visitors_are_sent_to_the_login(client, model):
    response = client.get(CHANGELIST)
    assert response.status_code == 302
    assert response.url.startswith("/admin/login/")
