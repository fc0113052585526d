"""`/v1/responses` as a stream: the order of the events, their shapes, and what they add up to."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import openai
import pytest
from openai.types.responses import ResponseStreamEvent
from openai.types.responses.response_error_event import ResponseErrorEvent
from pydantic import TypeAdapter

from inference import generation as generation_module
from inference.bodies.response_events import ResponseEventEncoder
from inference.bodies.responses import ResponseBody
from inference.engine.messages import Failure, FailureCode, Output, TokenLogprob, Usage
from inference.exceptions import EngineUnavailable
from inference.generation import Generation
from inference.responses.answer import Answer
from inference.responses.items import new_response_id
from inference.streaming import stream_response
from registry.models import GenerationDefaults, LoraAdapter, RegisteredModel
from registry.served_model import ServedModel
from tests.test_chat_completions import capital
from tests.test_responses import WEATHER

EVENT = TypeAdapter(ResponseStreamEvent)
QUESTION = {"model": "demo", "input": capital("France"), "temperature": 0}
TOOL = {"type": "function", "function": {"name": "get_weather"}}
CALL = '<tool_call>{"name": "get_weather", "arguments": {"city": "Rome"}}</tool_call>'
TEXT_EVENTS = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]


def parse(text: str) -> list[dict[str, Any]]:
    """Return the events of a stream's text, each checked against the client's types."""
    events = []
    for frame in text.strip().split("\n\n"):
        if frame.startswith(":"):
            continue
        head, _, data = frame.partition("\n")
        event = json.loads(data.removeprefix("data: "))
        assert head == f"event: {event['type']}"
        EVENT.validate_python(event)
        events.append(event)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    return events


def collapsed(events: list[dict[str, Any]]) -> list[str]:
    """Return the types of the events, runs of deltas as one."""
    types = [event["type"] for event in events]
    return [kind for index, kind in enumerate(types) if index == 0 or kind != types[index - 1]]


def accumulated(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put the output together from the events alone, without the final response."""
    items: list[dict[str, Any]] = []
    texts: dict[int, str] = {}
    for event in events:
        index = event.get("output_index")
        if event["type"] == "response.output_item.added":
            assert index == len(items)
            items.append(event["item"])
        elif event["type"].endswith(".delta"):
            assert event["item_id"] == items[index]["id"]
            texts[index] = texts.get(index, "") + event["delta"]
        elif event["type"].endswith((".text.done", "_text.done", "arguments.done")):
            assert event.get("text", event.get("arguments")) == texts.get(index, "")
        elif event["type"] == "response.output_item.done":
            item = items[index] = event["item"]
            whole = item["arguments"] if item["type"] == "function_call" else item["content"][0]["text"]
            assert whole == texts.get(index, "")
    return items


def test_a_text_comes_in_the_events_of_the_reference(server):
    response = httpx.post(f"{server.base_url}/responses", json={**QUESTION, "stream": True}, timeout=60)
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert "[DONE]" not in response.text
    events = parse(response.text)
    assert collapsed(events) == TEXT_EVENTS
    final = events[-1]["response"]
    assert accumulated(events) == final["output"]
    assert "Paris" in final["output"][0]["content"][0]["text"]
    assert httpx.get(f"{server.base_url}/responses/{final['id']}", timeout=60).json() == final


def test_a_call_comes_in_the_events_of_the_reference(server):
    body = {**QUESTION, "input": "What is the weather in Rome?", "tools": [WEATHER], "stream": True}
    events = parse(httpx.post(f"{server.base_url}/responses", json=body, timeout=60).text)
    assert collapsed(events) == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert events[2]["item"]["name"] == "get_weather"
    assert accumulated(events) == events[-1]["response"]["output"]


def test_the_log_probabilities_of_a_stream_are_those_of_the_whole(server):
    body = {**QUESTION, "include": ["message.output_text.logprobs"], "top_logprobs": 1, "stream": True}
    events = parse(httpx.post(f"{server.base_url}/responses", json=body, timeout=60).text)
    tokens = [token for event in events if event["type"].endswith("text.delta") for token in event["logprobs"]]
    assert tokens == events[-1]["response"]["output"][0]["content"][0]["logprobs"]
    assert tokens


def test_the_clients_stream_ends_with_the_response(openai_client):
    with openai_client.responses.stream(model="demo", input=capital("France"), temperature=0) as stream:
        events = list(stream)
        final = stream.get_final_response()
    snapshots = [event.snapshot for event in events if event.type == "response.output_text.delta"]
    assert snapshots[-1] == final.output_text
    assert "Paris" in final.output_text
    assert events[-1].response.id == final.id == openai_client.responses.retrieve(final.id).id


