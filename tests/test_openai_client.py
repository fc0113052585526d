"""What the official client offers beyond sending a request: strict types, parsing, its stream helpers, its errors."""

import asyncio
import inspect
import os
import signal
from collections.abc import Iterator
from typing import Literal

import httpx
import openai
import pytest
from openai.resources import Completions, Embeddings
from openai.resources.chat.completions import Completions as ChatCompletions
from openai.resources.responses import Responses
from openai.types.chat import ChatCompletionChunk
from pydantic import BaseModel, Field

from inference.serializers.base import WITHOUT_EFFECT
from inference.serializers.chat import ChatCompletionRequestSerializer
from inference.serializers.completions import CompletionRequestSerializer
from inference.serializers.embeddings import EmbeddingsRequestSerializer
from inference.serializers.responses import ResponseRequestSerializer
from tests.strict_types import strictly
from tests.test_chat_completions import CALCULATOR, WEATHER, capital, user

ROME = "What is the weather in Rome?"
CITIES = "What is the weather in Paris and in Rome?"
NAMED = {"type": "function", "function": {"name": "get_weather"}}
THINKING = [user("Hello!"), {"role": "assistant", "content": "<think>\n"}]
MODEL_EXTRAS = ("parent", "context_length", "pricing", "meta")
# They stand in OpenAI's specification, but this client does not know them.
RESPONSE_EXTRAS = {
    "response.created": ["response.store"],
    "response.in_progress": ["response.store"],
    "response.completed": ["response.store"],
    "response.function_call_arguments.done": ["name"],
}


class GetWeather(BaseModel):
    """Get the current weather in a city."""

    city: str


class City(BaseModel):
    city: Literal["Paris", "Rome"]
    country: Literal["France", "Italy"] = Field(description="Where it lies.")


WEATHER_TOOL = openai.pydantic_function_tool(GetWeather, name="get_weather")
CHATS = {
    "plain": {},
    "sampled": {"temperature": 1.5, "top_p": 0.9, "seed": 3, "presence_penalty": 1, "frequency_penalty": 1, "n": 2},
    "biased": {"logit_bias": {"70": -100}, "stop": ["5"], "max_completion_tokens": 20, "reasoning_effort": "low"},
    "scored": {"logprobs": True, "top_logprobs": 2, "max_tokens": 20},
    "auto": {"tools": [WEATHER], "tool_choice": "auto", "logprobs": True},
    "none": {"tools": [WEATHER], "tool_choice": "none"},
    "required": {"tools": [WEATHER, CALCULATOR], "tool_choice": "required", "n": 2},
    "named": {"tools": [WEATHER, CALCULATOR], "tool_choice": NAMED},
    "one at a time": {"tools": [WEATHER], "parallel_tool_calls": False},
    "json": {"response_format": {"type": "json_object"}, "max_tokens": 30},
    "schema": {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "city", "schema": GetWeather.model_json_schema()},
        },
        "max_tokens": 30,
    },
}


@pytest.fixture
def asynchronous(server) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=server.base_url, api_key="any text", max_retries=0, timeout=60)


@pytest.fixture
def embedder(pooling_server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=pooling_server.base_url, api_key="any text", max_retries=0, timeout=60) as client:
        yield client


def request(text: str, **options: object) -> dict:
    return {"model": "demo", "messages": [user(text)], "temperature": 0, **options}


@pytest.mark.parametrize("options", CHATS.values(), ids=CHATS)
def test_a_chat_completion_has_the_clients_types(openai_client, options):
    completion = strictly(openai_client.chat.completions.create(**request(CITIES, **options)))
    assert len(completion.choices) == options.get("n", 1)


@pytest.mark.parametrize("options", CHATS.values(), ids=CHATS)
def test_every_chunk_has_the_clients_types(openai_client, options):
    chunks = list(map(strictly, openai_client.chat.completions.create(**request(CITIES, **options), stream=True)))
    assert {choice.index for chunk in chunks for choice in chunk.choices} == set(range(options.get("n", 1)))
    asked = {**options, "stream": True, "stream_options": {"include_usage": True}}
    assert list(map(strictly, openai_client.chat.completions.create(**request(CITIES, **asked))))[-1].usage


def test_thinking_is_the_one_field_that_the_client_does_not_know(openai_client):
    options = {**request(""), "messages": THINKING, "max_tokens": 8}
    strictly(openai_client.chat.completions.create(**options), "choices.message.reasoning_content")
    chunks = list(openai_client.chat.completions.create(**options, stream=True))
    for chunk in chunks[1:-1]:
        strictly(chunk, "choices.delta.reasoning_content")


