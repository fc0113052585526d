"""The warning of a server that anybody may use."""

import os
import signal
import subprocess
import sys

import pytest

from llmsite.exposure import is_loopback, uvicorn_host, warn_if_open
from tests import live_server

WARNING = "may use the API, since it asks for no key"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1", "[::1]"])
def test_loopback(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "llm.local", "[fd00::1]"])
def test_what_others_reach(host):
    assert not is_loopback(host)


def test_where_keys_are_required_nobody_is_warned(settings, caplog):
    settings.AUTH_REQUIRED = True
    warn_if_open("0.0.0.0")
    settings.AUTH_REQUIRED = False
    warn_if_open("127.0.0.1")
    warn_if_open(None)
    assert caplog.messages == []
    warn_if_open("0.0.0.0")
    assert "auth.required" in caplog.messages[0]
    assert uvicorn_host() is None


@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "runserver", "--noreload", "0.0.0.0:{port}"],
        ["-m", "uvicorn", "llmsite.asgi:application", "--host", "0.0.0.0", "--port", "{port}"],
    ],
    ids=["runserver", "uvicorn"],
)
def test_a_server_that_others_reach_warns_at_its_start(tmp_path, command):
    live_server.set_up(tmp_path)
    port = str(live_server.free_port())
    log = tmp_path / "server.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, *(part.format(port=port) for part in command)],
            cwd=live_server.ROOT,
            env={**os.environ, **live_server.environment(tmp_path)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        live_server.wait_until(lambda: WARNING in log.read_text())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
