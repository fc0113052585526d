"""Every refusal has OpenAI's shape, and names the field, what was found and what is allowed."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from django.test import AsyncClient, override_settings

from inference.pool import pool
from registry.models import RegisteredModel
from tests.live_server import DEMO

URL = "/v1/chat/completions"
USER = {"role": "user", "content": "Hi"}

pytestmark = pytest.mark.usefixtures("demo")  # the model is looked up before the rest of a body is read


@pytest.fixture
def demo(transactional_db) -> RegisteredModel:
    return RegisteredModel.objects.create(name="demo", path=str(DEMO))


async def post(body: object, url: str = URL, **headers: str) -> tuple[int, dict]:
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    response = await AsyncClient(raise_request_exception=False).post(
        url, text, content_type="application/json", headers=headers
    )
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return response.status_code, error


TOOL = {"type": "function", "function": {"name": "f"}}
BAD_FIELDS = [
    ({"tools": [None]}, "tools[0]", "null"),
    ({"functions": [TOOL["function"], None]}, "functions[1]", "null"),
    ({"functions": [{"name": 0}]}, "functions[0].name", "expected a string, got 0"),
    ({"functions": [{"name": "f\n"}]}, "functions[0].name", "may hold 1 to 128 letters"),
    ({"keep_alive": 10**400}, "keep_alive", "at most 100 years"),
    ({"response_format": {"type": "text", "json_schema": []}}, "response_format", "an object as `json_schema`"),
    ({"model": None}, "model", "null"),
    ({"model": 7}, "model", "expected a string, got 7"),
    ({"messages": []}, "messages", "empty"),
    ({"messages": "Hi"}, "messages", "list"),
    ({"messages": ["Hi"]}, "messages[0]", "dictionary"),
    ({"messages": [USER, {"role": "robot", "content": "x"}]}, "messages[1].role", "robot"),
    ({"messages": [{"role": "user"}]}, "messages[0].content", "required for the role `user`"),
    ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content", "a string or a list"),
    ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "messages[0].content", "`type` as part 0"),
    ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content", "`text` of part 0"),
    ({"messages": [{"role": "user", "content": [{"type": "dance"}]}]}, "messages[0].content", "dance"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content", "reads text only"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id", "required"),
    ({"messages": [{"role": "function", "content": "x"}]}, "messages[0].name", "required"),
    (
        {"messages": [{"role": "assistant", "tool_calls": [{"id": "1", "function": {}}]}]},
        "messages[0].tool_calls[0].function.name",
        "required",
    ),
    ({"temperature": 3}, "temperature", "expected a number between 0 and 2, got 3"),
    ({"temperature": "hot"}, "temperature", "got 'hot'"),
    ({"temperature": True}, "temperature", "got True"),
    ({"top_p": -1}, "top_p", "between 0 and 1"),
    ({"top_k": 1.5}, "top_k", "an integer"),
    ({"max_tokens": 0}, "max_tokens", "at least 1"),
    ({"presence_penalty": 9}, "presence_penalty", "between -2 and 2"),
    ({"seed": "x"}, "seed", "an integer"),
    ({"stop": 5}, "stop", "a non-empty string or a list"),
    ({"stop": [""]}, "stop", "non-empty"),
    ({"stop": ["x"] * 17}, "stop", "at most 16"),
    ({"stream": "yes"}, "stream", "true or false"),
    ({"stream_options": {"include_usage": 1}}, "stream_options.include_usage", "true or false"),
    ({"tools": [{"type": "magic"}]}, "tools[0].type", "magic"),
    ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools[0].function.name", "letters"),
    (
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": 1}}]},
        "tools[0].function.parameters",
        "1",
    ),
    ({"tool_choice": "always"}, "tool_choice", "one of none, auto, required"),
    ({"tool_choice": "required"}, "tool_choice", "needs `tools`"),
    ({"tool_choice": {"type": "function", "function": {"name": "f"}}}, "tool_choice", "needs `tools`"),
    ({"tool_choice": {"type": "function", "function": {"name": "g"}}, "tools": [TOOL]}, "tool_choice", "`g`"),
    ({"tool_choice": {"type": "function"}, "tools": [TOOL]}, "tool_choice", "one of none, auto, required"),
    ({"parallel_tool_calls": 1}, "parallel_tool_calls", "true or false"),
    ({"chat_template_kwargs": []}, "chat_template_kwargs", "an object"),
    ({"n": 0}, "n", "between 1 and 128"),
    ({"n_probs": 21}, "n_probs", "between 0 and 20"),
    ({"logprobs": 1}, "logprobs", "true or false"),
    ({"logprobs": True, "top_logprobs": 21}, "top_logprobs", "between 0 and 20"),
    ({"top_logprobs": 2}, "top_logprobs", "needs `logprobs: true`"),
    ({"logit_bias": {"1": 500}}, "logit_bias", "between -100 and 100, got 500"),
    ({"logit_bias": {"": 1}}, "logit_bias", "a token id or a text"),
    ({"logit_bias": [1]}, "logit_bias", "list of pairs"),
    ({"logit_bias": [[True, 1]]}, "logit_bias", "a token id or a text"),
    ({"logit_bias": [[1, True]]}, "logit_bias", "between -100 and 100"),
    ({"samplers": ["top_q"]}, "samplers", "top_n_sigma"),
    ({"samplers": ["top_k", "top_k"]}, "samplers", "at most once"),
    ({"dry_sequence_breakers": "x"}, "dry_sequence_breakers", "list of up to 16"),
    ({"typical_p": 2}, "typical_p", "between 0 and 1"),
    ({"repeat_penalty": 0}, "repeat_penalty", "between 0.1 and 10"),
    ({"mirostat": 3}, "mirostat", "between 0 and 2"),
    ({"response_format": "json"}, "response_format", "`type` is one of"),
    ({"response_format": {"type": "xml"}}, "response_format", "`type` is one of"),
    ({"response_format": {"type": "json_schema"}}, "response_format", "an object as `json_schema`"),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"schema": 1}}},
        "response_format",
        "json_schema.schema",
    ),
    ({"response_format": {"type": "json_object", "schema": 1}}, "response_format", "an object as `schema`"),
    ({"enum": []}, "enum", "1 to 1000"),
    ({"enum": ["a", ""]}, "enum", "non-empty"),
    ({"regex": 1}, "regex", "a string"),
    ({"functions": [{}]}, "functions[0].name", "required"),
    ({"functions": [TOOL["function"]], "tools": [TOOL]}, "functions", "cannot be combined"),
    ({"function_call": {"name": "f"}}, "function_call", "needs `functions`"),
    ({"function_call": "required"}, "function_call", "one of none, auto"),
    ({"continue_final_message": True}, "continue_final_message", "assistant message at the end"),
    ({"reasoning_budget": -2}, "reasoning_budget", "at least -1"),
    ({"reasoning": {"max_tokens": -1}}, "reasoning.max_tokens", "at least 0"),
]


@pytest.mark.parametrize(("change", "param", "part"), BAD_FIELDS)
async def test_a_bad_field_is_named(change, param, part):
    status, error = await post({"model": "demo", "messages": [USER], **change})
    assert status == 400
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param
    assert part in error["message"]
    assert f"`{param}`" in error["message"]


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("{", "not valid JSON"),
        ("", "`model`: This field is required"),
        ("[1]", "an array"),
        ('"x"', "a string"),
        ("null", "null"),
        ("5", "a number"),
        (b"\xff", "UTF-8"),
        ('{"temperature": NaN}', "NaN is no JSON number"),
        ("[" * 100_000, "nested too deeply"),
        (r'{"model": "\ud83d"}', r"lone surrogate, \ud83d"),
    ],
)
async def test_a_body_that_is_no_json_object_is_refused(body, part):
    status, error = await post(body)
    assert status == 400
    assert part in error["message"]


async def test_a_missing_field_is_named():
    status, error = await post({"messages": [USER]})
    assert (status, error["param"]) == (400, "model")


async def test_an_unknown_model_is_not_found(demo):
    status, error = await post({"model": "x", "messages": [USER]})
    assert (status, error["code"], error["param"]) == (404, "model_not_found", "model")


async def test_a_disabled_model_is_not_found(demo):
    await RegisteredModel.objects.aupdate(enabled=False)
    status, error = await post({"model": "demo", "messages": [USER]})
    assert (status, error["code"]) == (404, "model_not_found")


async def test_a_template_that_refuses_says_why(demo):
    await RegisteredModel.objects.aupdate(chat_template_override="{{ raise_exception('no chat today') }}")
    status, error = await post({"model": "demo", "messages": [USER]})
    assert (status, error["param"]) == (400, "messages")
    assert "no chat today" in error["message"]


@pytest.fixture
async def engines() -> AsyncIterator[None]:
    """For tests that load an engine in this process: ends it on the loop that it belongs to."""
    yield
    await pool.close()


async def test_a_template_that_renders_nothing_is_refused(demo, engines):
    await RegisteredModel.objects.aupdate(chat_template_override="{# nothing #}")
    status, error = await post({"model": "demo", "messages": [USER]})
    assert (status, error["message"]) == (400, "The messages result in an empty prompt.")


@pytest.mark.parametrize("path", ["/v1/nope", "/v1/chat/completions/", "/v1/", "/v1/models/a%0Ab/load"])
async def test_an_unknown_path_is_not_found(path):
    status, error = await post({}, path)
    assert (status, error["code"]) == (404, "unknown_url")


@pytest.mark.parametrize(
    "path", ["/chat/completions", "/models", "/v1/v1/models", "/v1/chat/completions/models", "/api/v1/responses"]
)
async def test_a_client_with_a_wrong_base_url_is_told_the_right_one(path):
    status, error = await post({}, path)
    assert (status, error["code"]) == (404, "unknown_url")
    assert "base URL ends in /v1" in error["message"]


async def test_a_wrong_method_is_named():
    response = await AsyncClient().get(URL)
    assert response.status_code == 405
    assert "GET" in response.json()["error"]["message"]


@override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=100)
async def test_a_body_over_the_limit_is_a_413():
    status, error = await post({"model": "x" * 200})
    assert status == 413
    assert "larger than 100 bytes" in error["message"]


def test_an_unknown_host_is_refused_with_the_setting_to_change(server):
    response = httpx.post(server.base_url + "/chat/completions", json={}, headers={"host": "evil.example"}, timeout=60)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (400, "host_not_allowed")
    assert "server.allowed_hosts" in error["message"]


def test_the_host_that_librechat_in_docker_uses_is_allowed(server):
    headers = {"host": "host.docker.internal:8000"}
    response = httpx.post(server.base_url + "/chat/completions", json={}, headers=headers, timeout=60)
    assert response.json()["error"]["param"] == "model"


def test_pages_outside_the_api_keep_djangos_errors(server):
    assert httpx.get(server.url + "/nothing", timeout=60).status_code == 404
    response = httpx.get(server.url + "/admin/login/", headers={"host": "evil.example"}, timeout=60)
    assert response.status_code == 400
    assert response.headers["content-type"].startswith("text/html")


async def test_an_unexpected_error_is_logged_and_answered(monkeypatch, caplog):
    def fail(name: str) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(RegisteredModel.objects, "for_api", fail)
    status, error = await post({"model": "demo", "messages": [USER]})
    assert (status, error["type"]) == (500, "server_error")
    assert "boom" not in error["message"]
    assert "boom" in caplog.text


async def test_json_is_read_whatever_the_content_type(demo):
    body = json.dumps({"model": "x", "messages": [USER]})
    response = await AsyncClient().post(URL, body, content_type="application/x-www-form-urlencoded")
    assert response.json()["error"]["code"] == "model_not_found"
