"""The service on PostgreSQL: all that it does with a database, on a real one."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from django.apps import apps

from llmsite.database import MAX_CONNECTIONS
from tests import live_server
from tests.browser import Browser
from tests.live_server import DEMO, ROOT, LiveServer
from tests.postgres import Cluster, running_cluster

QUESTION = {"model": "demo", "messages": [{"role": "user", "content": "What is the capital of France?"}]}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def server(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("on_postgres")
    assert "model demo: created" in live_server.set_up(folder, database={"url": cluster.new_database()})
    server = live_server.start(folder)
    yield server
    server.stop()


@pytest.fixture
def python(server: LiveServer) -> Callable[[str], object]:
    """Runs code in the project's shell on the server's database; returns what it leaves in `result`."""

    def python(code: str) -> object:
        run = server.manage("shell", "--verbosity", "0", "-c", f"import json\n{code}\nprint(json.dumps(result))")
        assert run.returncode == 0, run.stdout + run.stderr
        return json.loads(run.stdout)

    return python


def ask(server: LiveServer, path: str, **body: object) -> dict:
    response = httpx.post(f"{server.base_url}/{path}", json=body, timeout=60)
    assert response.status_code == 200, response.text
    return response.json()


def test_setup_may_be_repeated(server):
    again = server.manage("setup")
    assert again.returncode == 0, again.stderr
    assert "database: up to date" in again.stdout
    assert "model demo: unchanged" in again.stdout


def test_it_answers_chats(server):
    answer = ask(server, "chat/completions", **QUESTION)
    assert "Paris" in answer["choices"][0]["message"]["content"]


def test_many_at_a_time_share_the_connections(server, cluster):
    with ThreadPoolExecutor(60) as clients:
        answers = list(clients.map(lambda _: ask(server, "chat/completions", **QUESTION, max_tokens=4), range(120)))
    assert len(answers) == 120
    with cluster.connect() as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE 'llmsite%'"
        assert connection.execute(query).fetchone()[0] <= MAX_CONNECTIONS


def test_it_goes_on_after_the_database_has_closed_all_connections(server, cluster):
    with cluster.connect() as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'llmsite%'")
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda _: ask(server, "chat/completions", **QUESTION, max_tokens=4), range(16)))
    assert len(answers) == 16


def test_open_answers_hold_no_connection(server, cluster):
    body = {**QUESTION, "messages": [{"role": "user", "content": "Count from 1 to 50."}], "stream": True}
    with httpx.Client(timeout=60) as http, ExitStack() as stack:
        streams = [
            stack.enter_context(http.stream("POST", f"{server.base_url}/chat/completions", json=body))
            for _ in range(MAX_CONNECTIONS + 2)
        ]
        assert ask(server, "chat/completions", **QUESTION)
        assert all("[DONE]" in stream.read().decode() for stream in streams)


def test_open_pages_hold_no_connection(server):
    browser = Browser(server)
    with ExitStack() as stack:
        for url in ["/admin/registry/registeredmodel/live/"] * (MAX_CONNECTIONS + 2):
            pages = stack.enter_context(browser.http.stream("GET", url))
            assert next(pages.iter_raw())
        assert ask(server, "chat/completions", **QUESTION)
    browser.http.close()


def test_registrations_are_seen_at_once(server):
    options = ("--name", "second", "--temperature", "0", "--stop", "Berlin")
    assert server.manage("register_model", str(DEMO), *options).returncode == 0
    assert ask(server, "chat/completions", **{**QUESTION, "model": "second"})["model"] == "second"
    assert '"name": "second"' in server.manage("list_models", "--json").stdout


def test_a_response_is_stored_and_continued(server):
    first = ask(server, "responses", model="demo", input="My name is Anna.")
    second = ask(server, "responses", model="demo", input="Hello!", previous_response_id=first["id"])
    third = ask(server, "responses", model="demo", input="Hello!", previous_response_id=second["id"])
    assert third["previous_response_id"] == second["id"]
    items = httpx.get(f"{server.base_url}/responses/{third['id']}/input_items", timeout=60).json()["data"]
    assert items
    assert httpx.delete(f"{server.base_url}/responses/{first['id']}", timeout=60).status_code == 200
    body = {"model": "demo", "input": "Hello!", "previous_response_id": third["id"]}
    assert httpx.post(f"{server.base_url}/responses", json=body, timeout=60).status_code == 400


def test_keys_and_presets_are_kept(python):
    assert python("""
