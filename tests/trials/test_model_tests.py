"""Testing the demo model on a running server: by the command, in the admin, cancelled and cut off."""

import json
import subprocess
import sys
import threading

import httpx
import pytest

from inference.operators import new_token
from registry.model_tests import MAX_RUNS
from tests.browser import CHANGELIST
from tests.live_server import ROOT, LiveServer, environment

TESTS = "/admin/console/tests/"
HEADERS = {"Authorization": f"Bearer {new_token(3600)}"}
STEPS = ["greeting", "stop", "json", "tools", "russian", "speed", "parallel", "long_context"]


def post(server: LiveServer, name: str = "demo", headers: dict = HEADERS) -> httpx.Response:
    return httpx.post(f"{server.base_url}/models/{name}/test", headers=headers, timeout=120)


def events(lines) -> list[dict]:
    return [json.loads(line[6:]) for line in lines if line.startswith("data: ")]


def stored(server: LiveServer) -> list[dict]:
    rows = "list(ModelTest.objects.values('state', 'steps', 'capabilities', 'settings'))"
    code = f"import json; from registry.models import ModelTest; print(json.dumps({rows}))"
    shown = server.manage("shell", "-v0", "-c", code)
    return json.loads(shown.stdout.splitlines()[-1])


def test_a_run_tells_of_every_step_and_is_kept(server, browser):
    seen = events(post(server).text.splitlines())
    last = seen[-1]
    assert last["state"] == "finished"
    assert [step["name"] for step in last["steps"]] == STEPS
    assert len(seen) > len(STEPS)
    passed = {step["name"]: step["passed"] for step in last["steps"]}
    # The demo model forgets over so long a talk; see demo/README.md for what it knows.
    assert {name for name, has in passed.items() if has} >= set(STEPS) - {"long_context"}
    capabilities = last["capabilities"]
    assert (capabilities["tools"], capabilities["json"], capabilities["languages"]) == (True, True, ["en", "ru"])
    assert capabilities["tokens_per_second"] > 0
    assert capabilities["host_bytes"] > 0
    newest = stored(server)[0]
    assert (newest["state"], newest["settings"]["context"]) == ("finished", 2048)
    assert newest["capabilities"] == capabilities
    page = browser.http.get(CHANGELIST).text
    assert "badge-yes" in page
    assert "tokens/s" in page


def test_the_command_prints_the_same(server):
    run = subprocess.run(
        [sys.executable, "manage.py", "test_model", "demo", "--url", server.url],
        cwd=ROOT,
        env=environment(server.folder),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = run.stdout.splitlines()
    assert lines[0].startswith("ok    Greeting: “Hello")
    assert lines[3].startswith('ok    Tool call: get_weather({"city": "Paris"}), then “')
    assert "tools  JSON" in lines[-1]
    failed = [line for line in lines if line.startswith("FAIL")]
    assert run.returncode == (1 if failed else 0)
    assert not failed or "of 8 steps failed: Long context" in run.stderr


def test_the_command_names_a_model_that_is_not_there(server):
    failed = server.manage("test_model", "no-such-model", "--url", server.url)
    assert failed.returncode == 1
    assert "The model `no-such-model` does not exist or is disabled." in failed.stderr


def test_the_command_says_that_no_server_runs(server):
    assert "no server answers at" in server.manage("test_model", "demo", "--url", "http://127.0.0.1:9").stderr


def test_only_operators_test(server):
    assert post(server, headers={}).status_code == 401


def test_other_kinds_are_not_tested(pooling_server):
    answer = post(pooling_server, "bert")
    assert answer.status_code == 400
    assert "only chat models are tested" in answer.json()["error"]["message"]


def test_an_operator_tests_and_cancels_in_the_admin(server, browser):
    page = browser.act("test")
    key = browser.key("demo")
    assert "Test of demo" in page
    with browser.http.stream("GET", f"{TESTS}{key}/events") as response:
        runs = (json.loads(line[6:]) for line in response.iter_lines() if line.startswith("data: "))
        while next(runs)["state"] != "running":
            continue
        token = browser.http.cookies["csrftoken"]
        form = {"csrfmiddlewaretoken": token}
        browser.http.post(f"{TESTS}{key}/cancel", data=form, headers={"referer": server.url})
        states = [run["state"] for run in runs]
    assert states[-1] == "cancelled"
    server.wait_for("running == 0")
    assert stored(server)[0]["state"] == "cancelled"
    assert "cancelled" in browser.http.get(f"{TESTS}{key}/").text


def test_a_run_ends_when_the_model_is_unloaded(server, browser):
    with httpx.stream("POST", f"{server.base_url}/models/demo/test", headers=HEADERS, timeout=120) as response:
        runs = (json.loads(line[6:]) for line in response.iter_lines() if line.startswith("data: "))
        while not next(runs)["steps"]:
            continue
        threading.Thread(target=browser.act, args=("unload",)).start()
        states = [run["state"] for run in runs]
    assert states[-1] == "unloaded"
    assert stored(server)[0]["state"] == "unloaded"


def test_a_run_ends_when_its_client_leaves(server):
    with httpx.stream("POST", f"{server.base_url}/models/demo/test", headers=HEADERS, timeout=120) as response:
        assert next(response.iter_lines()).startswith("data: ")
    server.wait_for("running == 0")
    assert events(post(server).text.splitlines())[-1]["state"] == "finished"


def test_a_model_that_cannot_be_loaded_says_why(server, register, tmp_path):
    path = tmp_path / "lost.gguf"
    path.write_bytes((ROOT / "demo" / "demo.gguf").read_bytes())
    register("lost-test", path)
    path.unlink()
    last = events(post(server, "lost-test").text.splitlines())[-1]
    assert last["state"] == "failed"
    assert "llama.cpp could not load" in last["error"]


@pytest.mark.django_db
def test_old_runs_are_deleted():
    from django.utils import timezone

    from registry.models import ModelTest, RegisteredModel

    models = [RegisteredModel.objects.create(name=name, path="m.gguf") for name in "ab"]
    for model in models:
        for _ in range(MAX_RUNS + 2):
            ModelTest.objects.create(model=model, started_at=timezone.now(), seconds=1, state="finished")
    newest = models[0].tests.first()
    ModelTest.objects.prune(models[0].pk)
    assert (models[0].tests.count(), models[1].tests.count()) == (MAX_RUNS, MAX_RUNS + 2)
    assert models[0].tests.first() == newest
