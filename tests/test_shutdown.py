"""How the server stops: open requests finish or end with an error, no process is left, the exit status is 0."""

import json
import signal
import subprocess
import threading

import httpx
import pytest

from tests import live_server
from tests.live_server import DEMO, LiveServer, descendants, is_running, wait_until

BODY = {"model": "demo", "messages": [{"role": "user", "content": "Hello"}], "stream": True, "ignore_eos": True}


@pytest.fixture
def start(tmp_path):
    started = []

    def start(timeout: int) -> LiveServer:
        model = {"name": "demo", "path": str(DEMO), "ctx_size": 2048, "speculation": "off"}
        live_server.set_up(tmp_path, models=[model], server={"shutdown_timeout": timeout})
        started.append(live_server.start(tmp_path))
        return started[0]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()


class Stream(threading.Thread):
    """Reads a streamed answer to its end."""

    def __init__(self, server: LiveServer, max_tokens: int) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.has_begun = threading.Event()
        self._url, self._body = f"{server.base_url}/chat/completions", {**BODY, "max_tokens": max_tokens}
        self.start()

    def run(self) -> None:
        try:
            with httpx.stream("POST", self._url, json=self._body, timeout=60) as response:
                for line in response.iter_lines():
                    self.lines.append(line)
                    if len(self.lines) > 10:
                        self.has_begun.set()
        except httpx.HTTPError:
            self.lines.append("broken off")
        self.has_begun.set()

    @property
    def data(self) -> list[str]:
        return [line[6:] for line in self.lines if line.startswith("data: ")]


def test_open_requests_are_finished(start):
    server = start(timeout=30)
    stream = Stream(server, max_tokens=1500)
    assert stream.has_begun.wait(30)
    workers = descendants(server.process.pid)
    assert workers
    assert server.stop() == 0
    stream.join(30)
    assert stream.data[-1] == "[DONE]"
    assert json.loads(stream.data[-2])["usage"]["completion_tokens"] == 1500
    assert not any(map(is_running, workers))


def test_after_their_time_they_end_with_an_error(start):
    server = start(timeout=0)
    stream = Stream(server, max_tokens=1900)
    assert stream.has_begun.wait(30)
    workers = descendants(server.process.pid)
    assert server.stop() == 0
    stream.join(30)
    *_, error, end = stream.data
    assert end == "[DONE]"
    assert json.loads(error)["error"]["message"] == "The server is shutting down."
    assert not any(map(is_running, workers))


def test_a_second_signal_ends_everything_at_once(start):
    server = start(timeout=600)
    stream = Stream(server, max_tokens=1900)
    assert stream.has_begun.wait(30)
    workers = descendants(server.process.pid)
    server.process.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        server.process.wait(0.5)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(10) == 0
    stream.join(30)
    wait_until(lambda: not any(map(is_running, workers)))


def test_a_killed_server_leaves_no_worker(start):
    server = start(timeout=1)
    stream = Stream(server, max_tokens=1900)
    assert stream.has_begun.wait(30)
    workers = descendants(server.process.pid)
    server.process.kill()
    server.process.wait()
    stream.join(30)
    wait_until(lambda: not any(map(is_running, workers)))
