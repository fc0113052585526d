"""`/v1/responses` with the official client, a real server and the demo model."""

import json

import httpx
import openai
import pytest
from openai.types.responses import Response
from openai.types.responses.response_item_list import ResponseItemList

from tests.test_chat_completions import capital

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Get the current weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": False,
}
PARIS = "The capital of France is Paris."


def ask(openai_client: openai.OpenAI, question: object, **options: object) -> Response:
    return openai_client.responses.create(model="demo", input=question, temperature=0, **options)


def strictly(response: Response) -> Response:
    """Check against the client's types, which it does not do by itself."""
    return Response.model_validate_json(json.dumps(response.to_dict()))


def test_a_question_is_answered(openai_client):
    response = ask(openai_client, capital("France"))
    assert strictly(response).output_text == response.output_text
    assert "Paris" in response.output_text
    assert (response.object, response.model, response.status) == ("response", "demo", "completed")
    assert response.id.startswith("resp_")
    assert response.completed_at >= response.created_at
    [message] = response.output
    assert (message.type, message.role, message.status) == ("message", "assistant", "completed")
    assert message.id.startswith("msg_")
    assert message.content[0].annotations == []
    usage = response.usage
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    assert usage.output_tokens > 0
    details = usage.input_tokens_details
    assert details.cached_tokens + details.cache_write_tokens == usage.input_tokens


async def test_the_asynchronous_client_gets_the_same(server, openai_client):
    async with openai.AsyncOpenAI(base_url=server.base_url, api_key="x") as client:
        response = await client.responses.create(model="demo", input=capital("France"), temperature=0)
        assert response.output_text == ask(openai_client, capital("France")).output_text
        stream = await client.responses.create(model="demo", input=capital("France"), temperature=0, stream=True)
        events = [event async for event in stream]
    assert events[-1].response.output_text == response.output_text


def test_what_was_asked_for_comes_back(openai_client):
    response = ask(
        openai_client,
        "Hello!",
        instructions="Answer briefly.",
        metadata={"topic": "tests"},
        user="ada",
        max_output_tokens=50,
        max_tool_calls=3,
        tools=[WEATHER],
        tool_choice="none",
        text={"format": {"type": "text"}},
        reasoning={"effort": "low"},
        truncation="disabled",
    )
    assert response.instructions == "Answer briefly."
    assert (response.metadata, response.user) == ({"topic": "tests"}, "ada")
    assert (response.max_output_tokens, response.max_tool_calls) == (50, 3)
    assert (response.temperature, response.top_p) == (0, 0.95)
    assert (response.tool_choice, response.parallel_tool_calls) == ("none", True)
    assert response.tools[0].name == "get_weather"
    assert response.text.format.type == "text"
    assert (response.reasoning.effort, response.truncation) == ("low", "disabled")
    assert response.error is response.incomplete_details is response.previous_response_id is None
    strictly(response)


def test_an_answer_that_is_cut_is_incomplete(openai_client):
    response = ask(openai_client, "Count to 30.", max_output_tokens=5)
    assert response.status == response.output[0].status == "incomplete"
    assert response.incomplete_details.reason == "max_output_tokens"
    assert response.usage.output_tokens == 5
    assert response.completed_at is None


def test_every_kind_of_message_is_understood(openai_client):
    items = [
        {"type": "message", "role": "developer", "content": "Answer briefly."},
        {"role": "system", "content": [{"type": "input_text", "text": "Be kind."}]},
        {"role": "user", "content": [{"type": "input_text", "text": capital("Spain")}]},
        {"role": "assistant", "content": [{"type": "output_text", "text": "The capital of Spain is Madrid."}]},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No more of this."}]},
        {"role": "user", "content": "My name is Ada. Remember it."},
        {
            "type": "reasoning",
            "id": "rs_x",
            "summary": [],
            "content": [{"type": "reasoning_text", "text": "Ada, then."}],
        },
        {"type": "message", "role": "assistant", "content": "Nice to meet you, Ada!"},
        {"role": "user", "content": "What is my name?"},
    ]
    assert "Ada" in ask(openai_client, items).output_text


