"""What `/v1/responses` refuses: each time with the field's name as the Responses API has it."""

import pytest
from django.test import override_settings

from registry.models import RegisteredModel
from tests.live_server import DEMO
from tests.test_api_errors import post

URL = "/v1/responses"
pytestmark = pytest.mark.usefixtures("demo")  # the model is looked up before the rest of a body is read
USER = {"role": "user", "content": "Hi"}
FUNCTION = {"type": "function", "name": "f"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "x"}

BAD_FIELDS = [
    ({"model": None}, "model", "null"),
    ({"input": None}, "input", "null"),
    ({"input": 5}, "input", "a string or a list of items, got 5"),
    ({"input": []}, "input", "empty"),
    ({"input": ["Hi"]}, "input[0]", "an object, got 'Hi'"),
    ({"input": [USER, {"role": "tool", "content": "x"}]}, "input[1].role", "tool"),
    ({"input": [{"role": "user"}]}, "input[0].content", "required"),
    ({"input": [{"role": "user", "content": 5}]}, "input[0].content", "a string or a list"),
    ({"input": [USER, USER, {"role": "user", "content": ["x"]}]}, "input[2].content[0]", "an object"),
    ({"input": [{"role": "user", "content": [{"text": "x"}]}]}, "input[0].content[0].type", "input_text"),
    ({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}, "input[0].content[0].text", "a string"),
    ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, "input[0].content[0].type", "an image"),
    ({"input": [{"role": "user", "content": [{"type": "input_file"}]}]}, "input[0].content[0].type", "a file"),
    ({"input": [{"type": "dance"}]}, "input[0].type", "item_reference, got 'dance'"),
    ({"input": [{"type": ["x"]}]}, "input[0].type", "got ['x']"),
    ({"input": [{"type": "web_search_call", "id": "x"}]}, "input[0].type", "functions only"),
    ({"input": [{"type": "local_shell_call_output"}]}, "input[0].type", "functions only"),
    ({"input": [{"type": "function_call", "call_id": "c", "name": "f"}]}, "input[0].arguments", "required"),
    ({"input": [{**OUTPUT, "output": [{"type": "input_image"}]}]}, "input[0].output[0].type", "an image"),
    ({"input": [{"type": "reasoning", "content": [{"text": "x"}]}]}, "input[0].content[0].type", "required"),
    ({"input": [{"type": "item_reference"}]}, "input[0].id", "required"),
    ({"instructions": 5}, "instructions", "a string"),
    ({"tools": {}}, "tools", "list"),
    ({"tools": [FUNCTION, {"type": "function"}]}, "tools[1].name", "required"),
    ({"tools": [{"type": "function", "name": "a b"}]}, "tools[0].name", "letters"),
    ({"tools": [{**FUNCTION, "parameters": 1}]}, "tools[0].parameters", "an object"),
    ({"tools": [{"name": "f"}]}, "tools[0].type", "required"),
    ({"tools": [{"type": "dance"}]}, "tools[0].type", "`function`, got 'dance'"),
    ({"tools": [{"type": "web_search"}]}, "tools[0].type", 'no web search. In LibreChat, switch off "Web search"'),
    ({"tools": [{"type": "web_search_preview_2025_03_11"}]}, "tools[0].type", "no web search"),
    ({"tools": [{"type": "file_search"}]}, "tools[0].type", "cannot search files"),
    ({"tools": [{"type": "code_interpreter"}]}, "tools[0].type", "runs no code"),
    ({"tools": [{"type": "computer_use_preview"}]}, "tools[0].type", "no computer"),
    ({"tools": [{"type": "image_generation"}]}, "tools[0].type", "no images"),
    ({"tools": [{"type": "mcp"}]}, "tools[0].type", "no MCP servers"),
    ({"tools": [{"type": "local_shell"}]}, "tools[0].type", "no commands"),
    ({"tools": [{"type": "custom", "name": "x"}]}, "tools[0].type", "functions only"),
    ({"tool_choice": "any"}, "tool_choice", "`none`, `auto`, `required`"),
    ({"tool_choice": {"type": "web_search_preview"}}, "tool_choice", "no web search"),
    ({"tool_choice": {"type": "allowed_tools"}}, "tool_choice.type", "`function`, got 'allowed_tools'"),
    ({"tool_choice": {"type": "function"}}, "tool_choice.name", "the name of a function"),
    ({"parallel_tool_calls": 1}, "parallel_tool_calls", "true or false"),
    ({"text": {"format": 5}}, "text.format", "an object"),
    ({"text": {"format": {"type": "xml"}}}, "text.format.type", "`json_schema`, got 'xml'"),
    ({"text": {"format": {"type": "json_schema", "name": "x"}}}, "text.format.schema", "required"),
    ({"text": {"format": {"type": "json_schema", "name": "x y", "schema": {}}}}, "text.format.name", "letters"),
    ({"text": {"verbosity": "huge"}}, "text.verbosity", "huge"),
    ({"reasoning": {"effort": 5}}, "reasoning.effort", "a string"),
    ({"reasoning": {"summary": "long"}}, "reasoning.summary", "long"),
    ({"temperature": 3}, "temperature", "expected a number between 0 and 2, got 3"),
    ({"top_p": -1}, "top_p", "between 0 and 1"),
    ({"max_output_tokens": 0}, "max_output_tokens", "at least 1"),
    ({"max_tool_calls": 0}, "max_tool_calls", "at least 1"),
    ({"include": "x"}, "include", "a list"),
    ({"include": ["x"]}, "include", "message.output_text.logprobs"),
    ({"top_logprobs": 2}, "top_logprobs", "message.output_text.logprobs"),
    ({"top_logprobs": 21}, "top_logprobs", "between 0 and 20"),
    ({"stream": "yes"}, "stream", "true or false"),
    ({"stream_options": {"include_obfuscation": 1}}, "stream_options.include_obfuscation", "true or false"),
    ({"store": "yes"}, "store", "true or false"),
    ({"previous_response_id": 5}, "previous_response_id", "a string"),
    ({"metadata": []}, "metadata", "an object"),
    ({"metadata": {"a": 1}}, "metadata", "as `a`"),
    ({"metadata": {"k" * 65: "x"}}, "metadata", "64 characters"),
    ({"metadata": {str(number): "x" for number in range(17)}}, "metadata", "at most 16"),
    ({"truncation": "maybe"}, "truncation", "maybe"),
    ({"user": 5}, "user", "a string"),
    ({"background": True}, "background", "no background mode"),
    ({"conversation": "conv_1"}, "conversation", "previous_response_id"),
    ({"prompt": {"id": "x"}}, "prompt", "no stored prompts"),
    ({"moderation": {}}, "moderation", "no moderation"),
    ({"context_management": [{"type": "compaction"}]}, "context_management", "truncation"),
    ({"n": 2}, "n", "does not support"),
    ({"messages": [USER]}, "messages", "here it is `input`"),
    ({"max_tokens": 5}, "max_tokens", "`max_output_tokens`"),
    ({"response_format": {"type": "text"}}, "response_format", "`text.format`"),
    ({"logprobs": True}, "logprobs", "message.output_text.logprobs"),
    ({"top_k": 1.5}, "top_k", "an integer"),
    ({"stop": 5}, "stop", "a non-empty string"),
]