def test_the_clients_stream_of_a_call(openai_client):
    question = "What is the weather in Rome?"
    with openai_client.responses.stream(model="demo", input=question, tools=[WEATHER], temperature=0) as stream:
        snapshots = [event.snapshot for event in stream if event.type == "response.function_call_arguments.delta"]
        final = stream.get_final_response()
    assert json.loads(snapshots[-1]) == json.loads(final.output[0].arguments) == {"city": "Rome"}


def test_a_streamed_response_is_continued_at_once(openai_client):
    for name in ("Ada", "Bob"):
        question = f"My name is {name}. Remember it."
        for event in openai_client.responses.create(model="demo", input=question, temperature=0, stream=True):
            if event.type == "response.completed":
                response = openai_client.responses.create(
                    model="demo", input="What is my name?", previous_response_id=event.response.id, temperature=0
                )
        assert name in response.output_text


def test_a_stream_that_is_cut_is_incomplete(openai_client):
    stream = openai_client.responses.create(model="demo", input="Count to 30.", max_output_tokens=5, stream=True)
    *_, item_done, last = stream
    assert last.type == "response.incomplete"
    assert item_done.item.status == "incomplete"
    assert last.response.incomplete_details.reason == "max_output_tokens"


def test_an_error_before_the_first_event_is_a_status(openai_client):
    with pytest.raises(openai.BadRequestError) as caught:
        openai_client.responses.create(model="demo", input="word " * 5000, stream=True)
    assert caught.value.param == "input"


def test_thoughts_are_an_item_of_their_own(server, openai_client, browser):
    thinker = (
        "from registry.models import RegisteredModel; model = RegisteredModel.objects.get(name='demo');"
        "model.pk, model.name = None, 'muser'; model.chat_template_override = model.chat_template + '<think>\\n';"
        "model.save()"
    )
    assert server.manage("shell", "-c", thinker).returncode == 0
    response = openai_client.responses.create(
        model="muser", input="Hello!", max_output_tokens=8, extra_body={"ignore_eos": True}
    )
    [thoughts] = response.output
    assert (thoughts.type, thoughts.status, thoughts.summary) == ("reasoning", "incomplete", [])
    assert thoughts.content[0].type == "reasoning_text"
    assert response.usage.output_tokens_details.reasoning_tokens == response.usage.output_tokens
    browser.act("disable", "muser")
    server.wait_for("'muser' not in names")


class Pool:
    """Stands for the pool: every request gets this one generation."""

    def __init__(self, generation: Generation) -> None:
        self._generation = generation

    def generate(self, spec: object, request: object, counts_prompt: bool = True) -> Generation:
        return self._generation


@pytest.fixture
def start():
    """A function that returns an answer and the generation that feeds it."""

    def start(keep: Callable[[dict], Awaitable[bool]] | None = None) -> tuple[Answer, Generation]:
        generation = Generation("r")
        model = RegisteredModel(pk=1, name="demo", path="demo.gguf", chat_template_override="Hi")
        model.defaults = GenerationDefaults(model=model)
        model._prefetched_objects_cache = {"loras": LoraAdapter.objects.none()}  # as `for_api` returns it
        model._state.fields_cache["observation"] = None
        messages = [{"role": "user", "content": "Hi"}]
        body = ResponseBody(new_response_id(), {"store": keep is not None}, ServedModel(model))
        parameters = {"messages": messages, "tools": [TOOL]}
        return Answer(Pool(generation), ServedModel(model), parameters, ["input"], body, keep), generation

    return start


async def streamed(answer: Answer) -> str:
    response = await stream_response(answer, ResponseEventEncoder(answer))
    return b"".join([chunk async for chunk in response.streaming_content]).decode()


def tokens(text: str) -> tuple[TokenLogprob, ...]:
    return tuple(TokenLogprob(char.encode(), -1.0) for char in text)


def put(generation: Generation, text: str, size: int, reason: str = "stop") -> None:
    pieces = [text[start : start + size] for start in range(0, len(text), size)] or [""]
    for piece in pieces[:-1]:
        generation.put(Output("r", piece, num_tokens=1, logprobs=tokens(piece)))
    last = pieces[-1]
    generation.put(Output("r", last, reason, usage=Usage(3, 5, 2), num_tokens=1, logprobs=tokens(last)))


