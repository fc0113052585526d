"""`/v1/pool`, loading and unloading by hand, `manage.py pool`, and what a live server does of its own."""

import json
import os
import signal
import time

import httpx
import pytest

from tests import live_server
from tests.live_server import DEMO, LiveServer


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server with three registrations of the demo model."""
    folder = tmp_path_factory.mktemp("pool_server")
    names = ("one", "two", "three")
    models = [{"name": name, "path": str(DEMO), "ctx_size": 512, "host_cache_mb": 0} for name in names]
    models[2] |= {"preload": True, "pinned": True}
    live_server.set_up(folder, models=models, server={"shutdown_timeout": 1})
    server = live_server.start(folder)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def operator(server):
    token = server.manage("pool", "token").stdout.strip()
    with httpx.Client(base_url=server.base_url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        yield client


def ask(server: LiveServer, model: str, **fields: object) -> httpx.Response:
    body = {"model": model, "messages": [{"role": "user", "content": "Count to 9."}], "max_tokens": 8, **fields}
    return httpx.post(f"{server.base_url}/chat/completions", json=body, timeout=60)


def wait_for_models(operator: httpx.Client, *names: str) -> list[dict]:
    deadline = time.monotonic() + 30
    while True:
        models = operator.get("/pool").json()["models"]
        if {model["name"] for model in models if model["state"] == "ready"} == set(names):
            return models
        assert time.monotonic() < deadline, models
        time.sleep(0.05)


def test_pinned_models_are_loaded_at_the_start(server, operator):
    server.wait_for("'three' in names")
    [model] = wait_for_models(operator, "three")
    assert model["pinned"]
    assert model["memory"]["host"] > 10 * 2**20


def test_operators_load_and_unload(server, operator):
    wait_for_models(operator, "three")
    assert operator.post("/models/one/load").json() == {"object": "model", "id": "one", "state": "ready"}
    wait_for_models(operator, "one", "three")
    assert operator.post("/models/one/unload").json()["was_loaded"]
    assert not operator.post("/models/one/unload").json()["was_loaded"]
    wait_for_models(operator, "three")
    assert "Fatal Python error" not in server.log


@pytest.mark.parametrize("change", ["delete()", "update(enabled=False)"])
def test_what_another_process_deletes_or_disables_leaves_the_memory(server, operator, change):
    assert server.manage("register_model", str(DEMO), "--name", "brief").returncode == 0
    found = "from registry.models import RegisteredModel; RegisteredModel.objects.filter(name='brief')"
    assert server.manage("shell", "-c", f"{found}.update(enabled=True)").returncode == 0
    assert operator.post("/models/brief/load").status_code == 200
    wait_for_models(operator, "brief", "three")
    assert server.manage("shell", "-c", f"{found}.{change}").returncode == 0
    wait_for_models(operator, "three")
    assert operator.post("/models/brief/unload").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/pool"), ("GET", "/pool/events"), ("POST", "/models/one/load"), ("POST", "/models/one/unload")],
)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer sk-anything"}])
def test_others_may_not(server, method, path, headers):
    answer = httpx.request(method, f"{server.base_url}{path}", headers=headers, timeout=60)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "not_an_operator"


def test_a_token_ends(server, operator):
    token = server.manage("pool", "token", "--hours", "0").stdout.strip()
    time.sleep(0.01)
    answer = httpx.get(f"{server.base_url}/pool", headers={"Authorization": f"Bearer {token}"}, timeout=60)
    assert answer.status_code == 401


def test_unknown_models_cannot_be_loaded(operator):
    assert operator.post("/models/nobody/load").status_code == 404


def test_a_model_that_cannot_be_loaded_says_why(server, operator, tmp_path):
    path = tmp_path / "removed.gguf"
    path.write_bytes(DEMO.read_bytes())
    assert server.manage("register_model", str(path), "--name", "removed").returncode == 0
    path.unlink()
    answers = [operator.post("/models/removed/load"), ask(server, "removed")]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert "it will be tried again in" in answers[1].json()["error"]["message"]
    path.write_bytes(DEMO.read_bytes())
    assert ask(server, "removed").status_code == 200
    operator.post("/models/removed/unload")


def test_the_last_error_stands_in_the_database(server, operator, tmp_path):
    path = tmp_path / "broken.gguf"
    path.write_bytes(DEMO.read_bytes())
    assert server.manage("register_model", str(path), "--name", "broken").returncode == 0
    path.write_bytes(DEMO.read_bytes()[:200_000])
    assert ask(server, "broken").status_code == 503
    code = "from registry.models import Observation; o = Observation.objects.get(model__name='broken'); "
    shown = server.manage("shell", "-c", code + "print(bool(o.error), bool(o.error_log), o.error_at is not None)")
    assert shown.stdout.strip().endswith("True True True")


def test_keep_alive_says_how_long_a_model_stays(server, operator):
    assert ask(server, "one", keep_alive="10m").status_code == 200
    [one] = [model for model in wait_for_models(operator, "one", "three") if model["name"] == "one"]
    assert one["unload_at"] is not None
    assert ask(server, "one", keep_alive=-1).status_code == 200
    [one] = [model for model in wait_for_models(operator, "one", "three") if model["name"] == "one"]
    assert one["unload_at"] is None
    assert ask(server, "one", keep_alive=0).status_code == 200
    wait_for_models(operator, "three")


@pytest.mark.parametrize("value", ["soon", "5", "-1", "1.5h", "1h30m", "200ms", 0.5, -3])
def test_keep_alive_as_ollama_takes_it(server, value):
    is_wrong = value == "soon"
    answer = ask(server, "three", keep_alive=value)
    assert answer.status_code == (400 if is_wrong else 200)
    if is_wrong:
        assert "Invalid `keep_alive`: expected seconds or a duration" in answer.json()["error"]["message"]


def test_the_commands(server, operator):
    wait_for_models(operator, "three")
    url = ("--url", server.url)
    assert server.manage("pool", *url, "load", "two").stdout == "two: ready\n"
    table = server.manage("pool", *url, "status").stdout
    assert [line.split()[0] for line in table.splitlines()[:-1]] == ["NAME", "three", "two"]
    assert "MiB" in table.splitlines()[-1]
    assert json.loads(server.manage("pool", *url, "status", "--json").stdout)["object"] == "pool"
    assert server.manage("pool", *url, "unload", "two").stdout == "two: unloaded\n"
    failed = server.manage("pool", *url, "load", "nobody")
    assert failed.returncode == 1
    assert "`nobody` does not exist" in failed.stderr


def test_a_command_without_a_server_says_so(server):
    failed = server.manage("pool", "--url", "http://127.0.0.1:9", "status")
    assert failed.returncode == 1
    assert "no server answers at http://127.0.0.1:9" in failed.stderr


def test_events_tell_of_changes(server, operator):
    wait_for_models(operator, "three")
    states = []
    with operator.stream("GET", "/pool/events") as stream:
        lines = stream.iter_lines()
        states.append(_models(lines))
        httpx.post(f"{server.base_url}/models/two/load", headers=operator.headers, timeout=60)
        while not {"two", "three"} <= (names := _models(lines)):
            states.append(names)
    assert states[0] == {"three"}
    operator.post("/models/two/unload")


def _models(lines) -> set[str]:
    line = next(line for line in lines if line.startswith("data: "))
    return {model["name"] for model in json.loads(line[6:])["models"]}


def test_a_dead_engine_is_seen_and_started_anew(server, operator):
    assert ask(server, "one").status_code == 200
    [one] = [model for model in wait_for_models(operator, "one", "three") if model["name"] == "one"]
    os.kill(one["pid"], signal.SIGKILL)
    wait_for_models(operator, "three")
    assert ask(server, "one").status_code == 200
    operator.post("/models/one/unload")