def test_functions_have_the_clients_types(openai_client):
    options = request(ROME, functions=[WEATHER["function"]], function_call={"name": "get_weather"})
    assert strictly(openai_client.chat.completions.create(**options)).choices[0].message.function_call
    chunks = list(map(strictly, openai_client.chat.completions.create(**options, stream=True)))
    assert chunks[-1].choices[0].finish_reason == "function_call"


@pytest.mark.parametrize(
    ("path", "method", "serializer", "body"),
    [
        ("chat/completions", ChatCompletions.create, ChatCompletionRequestSerializer, {"messages": [user("Hi")]}),
        ("completions", Completions.create, CompletionRequestSerializer, {"prompt": "Hi"}),
        ("responses", Responses.create, ResponseRequestSerializer, {"input": "Hi"}),
        ("embeddings", Embeddings.create, EmbeddingsRequestSerializer, {"input": "Hi", "model": "bert"}),
    ],
    ids=["chat", "completions", "responses", "embeddings"],
)
def test_no_parameter_of_the_client_is_dropped_in_silence(pooling_server, path, method, serializer, body):
    """What is not implemented is refused by its name, or named in the header."""
    clients_own = {"self", "extra_headers", "extra_query", "extra_body", "timeout"}
    names = set(inspect.signature(method).parameters) - clients_own - WITHOUT_EFFECT - set(serializer().fields)
    for name in names:
        sent = {"model": "demo", **body, name: {"unknown": 1}}
        response = httpx.post(f"{pooling_server.base_url}/{path}", json=sent, timeout=60)
        if response.status_code == 200:
            assert name in response.headers["x-ignored-fields"]
        else:
            assert (response.status_code, response.json()["error"]["param"]) == (400, name)


def test_an_answer_is_parsed(openai_client):
    completion = openai_client.chat.completions.parse(**request(capital("France")), response_format=City)
    assert isinstance(completion.choices[0].message.parsed, City)


def test_a_tool_is_run_with_parsed_arguments(openai_client):
    messages = [user(ROME)]
    options = {"model": "demo", "tools": [WEATHER_TOOL], "temperature": 0}
    message = openai_client.chat.completions.parse(messages=messages, **options).choices[0].message
    [call] = message.tool_calls
    assert call.function.parsed_arguments == GetWeather(city="Rome")
    messages += [message, {"role": "tool", "tool_call_id": call.id, "content": "Sunny, 21°C"}]
    answer = openai_client.chat.completions.parse(messages=messages, **options).choices[0].message
    assert "21" in answer.content
    assert answer.tool_calls is None


def test_the_stream_helper_tells_of_content(openai_client):
    options = request(capital("France"), response_format=City, logprobs=True)
    with openai_client.chat.completions.stream(**options) as stream:
        events = list(stream)
        final = stream.get_final_completion()
    deltas = [event.delta for event in events if event.type == "content.delta"]
    [done] = [event for event in events if event.type == "content.done"]
    assert "".join(deltas) == done.content == final.choices[0].message.content
    assert final.choices[0].message.parsed == done.parsed
    [scored] = [event for event in events if event.type == "logprobs.content.done"]
    assert "".join(token.token for token in scored.content) == done.content
    assert final.usage.completion_tokens >= len(scored.content)


def test_the_stream_helper_tells_of_calls(openai_client):
    with openai_client.chat.completions.stream(**request(CITIES, tools=[WEATHER_TOOL])) as stream:
        events = list(stream)
        message = stream.get_final_completion().choices[0].message
    done = [event for event in events if event.type == "tool_calls.function.arguments.done"]
    assert [event.parsed_arguments.city for event in done] == ["Paris", "Rome"]
    assert [event.index for event in done] == [0, 1]
    for event in done:
        deltas = [
            part.arguments_delta
            for part in events
            if part.type == "tool_calls.function.arguments.delta" and part.index == event.index
        ]
        assert "".join(deltas) == event.arguments
    assert len({call.id for call in message.tool_calls}) == 2


def test_an_answer_that_is_cut_cannot_be_parsed(openai_client):
    with pytest.raises(openai.LengthFinishReasonError):
        openai_client.chat.completions.parse(**request("Hello!", max_tokens=3), response_format=City)