def test_a_function_is_called_and_its_result_used(openai_client):
    items: list = [{"role": "user", "content": "What is the weather in Rome?"}]
    first = ask(openai_client, items, tools=[WEATHER])
    [call] = first.output
    assert (call.type, call.name, call.status) == ("function_call", "get_weather", "completed")
    assert json.loads(call.arguments) == {"city": "Rome"}
    assert call.id.startswith("fc_")
    assert call.call_id.startswith("call_")
    strictly(first)
    items += [call.to_dict(), {"type": "function_call_output", "call_id": call.call_id, "output": "Sunny, 21°C"}]
    second = ask(openai_client, items, tools=[WEATHER])
    assert "21" in second.output_text


def test_a_function_call_is_continued(openai_client):
    first = ask(openai_client, "What is the weather in Rome?", tools=[WEATHER])
    result = [{"type": "input_text", "text": "Sunny, 21°C"}]
    output = {"type": "function_call_output", "call_id": first.output[0].call_id, "output": result}
    second = ask(openai_client, [output], tools=[WEATHER], previous_response_id=first.id)
    assert "21" in second.output_text
    assert (
        first.output[0].call_id != ask(openai_client, "What is the weather in Rome?", tools=[WEATHER]).output[0].call_id
    )
    listed = list(openai_client.responses.input_items.list(second.id))
    assert (listed[0].type, listed[0].output[0].text) == ("function_call_output", "Sunny, 21°C")


def test_a_response_is_continued_and_finds_its_history_in_the_cache(openai_client):
    first = ask(openai_client, "My name is Ada. Remember it.", instructions="Answer briefly.")
    second = ask(openai_client, "What is my name?", previous_response_id=first.id, instructions="Answer briefly.")
    assert "Ada" in second.output_text
    assert second.previous_response_id == first.id
    assert second.usage.input_tokens_details.cached_tokens >= first.usage.input_tokens
    third = ask(openai_client, "What is my name?", previous_response_id=second.id)
    assert "Ada" in third.output_text
    assert third.instructions is None


def test_log_probabilities_belong_to_the_text(openai_client):
    response = ask(openai_client, capital("France"), include=["message.output_text.logprobs"], top_logprobs=2)
    part = response.output[0].content[0]
    assert b"".join(bytes(token.bytes) for token in part.logprobs).decode() == part.text
    assert all(len(token.top_logprobs) == 2 for token in part.logprobs)
    assert response.top_logprobs == 2
    strictly(response)


def test_llama_cpps_samplers_work_here_too(openai_client):
    options = {"top_k": 1, "min_p": 0, "seed": 7, "stop": ["5"], "samplers": ["top_k"], "logit_bias": {"1": 0}}
    response = openai_client.responses.create(model="demo", input="Count to 9.", temperature=1.5, extra_body=options)
    assert "4" in response.output_text
    assert "5" not in response.output_text


def test_fields_without_effect_are_named_in_a_header(server):
    body = {
        "model": "demo",
        "input": "Hello!",
        "store": True,
        "metadata": {},
        "user": "u",
        "background": False,
        "service_tier": "auto",
        "prompt_cache_key": "k",
        "safety_identifier": "s",
        "text": {"verbosity": "low"},
        "reasoning": {"summary": "auto", "effort": None},
        "stream_options": {"include_obfuscation": True},
        "include": ["reasoning.encrypted_content"],
    }
    response = httpx.post(f"{server.base_url}/responses", json=body, timeout=60)
    assert response.status_code == 200
    assert response.headers["x-ignored-fields"] == (
        "include.reasoning.encrypted_content, prompt_cache_key, reasoning.summary, safety_identifier, service_tier, "
        "stream_options.include_obfuscation, text.verbosity"
    )