@pytest.fixture
def demo(transactional_db) -> RegisteredModel:
    return RegisteredModel.objects.create(name="demo", path=str(DEMO))


@pytest.mark.parametrize(("change", "param", "part"), BAD_FIELDS)
async def test_a_bad_field_is_named(change, param, part):
    status, error = await post({"model": "demo", "input": "Hi", **change}, URL)
    assert status == 400
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param
    assert part in error["message"]
    assert f"`{param}`" in error["message"]


async def test_missing_input_is_named():
    assert (await post({"model": "demo"}, URL))[1]["param"] == "input"


async def test_an_unknown_model_is_not_found(demo):
    status, error = await post({"model": "x", "input": "Hi"}, URL)
    assert (status, error["code"], error["param"]) == (404, "model_not_found", "model")


@pytest.mark.parametrize(
    ("change", "param", "part"),
    [
        ({"input": [USER, OUTPUT]}, "input[1].call_id", "no tool call found"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0].id", "`msg_1` not found"),
        ({"input": [USER, {"id": f"msg_{'0' * 32}_0"}]}, "input[1].id", "not found"),
        ({"previous_response_id": "resp_x"}, "previous_response_id", "`resp_x` not found: there is none"),
    ],
)
async def test_what_leads_nowhere_is_named(demo, change, param, part):
    status, error = await post({"model": "demo", "input": "Hi", **change}, URL)
    assert (status, error["param"]) == (400, param)
    assert part in error["message"]


@pytest.mark.parametrize("url", [URL, f"{URL}/input_tokens"])
async def test_a_template_that_refuses_names_the_input(demo, url):
    await RegisteredModel.objects.aupdate(chat_template_override="{{ raise_exception('no chat today') }}")
    status, error = await post({"model": "demo", "input": "Hi"}, url)
    assert (status, error["param"]) == (400, "input")
    assert "no chat today" in error["message"]


@override_settings(RESPONSE_RETENTION_DAYS=0)
async def test_a_server_that_keeps_nothing_says_so(demo, async_client):
    status, error = await post({"model": "demo", "input": "Hi", "previous_response_id": "resp_x"}, URL)
    assert (status, error["code"]) == (400, "previous_response_not_found")
    assert "`responses.retention_days` is 0" in error["message"]
    response = await async_client.get(f"{URL}/resp_x")
    assert response.status_code == 404
    assert "`responses.retention_days` is 0" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "status", "part"),
    [
        ("resp_x", 404, "was not found"),
        ("resp_x?stream=true", 400, "not streamed again"),
        ("resp_x/input_items", 404, "was not found"),
        ("resp_x/input_items?limit=0", 400, "`limit`"),
        ("resp_x/input_items?order=up", 400, "`order`"),
        ("resp_x/cancel", 404, "Unknown URL"),
    ],
)
async def test_a_bad_path_or_query_is_refused(demo, async_client, path, status, part):
    response = await async_client.get(f"{URL}/{path}")
    assert response.status_code == status
    assert part in response.json()["error"]["message"]
