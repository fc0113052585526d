"""Conversations that outlive their engine: unloaded, killed, or ended with the server."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from llmsite.kv_disk import prepare_kv_disk
from llmsite.yaml_file import ConfigError
from tests import live_server
from tests.browser import Browser
from tests.live_server import LiveServer, descendants, is_running, wait_until

QUESTIONS = ["Tell me about the sea. " * 50, "And about the mountains?", "What is the capital of France?"]


def ask(server: LiveServer, messages: list[dict]) -> tuple[str, int]:
    """Return the answer, and how much of the prompt was cached."""
    body = {"model": "demo", "messages": messages, "temperature": 0, "max_tokens": 40}
    answer = httpx.post(f"{server.base_url}/chat/completions", json=body, timeout=120).raise_for_status().json()
    cached = answer["usage"]["prompt_tokens_details"]["cached_tokens"]
    return answer["choices"][0]["message"]["content"], cached


def user(text: str) -> dict:
    return {"role": "user", "content": text}


def talk(server: LiveServer, turns: int) -> list[dict]:
    """Return a conversation of so many questions, all answered but the last one of three."""
    messages = []
    for question in QUESTIONS[:turns]:
        messages.append(user(question))
        if len(messages) < 2 * len(QUESTIONS) - 1:
            messages.append({"role": "assistant", "content": ask(server, messages)[0]})
    return messages


def prepare(folder: Path, **sections: object) -> Path:
    # What is computed in chunks of other lengths may differ in the last digits: here nothing may depend on that.
    exact = {"kv_type_k": "f32", "kv_type_v": "f32", "flash_attention": "off"}
    live_server.set_up(folder, model={"path": str(live_server.DEMO), "name": "demo", **exact}, **sections)
    return folder


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The third answer of a server that keeps nothing on disk and is not interrupted."""
    server = live_server.start(prepare(tmp_path_factory.mktemp("undisturbed")))
    answer, _ = ask(server, talk(server, 3))
    server.stop()
    return answer


@pytest.fixture
def start(tmp_path):
    """Starts a server that keeps conversations on disk; the last one is stopped in the end."""
    prepare(tmp_path, kv_disk={"directory": str(tmp_path / "kv")})
    servers = []

    def start() -> LiveServer:
        servers.append(live_server.start(tmp_path))
        return servers[-1]

    yield start
    servers[-1].stop()


def files(server: LiveServer) -> list[Path]:
    return list((server.folder / "kv").glob("*/*.kv"))


def unload(server: LiveServer, _: Callable[[], LiveServer]) -> LiveServer:
    browser = Browser(server)
    browser.act("unload", "demo")
    browser.http.close()
    wait_until(lambda: not descendants(server.process.pid))
    return server


def restart(server: LiveServer, start: Callable[[], LiveServer]) -> LiveServer:
    server.stop()
    return start()


def kill_when_idle(server: LiveServer, _: Callable[[], LiveServer]) -> LiveServer:
    [worker] = descendants(server.process.pid)
    wait_until(lambda: files(server))
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: not is_running(worker))
    return server


@pytest.mark.parametrize("end", [unload, restart, kill_when_idle])
def test_a_conversation_outlives_its_engine(start, undisturbed, end):
    server = start()
    messages = talk(server, 2)
    server = end(server, start)
    [path] = files(server)
    assert path.stat().st_mode & 0o777 == 0o600
    answer, num_cached = ask(server, [*messages, user(QUESTIONS[2])])
    assert answer == undisturbed
    assert num_cached > 300


def test_the_folder_is_made_for_its_owner_only(tmp_path):
    prepare_kv_disk(str(tmp_path / "a" / "kv"))
    assert (tmp_path / "a" / "kv").stat().st_mode & 0o777 == 0o700
    prepare_kv_disk(str(tmp_path / "a" / "kv"))
    assert list((tmp_path / "a" / "kv").iterdir()) == []


def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"kv_disk\.directory: '.*/file' cannot keep conversations: File exists"):
        prepare_kv_disk(str(tmp_path / "file"))
    with pytest.raises(ConfigError, match="Not a directory"):
        prepare_kv_disk(str(tmp_path / "file" / "kv"))
    with pytest.raises(ConfigError, match="null"):
        prepare_kv_disk("a\0b")


def test_a_folder_that_cannot_be_used_stops_the_start(tmp_path):
    (tmp_path / "file").write_text("")
    live_server.write_config(tmp_path, kv_disk={"directory": str(tmp_path / "file")})
    checked = live_server.manage(tmp_path, "check")
    assert checked.returncode != 0
    assert "kv_disk.directory" in checked.stderr
