"""The streamed body when the answer is slow or the engine fails."""

import asyncio
import json

import pytest

from inference import generation as generation_module
from inference.bodies.chat import ChatResponse
from inference.bodies.chunks import ChunkEncoder
from inference.chat.answer import new_reader
from inference.chat.completion import ChatCompletion
from inference.engine.messages import Failure, FailureCode, Output, Usage
from inference.exceptions import EngineUnavailable
from inference.generation import Generation
from inference.streaming import stream_response

END = Output("r", "!", "stop", usage=Usage(1, 1, 0))
DEATH = Output("r", failure=Failure(FailureCode.WORKER_DIED, "the engine died"))


async def respond(generation: Generation):
    completion = ChatCompletion([generation], [new_reader("", {}, None)])
    return await stream_response(completion, ChunkEncoder(ChatResponse("m"), 1, include_usage=False))


async def body(response) -> list[str]:
    text = b"".join([chunk async for chunk in response.streaming_content]).decode()
    return text.strip().split("\n\n")


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(generation_module, "FIRST_BEAT", 0.001)


async def test_a_slow_start_sends_headers_and_a_sign_of_life(impatient):
    generation = Generation("r")
    response = await respond(generation)
    assert response.status_code == 200
    generation.put(END)
    events = await body(response)
    assert '"role":"assistant"' in events[0]
    assert events[1] == ": keep-alive"
    assert events[-1] == "data: [DONE]"


async def test_an_early_failure_is_an_http_status():
    generation = Generation("r")
    generation.put(DEATH)
    with pytest.raises(EngineUnavailable, match="The engine died"):
        await respond(generation)


async def test_a_late_failure_is_an_event():
    generation = Generation("r")
    generation.put(Output("r", "Hel"))
    response = await respond(generation)
    generation.put(DEATH)
    events = await body(response)
    error = json.loads(events[-2].removeprefix("data: "))["error"]
    assert (error["code"], error["message"]) == ("worker_died", "The engine died.")
    assert events[-1] == "data: [DONE]"


async def test_a_bug_while_streaming_is_logged_and_told(caplog):
    generation = Generation("r")
    generation.put(Output("r", "Hel"))
    response = await respond(generation)
    generation.put(Output("r", text=b"no text", finish_reason="stop"))
    events = await body(response)
    assert "The server failed" in events[-2]
    assert "a stream failed" in caplog.text


async def test_a_body_that_never_begins_still_aborts():
    aborted = []
    generation = Generation("r")
    generation.on_close(lambda: aborted.append(1))
    generation.put(Output("r", "Hel"))
    response = await respond(generation)
    response.streaming_content  # noqa: B018 - Django has prepared the body, but nobody read it
    response._resource_closers[0]()
    await asyncio.sleep(0)
    assert aborted == [1]
