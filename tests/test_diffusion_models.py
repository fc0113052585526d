"""A model that fills in masked places, behind the API of those that write token after token."""

import httpx
import pytest

MESSAGES = [{"role": "user", "content": "hello"}]
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]
SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}


@pytest.fixture
def model(register, tiny_model):
    return register("diffusion", tiny_model("diffusion"), "--ctx-size", "512", "--parallel", "2")


def test_it_chats_at_once_and_streamed(openai_client, model):
    body = {
        "model": model,
        "messages": MESSAGES,
        "max_tokens": 40,
        "temperature": 0,
        "extra_body": {"ignore_eos": True},
    }
    whole = openai_client.chat.completions.create(**body)
    assert whole.choices[0].finish_reason == "length"
    assert (whole.usage.completion_tokens, whole.usage.prompt_tokens_details.cached_tokens) == (40, 0)
    chunks = [
        chunk for chunk in openai_client.chat.completions.create(**body, stream=True) if chunk.choices[0].delta.content
    ]
    assert "".join(chunk.choices[0].delta.content for chunk in chunks) == whole.choices[0].message.content
    assert len(chunks) > 1


def test_what_it_cannot_do_is_refused_with_the_reason(server, model):
    chat = {"model": model, "messages": MESSAGES}
    for path, body, param in (
        ("chat/completions", {**chat, "response_format": SCHEMA}, "response_format"),
        ("chat/completions", {**chat, "tools": TOOLS}, "tools"),
        ("completions", {"model": model, "prompt": "a", "echo": True, "logprobs": 1}, "echo"),
    ):
        response = httpx.post(f"{server.base_url}/{path}", json=body, timeout=60)
        assert (response.status_code, response.json()["error"]["param"]) == (400, param)
        assert "this is a diffusion model" in response.json()["error"]["message"]
