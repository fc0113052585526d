"""`/healthz` and `/readyz`."""

import httpx
import pytest
from django.db import DatabaseError
from django.test import AsyncClient

from inference.preload import Preload
from inference.views import probes
from tests import live_server
from tests.live_server import DEMO


@pytest.fixture
def ready(monkeypatch, transactional_db):
    """A process whose models are all loaded."""
    preload = Preload()
    preload.waiting = []
    monkeypatch.setattr(probes, "preload", preload)
    monkeypatch.setattr(probes, "schema", probes.Schema())
    monkeypatch.setattr(probes.pool, "is_closing", False)  # another test may have stopped this process's server
    return preload


async def reasons() -> list[str]:
    response = await AsyncClient().get("/readyz")
    body = response.json()
    assert (response.status_code, body["status"]) in {(200, "ready"), (503, "not ready")}
    assert (response.status_code == 503) == bool(body["reasons"])
    return body["reasons"]


def test_a_process_that_answers_is_alive(client):
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_whoever_asks_may_call_it_by_any_name(server, path):
    assert httpx.get(server.url + path, headers={"Host": "10.1.2.3:8000"}, timeout=60).status_code == 200


async def test_it_is_ready_when_all_is_there(ready):
    assert await reasons() == []


async def test_it_is_not_ready_while_models_are_loaded(ready):
    ready.waiting = ["one", "two"]
    assert await reasons() == ["models are being loaded: one, two"]
    ready.waiting = None
    assert await reasons() == ["the models to load at the start are not known yet"]


async def test_it_is_not_ready_without_its_tables(ready, monkeypatch):
    monkeypatch.setattr(probes, "num_pending_migrations", lambda: 3)
    assert await reasons() == ["the database is 3 migrations behind; `python manage.py setup` applies them"]


async def test_it_is_not_ready_without_its_database(ready, monkeypatch):
    def fail() -> int:
        raise DatabaseError("no route to host")

    monkeypatch.setattr(probes, "num_pending_migrations", fail)
    assert await reasons() == ["the database does not answer: no route to host"]


async def test_tables_that_were_there_are_not_looked_for_again(ready, monkeypatch):
    assert await reasons() == []
    monkeypatch.setattr(probes, "num_pending_migrations", lambda: 3)
    assert await reasons() == []


async def test_it_is_not_ready_any_more_when_it_stops(ready, monkeypatch):
    monkeypatch.setattr(probes.pool, "is_closing", True)
    assert await reasons() == ["the server is shutting down"]


def test_models_that_cannot_be_loaded_do_not_keep_it_from_being_ready(tmp_path):
    models = [{"name": name, "path": str(DEMO), "preload": True, "ctx_size": 512} for name in ("good", "bad")]
    live_server.set_up(tmp_path, models=models)
    code = (
        "from registry.models import RegisteredModel; RegisteredModel.objects.filter(name='bad').update(path='/gone')"
    )
    assert live_server.manage(tmp_path, "shell", "-c", code).returncode == 0
    server = live_server.start(tmp_path)
    live_server.wait_until(lambda: httpx.get(f"{server.url}/readyz", timeout=60).status_code == 200)
    assert [model["name"] for model in server.health()["models"]] == ["good"]
    server.stop()