@pytest.mark.parametrize("size", [1, 3, 1000])
async def test_thoughts_text_and_calls_follow_each_other(start, size):
    answer, generation = start()
    put(generation, f"<think>Hm, why?</think>\n\nLet me see.{CALL}\n{CALL}", size)
    events = parse(await streamed(answer))
    output = events[-1]["response"]["output"]
    assert accumulated(events) == output
    assert [item["type"] for item in output] == ["reasoning", "message", "function_call", "function_call"]
    assert output[0]["content"] == [{"type": "reasoning_text", "text": "Hm, why?"}]
    text = output[1]["content"][0]
    assert text["text"] == "Let me see."
    assert len({item["id"] for item in output}) == 4
    assert len({item["call_id"] for item in output[2:]}) == 2
    assert {item["status"] for item in output} == {"completed"}


@pytest.mark.parametrize("size", [1, 3])
async def test_only_the_tokens_of_the_text_are_reported(start, size):
    answer, generation = start()
    put(generation, "<think>Hm, why?</think>\n\nLet me see.", size)
    message = parse(await streamed(answer))[-1]["response"]["output"][1]
    part = message["content"][0]
    reported = "".join(token["token"] for token in part["logprobs"])
    assert reported.endswith(part["text"])
    assert len(reported) < len(part["text"]) + size


async def test_a_call_that_is_cut_is_incomplete(start):
    answer, generation = start()
    put(generation, CALL[:-20], 4, reason="length")
    events = parse(await streamed(answer))
    [call] = events[-1]["response"]["output"]
    assert (events[-1]["type"], call["status"]) == ("response.incomplete", "incomplete")
    assert accumulated(events) == [call]


async def test_an_answer_without_anything_is_an_empty_message(start):
    answer, generation = start()
    put(generation, "", 1)
    events = parse(await streamed(answer))
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == ""


@pytest.mark.parametrize("is_kept", [True, False])
async def test_the_last_event_waits_until_the_response_is_kept(start, is_kept):
    kept = []

    async def keep(body: dict) -> bool:
        await asyncio.sleep(0)
        kept.append(body)
        return is_kept

    answer, generation = start(keep)
    put(generation, "Hello!", 2)
    response = await stream_response(answer, ResponseEventEncoder(answer))
    async for chunk in response.streaming_content:
        assert bool(kept) == (b"response.completed" in chunk)
    assert kept[0]["output"][0]["content"][0]["text"] == "Hello!"
    assert f'"store":{str(is_kept).lower()}'.encode() in chunk


async def test_a_late_failure_is_a_failed_response_and_an_error(start):
    answer, generation = start()
    generation.put(Output("r", "Hel"))
    response = await stream_response(answer, ResponseEventEncoder(answer))
    generation.put(Output("r", failure=Failure(FailureCode.WORKER_DIED, "the engine died")))
    text = b"".join([chunk async for chunk in response.streaming_content]).decode()
    *_, item_done, failed, error = parse(text)
    assert (item_done["item"]["status"], failed["type"]) == ("incomplete", "response.failed")
    assert failed["response"]["status"] == "failed"
    assert failed["response"]["output"] == [item_done["item"]]
    assert failed["response"]["error"] == {"code": "server_error", "message": "The engine died."}
    assert ResponseErrorEvent.model_validate(error).code == "worker_died"
    assert error["error"]["message"] == "The engine died."


async def test_an_early_failure_is_a_status(start):
    answer, generation = start()
    generation.put(Output("r", failure=Failure(FailureCode.WORKER_DIED, "the engine died")))
    with pytest.raises(EngineUnavailable):
        await streamed(answer)


async def test_a_bad_prompt_in_a_stream_names_the_input(start, monkeypatch):
    monkeypatch.setattr(generation_module, "FIRST_BEAT", 0.001)
    answer, generation = start()
    response = await stream_response(answer, ResponseEventEncoder(answer))
    overflow = Failure(FailureCode.CONTEXT_LENGTH_EXCEEDED, "", context_length=100, prompt_tokens=200)
    generation.put(Output("r", failure=overflow))
    text = b"".join([chunk async for chunk in response.streaming_content]).decode()
    assert ": keep-alive" in text
    *_, failed, error = parse(text)
    assert failed["response"]["error"]["code"] == "invalid_prompt"
    assert (error["code"], error["param"]) == ("context_length_exceeded", "input")


async def test_a_client_that_leaves_stops_the_work(start):
    aborted = []
    answer, generation = start()
    generation.on_close(lambda: aborted.append(1))
    answer.close()
    generation.put(Output("r", "Hel"))
    response = await stream_response(answer, ResponseEventEncoder(answer))
    response._resource_closers[0]()
    await asyncio.sleep(0)
    assert aborted == [1]