async def test_the_asynchronous_helpers_do_the_same(asynchronous):
    async with asynchronous as client:
        chat = client.chat.completions
        parsed, plain = await asyncio.gather(
            chat.parse(**request(capital("France")), response_format=City), chat.create(**request(capital("France")))
        )
        async with chat.stream(**request(capital("France")), response_format=City) as stream:
            chunks = [strictly(event.chunk) async for event in stream if event.type == "chunk"]
            final = await stream.get_final_completion()
        async with client.responses.stream(model="demo", input=capital("France"), temperature=0) as stream:
            types = [event.type async for event in stream]
            response = await stream.get_final_response()
    assert final.choices[0].message.parsed == parsed.choices[0].message.parsed
    assert all(isinstance(chunk, ChatCompletionChunk) for chunk in chunks)
    assert types[-1] == "response.completed"
    assert response.output_text == strictly(plain).choices[0].message.content


def test_a_text_completion_has_the_clients_types(openai_client):
    options = {"model": "demo", "prompt": ["The capital of", "Hello"], "max_tokens": 4, "temperature": 0}
    strictly(openai_client.completions.create(**options, logprobs=2, n=2, best_of=3))
    for chunk in openai_client.completions.create(**options, stream=True, stream_options={"include_usage": True}):
        for choice in chunk.choices:  # null until the end, as OpenAI's own; the client's type has no place for it
            choice.finish_reason = choice.finish_reason or "stop"
        strictly(chunk)


def test_embeddings_have_the_clients_types(embedder):
    for encoding_format in ("float", openai.omit):
        answer = embedder.embeddings.create(
            model="bert", input=["rain", "paris"], dimensions=8, encoding_format=encoding_format
        )
        assert [len(entry.embedding) for entry in strictly(answer).data] == [8, 8]
    raw = embedder.embeddings.with_raw_response.create(model="bert", input="rain", encoding_format="base64")
    assert isinstance(raw.http_response.json()["data"][0]["embedding"], str)


async def test_the_asynchronous_client_embeds_too(pooling_server, embedder):
    async with openai.AsyncOpenAI(base_url=pooling_server.base_url, api_key="any text") as client:
        answer = await client.embeddings.create(model="bert", input="rain")
    assert strictly(answer).data == embedder.embeddings.create(model="bert", input="rain").data


async def test_models_have_the_clients_types(openai_client, asynchronous):
    page = openai_client.models.list()
    assert (page.object, page.has_next_page()) == ("list", False)
    for model in page:
        assert strictly(openai_client.models.retrieve(model.id), *MODEL_EXTRAS) == strictly(model, *MODEL_EXTRAS)
    async with asynchronous as client:
        assert [model.id async for model in client.models.list()] == [model.id for model in page]
    with pytest.raises(openai.NotFoundError) as caught:
        openai_client.models.retrieve("no-such-model")
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


@pytest.mark.parametrize("tools", [[], [{"type": "function", **WEATHER["function"]}]])
def test_a_response_has_the_clients_types(openai_client, tools):
    options = {"model": "demo", "input": ROME, "tools": tools, "temperature": 0}
    strictly(openai_client.responses.create(**options), "store")
    for event in openai_client.responses.create(**options, stream=True):
        strictly(event, *RESPONSE_EXTRAS.get(event.type, ()))


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"temperature": 3}, "temperature", None),
        ({"tool_choice": NAMED, "tools": [CALCULATOR]}, "tool_choice", None),
        ({"messages": [user("word " * 5000)]}, "messages", "context_length_exceeded"),
        ({"model": "no-such-model"}, "model", "model_not_found"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_an_error_is_of_the_class_and_has_the_fields_of_openais(openai_client, change, param, code, stream):
    with pytest.raises(openai.NotFoundError if code == "model_not_found" else openai.BadRequestError) as caught:
        openai_client.chat.completions.create(**{**request("Hi", stream=stream), **change})
    error = caught.value
    assert (error.param, error.code, error.type) == (param, code, "invalid_request_error")
    assert error.body["message"] in error.message


def test_an_error_within_a_stream_is_raised(server, openai_client):
    openai_client.chat.completions.create(**request("Hello!"))
    worker = server.worker_pid()
    stream = openai_client.chat.completions.create(
        **request("Count to 30.", stream=True), extra_body={"ignore_eos": True}
    )
    next(stream)
    os.kill(worker, signal.SIGKILL)
    with pytest.raises(openai.APIError) as caught:
        list(stream)
    assert caught.value.code == "worker_died"
    assert "SIGKILL" in caught.value.message


def test_the_raw_response_names_what_was_ignored(openai_client):
    raw = openai_client.chat.completions.with_raw_response.create(**request("Hello!"), verbosity="low")
    assert raw.headers["x-ignored-fields"] == "verbosity"
    assert raw.parse().choices[0].message.content
