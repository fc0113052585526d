"""What the request log says of real requests."""

import json
import os
import signal
import sqlite3

import httpx
import pytest

from tests.live_server import LiveServer, wait_until

HELLO = [{"role": "user", "content": "Hello!"}]


def row_of(server: LiveServer, request_id: str) -> dict:
    """Return the row of a request once it is written."""
    database = sqlite3.connect(server.database)
    database.row_factory = sqlite3.Row
    find = "SELECT * FROM usage_requestlog WHERE request_id = ?"
    wait_until(lambda: database.execute(find, (request_id,)).fetchone())
    [row] = database.execute(find, (request_id,)).fetchall()
    database.close()
    return dict(row)


@pytest.fixture
def post(server):
    """Posts a body to the API; returns the answer and the row."""

    def post(path: str, base: LiveServer = server, **body: object) -> tuple[dict, dict]:
        url = f"{base.base_url}/{path}"
        response = httpx.post(url, json={"model": "demo", **body}, timeout=60)
        return response.json(), row_of(base, response.headers["x-request-id"])

    return post


def usage(row: dict) -> tuple[int, int, int]:
    return row["prompt_tokens"], row["cached_tokens"], row["completion_tokens"]


def test_a_chat_completion(post):
    answer, row = post("chat/completions", messages=HELLO, n=3)
    told = answer["usage"]
    expected = told["prompt_tokens"], told["prompt_tokens_details"]["cached_tokens"], told["completion_tokens"]
    assert usage(row) == expected
    assert (row["endpoint"], row["model"], row["status"]) == ("/v1/chat/completions", "demo", 200)
    assert (row["finish_reason"], row["streamed"], row["error_code"]) == ("stop", 0, "")
    assert 0 <= row["queue_ms"] <= row["first_token_ms"] <= row["total_ms"]


def test_a_text_completion_counts_each_prompt_once(post):
    answer, row = post("completions", prompt=["One", "One", "Two"], n=2, max_tokens=4)
    told = answer["usage"]
    assert (row["prompt_tokens"], row["completion_tokens"]) == (told["prompt_tokens"], told["completion_tokens"])
    assert row["finish_reason"] == "length"


def test_where_nothing_is_to_be_generated_nothing_counts(post):
    answer, row = post("completions", prompt="One", max_tokens=0)
    assert row["completion_tokens"] == answer["usage"]["completion_tokens"] == 0


def test_a_response(post):
    answer, row = post("responses", input="Hello!")
    told = answer["usage"]
    expected = told["input_tokens"], told["input_tokens_details"]["cached_tokens"], told["output_tokens"]
    assert usage(row) == expected
    assert row["endpoint"] == "/v1/responses"


def test_a_tool_call_is_its_finish_reason(post):
    function = {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
    tools = [{"type": "function", "function": function}]
    _, row = post("chat/completions", messages=HELLO, tools=tools, tool_choice="required", max_tokens=60)
    assert row["finish_reason"] == "tool_calls"


def test_embeddings(post, pooling_server):
    answer, row = post("embeddings", pooling_server, model="bert", input=["One", "Two"])
    assert row["prompt_tokens"] == answer["usage"]["prompt_tokens"] > 0
    assert (row["completion_tokens"], row["first_token_ms"]) == (0, None)


def test_reranking(post, pooling_server):
    answer, row = post("rerank", pooling_server, model="ranker", query="One", documents=["Two", "Three"])
    assert row["prompt_tokens"] == answer["usage"]["total_tokens"] > 0


def test_tokenising_takes_no_tokens(post):
    _, row = post("tokenize", content="Hello")
    assert (row["endpoint"], usage(row)) == ("/v1/tokenize", (0, 0, 0))


def test_an_unknown_model(post):
    _, row = post("chat/completions", model="nobody", messages=HELLO)
    assert (row["model"], row["status"], row["error_code"]) == ("nobody", 404, "model_not_found")
    assert "`nobody` does not exist" in row["error"]


def test_a_body_that_is_refused(post):
    _, row = post("chat/completions", messages=HELLO, temperature=9)
    assert (row["model"], row["status"], row["error_code"]) == ("demo", 400, "invalid_request_error")
    assert row["error"].startswith("Invalid `temperature`")


def test_a_body_that_is_no_json(server):
    response = httpx.post(f"{server.base_url}/chat/completions", content=b"{", timeout=60)
    row = row_of(server, response.headers["x-request-id"])
    assert (row["model"], row["status"]) == ("", 400)


def test_a_prompt_that_is_too_long(post):
    _, row = post("completions", prompt="word " * 20_000)
    assert (row["error_code"], usage(row)) == ("context_length_exceeded", (0, 0, 0))


def test_a_stream_whose_client_leaves(server):
    body = {"model": "demo", "prompt": "Once", "stream": True, "max_tokens": 3000, "ignore_eos": True}
    headers = {"x-request-id": "gone-away"}
    with httpx.stream("POST", f"{server.base_url}/completions", json=body, headers=headers, timeout=60) as response:
        lines = response.iter_lines()
        for _ in range(10):
            next(lines)
    row = row_of(server, "gone-away")
    assert (row["status"], row["finish_reason"], row["streamed"], row["error_code"]) == (200, "abort", 1, "")
    assert row["prompt_tokens"] > 0
    assert 0 < row["completion_tokens"] < 3000


def test_a_stream_that_fails_in_the_middle(server, post):
    post("tokenize", content="Load it.")
    pid = _pid(server)
    body = {"model": "demo", "prompt": "Once", "stream": True, "max_tokens": 3000, "ignore_eos": True}
    headers = {"x-request-id": "died-midway"}
    with httpx.stream("POST", f"{server.base_url}/completions", json=body, headers=headers, timeout=60) as response:
        lines = response.iter_lines()
        next(lines)
        os.kill(pid, signal.SIGKILL)
        last = [line for line in lines if line.startswith("data: {")][-1]
    row = row_of(server, "died-midway")
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == "worker_died"
    assert (row["status"], row["error_code"], row["streamed"]) == (200, "worker_died", 1)
    assert row["completion_tokens"] > 0


def test_listing_models_is_no_row(server):
    response = httpx.get(f"{server.base_url}/models", headers={"x-request-id": "a-list"}, timeout=60)
    assert response.headers["x-request-id"] == "a-list"
    httpx.post(f"{server.base_url}/tokenize", json={"model": "demo"}, headers={"x-request-id": "after-it"}, timeout=60)
    row_of(server, "after-it")
    database = sqlite3.connect(server.database)
    assert not database.execute("SELECT 1 FROM usage_requestlog WHERE request_id = 'a-list'").fetchall()
    database.close()


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/nowhere"), ("GET", "/v1/chat/completions"), ("OPTIONS", "/v1/models")]
)
def test_every_answer_has_an_id(server, method, path):
    assert len(httpx.request(method, server.url + path, timeout=60).headers["x-request-id"]) == 32


def _pid(server: LiveServer) -> int:
    token = server.manage("pool", "token").stdout.strip()
    pool = httpx.get(f"{server.base_url}/pool", headers={"Authorization": f"Bearer {token}"}, timeout=60).json()
    return next(model["pid"] for model in pool["models"] if model["name"] == "demo")
