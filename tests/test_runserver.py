"""`manage.py runserver` and the ASGI application around Django."""

import asyncio
import gc
import signal
from importlib.util import find_spec

import httpx
import pytest
from django.core.management.base import CommandError

from inference.management.commands.runserver import banner, parse_address
from llmsite.asgi import application
from tests import live_server


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("", ("host", 1)),
        ("9000", ("host", 9000)),
        ("0.0.0.0:9000", ("0.0.0.0", 9000)),
        ("[::1]:9000", ("::1", 9000)),
        (":9000", ("host", 9000)),
    ],
)
def test_an_address_may_leave_parts_to_the_configuration(text, address):
    assert parse_address(text, "host", 1) == address


@pytest.mark.parametrize("text", ["x", "host:x", "host:0", "70000", "host:-1"])
def test_a_wrong_address_is_refused(text):
    with pytest.raises(CommandError, match="port between 1 and 65535"):
        parse_address(text, "host", 1)


def test_the_banner_names_what_to_open():
    text = banner("0.0.0.0", 8123, "org/chat")
    for path in ("/v1", "/admin/", "/docs"):
        assert f"http://localhost:8123{path}" in text
    assert """curl http://localhost:8123/v1/chat/completions -d '{"model": "org/chat",""" in text


def test_the_banner_without_a_model_says_how_to_get_one():
    assert "register_model" in banner("0.0.0.0", 8000, None)


def test_an_unprepared_database_is_explained(tmp_path):
    live_server.write_config(tmp_path)
    run = live_server.manage(tmp_path, "runserver", "--noreload")
    assert run.returncode == 1
    assert "manage.py setup" in run.stderr


def test_the_banner_says_when_only_this_machine_can_connect():
    assert "server.host: 0.0.0.0" in banner("127.0.0.1", 8000, "m")
    assert "server.host: 0.0.0.0" not in banner("0.0.0.0", 8000, "m")
    assert "http://[::2]:8000/v1" in banner("::2", 8000, "m")


def test_the_server_prints_the_banner(server):
    assert f"http://localhost:{server.port}/v1" in server.log


def test_the_root_leads_to_the_admin(server):
    response = httpx.get(server.url, follow_redirects=True, timeout=60)
    assert response.url.path == "/admin/login/"


def test_a_wrong_configuration_stops_the_start(tmp_path):
    live_server.write_config(tmp_path, server={"prot": 8000})
    run = live_server.manage(tmp_path, "runserver", "--noreload")
    assert run.returncode == 1
    assert "server.prot" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.skipif(find_spec("psycopg") is not None, reason="the driver is installed")
def test_postgresql_without_its_driver_says_what_to_install(tmp_path):
    live_server.write_config(tmp_path, database={"url": "postgresql://user:password@localhost/llmsite"})
    run = live_server.manage(tmp_path, "check")
    assert run.returncode == 1
    assert 'pip install "psycopg[binary]"' in run.stderr


def test_reload_leaves_no_orphans(tmp_path):
    live_server.set_up(tmp_path)
    server = live_server.start(tmp_path, "--verbosity=1")
    body = {"model": "demo", "messages": [{"role": "user", "content": "Hello!"}]}
    httpx.post(f"{server.base_url}/chat/completions", json=body, timeout=60)
    before = live_server.descendants(server.process.pid)
    source = live_server.ROOT / "llmsite" / "version.py"
    source.touch()
    live_server.wait_until(lambda: not set(live_server.descendants(server.process.pid)) & set(before[1:]))
    server.process.send_signal(signal.SIGINT)
    server.process.wait(30)
    live_server.wait_until(lambda: not any(map(live_server.is_running, before)))


@pytest.mark.django_db(transaction=True)
async def test_lifespan_starts_and_ends():
    sent = []
    received = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive():
        return next(received)

    async def send(message):
        sent.append(message["type"])

    try:
        await asyncio.wait_for(application({"type": "lifespan"}, receive, send), 10)
        assert len(gc.get_objects()) < gc.get_freeze_count() / 10  # what a collection looks through
    finally:
        gc.unfreeze()
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
