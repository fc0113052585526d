"""What happens to engines and requests when clients leave, workers die and settings change."""

import os
import signal
import threading

import httpx
import openai
import pytest

from tests import live_server
from tests.live_server import DEMO, is_running, wait_until

LONG = {"model": "demo", "messages": [{"role": "user", "content": "Count to 30."}], "ignore_eos": True}


class Stream:
    """An open stream whose headers have arrived."""

    def __init__(self, server, body: dict) -> None:
        self._client = httpx.Client(timeout=60)
        url = f"{server.base_url}/chat/completions"
        request = self._client.build_request("POST", url, json={**body, "stream": True})
        self._response = self._client.send(request, stream=True)
        assert self._response.status_code == 200

    def read(self) -> str:
        try:
            return self._response.read().decode()
        finally:
            self.close()

    def close(self) -> None:
        self._response.close()
        self._client.close()


def test_leaving_a_stream_frees_its_sequence(server, openai_client):
    response = Stream(server, LONG)
    server.wait_for("running == 1")
    response.close()
    server.wait_for("running == 0")


def test_leaving_without_a_stream_frees_its_sequence(server):
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{server.base_url}/chat/completions", json=LONG, timeout=httpx.Timeout(10, read=0.3))
    server.wait_for("running == 0")


def test_leaving_the_queue_takes_the_request_out(server):
    running = [Stream(server, LONG) for _ in range(8)]
    server.wait_for("running == 8")
    waiting = threading.Thread(target=_leave_soon, args=(server,))
    waiting.start()
    server.wait_for("waiting == 1")
    waiting.join()
    server.wait_for("waiting == 0 and running == 8")
    for response in running:
        response.close()
    server.wait_for("running == 0")


def _leave_soon(server) -> None:
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{server.base_url}/chat/completions", json=LONG, timeout=httpx.Timeout(10, read=1))


def test_a_killed_worker_ends_its_streams_with_an_error_and_comes_back(server, openai_client):
    openai_client.chat.completions.create(**_question())
    worker = server.worker_pid()
    first, second = Stream(server, LONG), Stream(server, LONG)
    server.wait_for("running == 2")
    os.kill(worker, signal.SIGKILL)
    for response in (first, second):
        events = response.read().split("\n\n")
        assert '"error"' in events[-3]
        assert "SIGKILL" in events[-3]
        assert events[-2] == "data: [DONE]"
    answer = openai_client.chat.completions.create(**_question())
    assert "Paris" in answer.choices[0].message.content
    assert "was killed by SIGKILL with 2 open requests" in server.log


def _question() -> dict:
    return {"model": "demo", "messages": [{"role": "user", "content": "What is the capital of France?"}]}


def test_a_killed_worker_is_a_503_for_a_request_without_stream(server, openai_client):
    openai_client.chat.completions.create(**_question())
    worker = server.worker_pid()
    failures: list[openai.APIStatusError] = []

    def ask() -> None:
        try:
            openai_client.chat.completions.create(**LONG_QUESTION)
        except openai.APIStatusError as error:
            failures.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    server.wait_for("running == 1")
    os.kill(worker, signal.SIGKILL)
    thread.join()
    [failure] = failures
    assert failure.status_code == 503
    assert failure.code == "worker_died"


LONG_QUESTION = {"model": "demo", "messages": LONG["messages"], "extra_body": {"ignore_eos": True}}


def test_changed_settings_start_a_new_engine_while_the_old_one_finishes(server, openai_client):
    openai_client.chat.completions.create(**_question())
    old = server.worker_pid()
    response = Stream(server, {**LONG, "max_tokens": 1500})
    assert server.manage("register_model", str(DEMO), "--name", "demo", "--parallel", "7").returncode == 0
    openai_client.chat.completions.create(**_question())
    assert '"finish_reason":"length"' in response.read()
    wait_until(lambda: not is_running(old))
    assert server.manage("register_model", str(DEMO), "--name", "demo", "--parallel", "8").returncode == 0


def test_a_model_whose_file_is_gone_is_a_503_with_the_reason(server, openai_client, tmp_path):
    path = tmp_path / "moved.gguf"
    path.write_bytes(DEMO.read_bytes())
    assert server.manage("register_model", str(path), "--name", "moved").returncode == 0
    path.unlink()
    for streamed in (False, True):
        with pytest.raises(openai.InternalServerError) as caught:
            openai_client.chat.completions.create(
                model="moved", messages=[{"role": "user", "content": "Hi"}], stream=streamed
            )
        assert caught.value.status_code == 503
        assert "could not be loaded" in caught.value.message
        assert str(path) in caught.value.message


def test_stopping_the_server_ends_its_workers(tmp_path):
    live_server.set_up(tmp_path)
    server = live_server.start(tmp_path)
    httpx.post(f"{server.base_url}/chat/completions", json=_question(), timeout=60)
    worker = server.worker_pid()
    assert server.stop() in (0, -signal.SIGTERM)
    assert not is_running(worker)


def test_a_killed_server_leaves_no_worker_behind(tmp_path):
    live_server.set_up(tmp_path)
    server = live_server.start(tmp_path)
    httpx.post(f"{server.base_url}/chat/completions", json=_question(), timeout=60)
    worker = server.worker_pid()
    server.process.kill()
    server.process.wait()
    wait_until(lambda: not is_running(worker))