def test_librechats_request_is_answered(server):
    body = {
        "model": "demo",
        "user": "665f00000000000000000001",
        "stream": True,
        "text": {},
        "input": [
            {"type": "message", "role": "system", "content": "You are a helpful assistant."},
            {"type": "message", "role": "user", "content": capital("Italy")},
        ],
    }
    response = httpx.post(f"{server.base_url}/responses", json=body, timeout=60)
    assert response.status_code == 200
    assert "Rome" in response.text
    assert "x-ignored-fields" not in response.headers


def test_a_response_is_read_again_and_deleted(openai_client):
    response = ask(openai_client, capital("France"), metadata={"a": "b"})
    assert openai_client.responses.retrieve(response.id).to_dict() == response.to_dict()
    assert openai_client.responses.delete(response.id) is None
    with pytest.raises(openai.NotFoundError) as caught:
        openai_client.responses.retrieve(response.id)
    assert caught.value.code == "response_not_found"
    with pytest.raises(openai.NotFoundError):
        openai_client.responses.delete(response.id)
    with pytest.raises(openai.BadRequestError) as caught:
        ask(openai_client, "And of Spain?", previous_response_id=response.id)
    assert (caught.value.code, caught.value.param) == ("previous_response_not_found", "previous_response_id")


def test_input_items_come_in_pages(server, openai_client):
    texts = ["Hello!", "Hi! How can I help you?", capital("France")]
    roles = ["user", "assistant", "user"]
    items = [{"role": role, "content": text} for role, text in zip(roles, texts, strict=True)]
    response = ask(openai_client, items)
    listed = list(openai_client.responses.input_items.list(response.id, limit=2, order="asc"))
    assert [item.content[0].text for item in listed] == texts
    assert [item.role for item in listed] == roles
    newest = openai_client.responses.input_items.list(response.id, limit=1)
    assert newest.has_more
    assert newest.data[0].content[0].text == texts[-1]
    page = httpx.get(f"{server.base_url}/responses/{response.id}/input_items", timeout=60).json()
    ResponseItemList.model_validate(page)


def test_a_reference_stands_for_a_stored_item(openai_client):
    first = ask(openai_client, "My name is Ada. Remember it.")
    question = openai_client.responses.input_items.list(first.id).data[0]
    items = [
        {"type": "item_reference", "id": question.id},
        {"id": first.output[0].id},
        {"role": "user", "content": "What is my name?"},
    ]
    response = ask(openai_client, items)
    assert "Ada" in response.output_text
    listed = list(openai_client.responses.input_items.list(response.id, order="asc"))
    assert [item.id for item in listed[:2]] == [question.id, first.output[0].id]


def test_what_is_not_stored_is_gone(openai_client):
    response = ask(openai_client, capital("France"), store=False)
    assert response.to_dict()["store"] is False
    with pytest.raises(openai.NotFoundError):
        openai_client.responses.retrieve(response.id)


def test_a_conversation_that_does_not_fit_is_refused_or_loses_its_oldest_turns(openai_client):
    items: list = [{"role": "system", "content": "Answer briefly."}]
    for _ in range(60):
        items += [{"role": "user", "content": "word " * 40}, {"role": "assistant", "content": "Yes."}]
    items.append({"role": "user", "content": capital("France")})
    with pytest.raises(openai.BadRequestError) as caught:
        ask(openai_client, items)
    assert (caught.value.code, caught.value.param) == ("context_length_exceeded", "input")
    response = ask(openai_client, items, truncation="auto")
    assert "Paris" in response.output_text
    assert response.truncation == "auto"
    assert 1000 < response.usage.input_tokens <= 2048 * 3 / 4
    with pytest.raises(openai.BadRequestError):
        ask(openai_client, "word " * 5000, truncation="auto")


def test_the_input_tokens_are_counted_without_an_answer(openai_client):
    first = ask(openai_client, "My name is Ada. Remember it.", instructions="Answer briefly.")
    options = {"model": "demo", "input": "What is my name?", "previous_response_id": first.id}
    count = openai_client.responses.input_tokens.count(**options)
    assert count.object == "response.input_tokens"
    assert (
        count.input_tokens == ask(openai_client, "What is my name?", previous_response_id=first.id).usage.input_tokens
    )