from access.models import APIKey, digest_of
from registry.models import Preset, RegisteredModel
model = RegisteredModel.objects.get(name="demo")
preset = Preset.objects.create(name="brief", model=model, forced={"temperature": 0}, stop=["."], allowed_tools=[])
key, text = APIKey.create("tests", tokens_per_day=2**40, all_models=False)
key.allowed_models.add(model)
key.allowed_presets.add(preset)
found = APIKey.objects.get(digest=digest_of(text))
result = [found.tokens_per_day, found.is_usable, found.allowed_presets.get().forced, preset.allowed_tools]
""") == [2**40, True, {"temperature": 0}, []]


def test_roles_and_histories_are_there(python):
    assert python("""
from django.contrib.auth.models import Group
from registry.models import RegisteredModel
roles = Group.objects.filter(permissions__codename="load_registeredmodel").order_by("name")
model = RegisteredModel.objects.get(name="demo")
result = [list(roles.values_list("name", flat=True)), model.history.last().history_type]
""") == [["administrator", "model manager", "operator"], "+"]


def test_usage_is_kept(python):
    assert python("""
from django.utils import timezone
from usage.models import RequestLog, UsageHour
now = timezone.now()
RequestLog.objects.create(at=now, request_id="r1", endpoint="chat", model="demo", status=200, total_ms=5)
UsageHour.objects.create(hour=now, model="m", requests=1, prompt_tokens=2**40, first_token_counts=[1, 2])
hour = UsageHour.objects.get(model="m")
result = [RequestLog.objects.get(request_id="r1").status, hour.prompt_tokens, hour.first_token_counts]
""") == [200, 2**40, [1, 2]]


def test_the_admin_works(server):
    with httpx.Client(base_url=server.url, follow_redirects=True, timeout=60) as http:
        token = http.get("/admin/login/").cookies["csrftoken"]
        login = {"username": "admin", "password": live_server.ADMIN_PASSWORD, "csrfmiddlewaretoken": token}
        http.post("/admin/login/", data=login, headers={"Referer": f"{server.url}/admin/"})
        for model in apps.get_models():
            page = http.get(f"/admin/{model._meta.app_label}/{model._meta.model_name}/?q=demo")
            assert page.status_code in (200, 404), page.text
        found = http.get("/admin/registry/registeredmodel/?q=DEM")
        assert ">demo<" in found.text


def test_the_registry_is_exported_and_imported(server, tmp_path):
    file = tmp_path / "registry.yml"
    assert server.manage("export_registry", str(file)).returncode == 0
    again = server.manage("import_registry", str(file))
    assert again.returncode == 0, again.stderr
    assert "unchanged" in again.stdout


def test_a_database_that_is_not_there_is_named(tmp_path, cluster):
    url = cluster.new_database()
    live_server.write_config(tmp_path, database={"url": f"{url}_gone"})
    setup = live_server.manage(tmp_path, "setup")
    assert setup.returncode != 0
    assert "does not exist" in setup.stderr


@pytest.mark.parametrize("name", ["psycopg", "psycopg_pool"])
def test_a_missing_driver_is_named(tmp_path, name):
    live_server.write_config(tmp_path, database={"url": "postgresql://a:b@127.0.0.1/c"})
    program = (
        f"import sys; sys.modules[{name!r}] = None; sys.argv = ['manage.py', 'check']; import manage; manage.main()"
    )
    environment = live_server.environment(tmp_path)
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode != 0
    assert f"PostgreSQL needs {name}" in run.stderr
    assert "requirements-postgres.txt" in run.stderr
    assert "Traceback" not in run.stderr


def test_the_secret_key_lies_in_the_folder_for_data(tmp_path, cluster):
    data = tmp_path / "data"
    sections = {"server": {"data_dir": str(data)}, "database": {"url": cluster.new_database()}}
    live_server.write_config(tmp_path, **sections)
    assert live_server.manage(tmp_path, "check").returncode == 0
    assert Path(data / ".secret_key").stat().st_mode & 0o777 == 0o600
