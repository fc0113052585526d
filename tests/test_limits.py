"""What one request may ask for, and how many at a time: every limit has its error."""

import threading

import httpx
import pytest

from tests import live_server
from tests.live_server import DEMO
from tests.pooling_models import write_bert

LIMITS = {
    "requests": 3,
    "requests_per_key": 2,
    "body_size": "20 KB",
    "messages": 5,
    "prompt_chars": 1000,
    "schema_size": 500,
    "stop_strings": 3,
    "choices": 4,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("limited_server")
    model = {"name": "demo", "path": str(DEMO), "parallel": 8, "ctx_size": 512}
    pooling = {"embedder": write_bert(folder / "bert.gguf"), "ranker": write_bert(folder / "ranker.gguf", None, True)}
    models = [model, *({"name": name, "path": str(path)} for name, path in pooling.items())]
    live_server.set_up(folder, models=models, limits=LIMITS)
    server = live_server.start(folder)
    yield server
    server.stop()


def user(text: str) -> dict:
    return {"role": "user", "content": text}


TOOL = {"type": "function", "function": {"name": "f", "description": "x" * 600}}


@pytest.mark.parametrize(
    ("path", "change", "param", "part"),
    [
        ("chat/completions", {"messages": [user("a")] * 6}, "messages", "at most 5 messages (limits.messages), got 6"),
        ("chat/completions", {"messages": [user("a" * 501)] * 2}, "messages", "(limits.prompt_chars), got 1002"),
        ("chat/completions", {"messages": [user("a")], "tools": [TOOL]}, "tools", "(limits.schema_size), got 6"),
        ("chat/completions", {"messages": [user("a")], "regex": "a" * 501}, "regex", "at most 500 bytes of JSON"),
        ("chat/completions", {"messages": [user("a")], "stop": list("abcd")}, "stop", "(limits.stop_strings), got"),
        ("chat/completions", {"messages": [user("a")], "n": 5}, "n", "between 1 and 4"),
        ("completions", {"prompt": "a" * 1001}, "prompt", "at most 1000 characters as the prompt"),
        ("completions", {"prompt": ["a"] * 5}, "prompt", "at most 4 completions in one request (limits.choices)"),
        ("responses", {"input": "a" * 1001}, "input", "(limits.prompt_chars)"),
        ("tokenize", {"content": "a" * 1001}, "content", "at most 1000 characters as the content"),
        (
            "embeddings",
            {"model": "embedder", "input": ["a", "a" * 1001]},
            "input",
            "at most 1000 characters as the input 1",
        ),
        (
            "rerank",
            {"model": "ranker", "query": "a" * 1001, "documents": ["a"]},
            "query",
            "at most 1000 characters as the query",
        ),
        (
            "rerank",
            {"model": "ranker", "query": "a", "documents": ["a" * 1001]},
            "documents",
            "at most 1000 characters as the document 0",
        ),
    ],
)
def test_a_request_that_asks_for_too_much(server, path, change, param, part):
    answer = httpx.post(f"{server.base_url}/{path}", json={"model": "demo", **change}, timeout=60)
    error = answer.json()["error"]
    assert answer.status_code == 400, error
    assert error["type"] == "invalid_request_error"
    assert (error["param"] or "").startswith(param)
    assert part in error["message"]


def test_a_body_that_is_too_large(server):
    answer = httpx.post(f"{server.base_url}/chat/completions", content=b" " * 20_001, timeout=60)
    assert answer.status_code == 413
    assert "larger than 20000 bytes (limits.body_size)" in answer.json()["error"]["message"]


def test_too_many_requests_at_a_time(server):
    """Two of a key and three in all; a request that ends makes room for another one."""
    body = {"model": "demo", "messages": [user("Count to 9.")], "stream": True, "ignore_eos": True, "max_tokens": 400}

    def post(key: str, **change: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.post(f"{server.base_url}/chat/completions", json={**body, **change}, headers=headers, timeout=60)

    def stream(key: str):
        headers = {"Authorization": f"Bearer {key}"}
        client = httpx.Client(timeout=60)
        response = client.send(
            client.build_request("POST", f"{server.base_url}/chat/completions", json=body, headers=headers), stream=True
        )
        assert response.status_code == 200
        return client

    first, second = stream("a"), stream("a")
    refused = post("a")
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "too_many_requests"
    assert "2 requests of this API key are being answered (limits.requests_per_key)" in refused.text
    third = stream("b")
    refused = post("c")
    assert refused.status_code == 429
    assert "3 requests are being answered (limits.requests)" in refused.text
    assert httpx.get(f"{server.base_url}/models", timeout=60).status_code == 200
    for client in (first, second, third):
        client.close()
    server.wait_for("running == 0")
    assert post("c", stream=False, max_tokens=2).status_code == 200


def test_connections_that_come_and_go_leave_nothing(server):
    def knock() -> None:
        with httpx.Client(timeout=60) as client:
            client.get(f"{server.base_url}/health")

    for _ in range(5):
        threads = [threading.Thread(target=knock) for _ in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert httpx.get(f"{server.base_url}/health", timeout=60).json()["status"] == "ok"
