"""LibreChat's requests, one test for each of the things that it does."""

import json
import re
import struct
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests import live_server, pooling_models
from tests.librechat_requests import (
    CALCULATOR,
    HEADERS,
    PIXEL,
    SET_MEMORY,
    SYSTEM,
    USER_ID,
    LibreChat,
    assistant,
    chat,
    parts,
    structured_title,
    title,
    user,
)
from tests.live_server import DEMO, LiveServer
from tests.test_chat_completions import WEATHER

MULTIPLY = "Use the calculator tool to compute 1123 * 21, then tell me the result."
# The demo model with a template that opens the thinking, as those of reasoning models do.
MAKE_THINKERS = """
from registry.models import GenerationDefaults, RegisteredModel
for name in ("thinker", "deepseek-thinker"):
    model = RegisteredModel.objects.get(name="demo")
    model.pk, model.name, model.chat_template_override = None, name, model.chat_template + "<think>\\n"
    model.save()
GenerationDefaults.objects.update(temperature=0)
"""
# The demo model thinks nothing useful; a reasoning model needs none of these to stop thinking and call the tool.
THINK_BRIEFLY = {"reasoning_budget": 8, "tool_choice": "required"}
TOO_LONG = re.compile(
    r"This model's maximum context length is 2048 tokens\. However, your messages resulted in \d+ tokens\. "
    r"Please reduce the length of the messages\."
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with models of the names that LibreChat treats in other ways than the rest."""
    folder = tmp_path_factory.mktemp("librechat")
    paths = dict.fromkeys(("demo", "o1-local", "gpt-5-local"), DEMO)
    paths["embedder"] = pooling_models.write_bert(folder / "embedder.gguf")
    live_server.set_up(folder, models=[{"name": name, "path": str(path)} for name, path in paths.items()])
    made = live_server.manage(folder, "shell", "-c", MAKE_THINKERS)
    assert made.returncode == 0, made.stdout + made.stderr
    server = live_server.start(folder)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def librechat(server: LiveServer) -> Iterator[LibreChat]:
    """One client for all tests: no call of any of them may have the id of another."""
    librechat = LibreChat(server.base_url)
    yield librechat
    librechat.http.close()


def test_the_models_are_listed(librechat):
    response = librechat.http.get("/models", params={"user": USER_ID}, headers={"User-Agent": "axios/1.12.1"})
    models = response.json()["data"]
    assert {model["id"] for model in models} >= {"demo", "thinker", "embedder"}
    for model in models:
        assert re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.:/@+-]{0,255}", model["id"])
        # The context window is read only if every model has all of these.
        assert model["pricing"] == {"prompt": "0", "completion": "0"}
        assert isinstance(model["context_length"], int)


def test_a_turn_is_streamed(librechat):
    answer = librechat.stream(SYSTEM, user("Hello! Say hi in one short sentence."))
    assert answer.content
    assert answer.finish_reason == "stop"
    assert len(answer.chunks) > 4
    assert answer.usage["prompt_tokens_details"]["cached_tokens"] >= 0


def test_three_turns_hang_together(librechat):
    messages = [SYSTEM]
    for question, expected in [
        ("My name is Ada. Remember it.", "Ada"),
        ("What is 2+2?", "4"),
        ("What is my name?", "Ada"),
    ]:
        messages.append(user(question))
        answer = librechat.stream(*messages)
        assert expected in answer.content
        messages.append(answer.message())
    assert answer.usage["prompt_tokens_details"]["cached_tokens"] > 0


def test_a_tool_is_run_and_its_turn_replayed(librechat):
    messages = [SYSTEM, user(MULTIPLY)]
    asked = librechat.stream(*messages, tools=[CALCULATOR])
    assert asked.finish_reason == "tool_calls"
    [call] = asked.calls
    assert (call["name"], json.loads(call["arguments"])) == ("calculator", {"input": "1123 * 21"})
    messages += [asked.message(), *asked.results("23583")]
    told = librechat.stream(*messages, tools=[CALCULATOR])
    assert "23583" in told.content
    messages += [told.message(), user("Thanks. Now just say: done.")]
    follow_up = librechat.stream(*messages, tools=[CALCULATOR])
    assert follow_up.content
    messages += [follow_up.message(), user(MULTIPLY)]
    again = librechat.stream(*messages, tools=[CALCULATOR])
    assert again.calls[0]["id"] != call["id"]


def test_a_title_is_text_of_a_few_words(librechat):
    message = librechat.whole(title("What is the capital of France?"))["message"]
    assert 1 <= len(message["content"].split()) <= 5
    assert "<think>" not in message["content"]


def test_a_structured_title_is_json_with_both_keys(librechat):
    message = librechat.whole(structured_title("What is the capital of France?"))["message"]
    found = json.loads(message["content"])
    assert set(found) == {"language", "title"}
    assert all(isinstance(value, str) for value in found.values())


def test_the_thoughts_about_a_title_are_no_part_of_it(librechat):
    message = librechat.whole({**structured_title("Hello!"), "model": "thinker", "reasoning_budget": 6})["message"]
    assert message["reasoning_content"]
    assert set(json.loads(message["content"])) == {"language", "title"}


def test_the_stop_button_frees_the_sequence(server, librechat):
    story = chat(SYSTEM, user("Write a very long story."), ignore_eos=True)
    with librechat.http.stream("POST", "/chat/completions", json=story) as response:
        lines = response.iter_lines()
        assert '"role":"assistant"' in next(lines)
        server.wait_for("running == 1")
    server.wait_for("running == 0")
    assert librechat.stream(SYSTEM, user("Say ok.")).content


def test_an_unknown_model_is_a_404(librechat):
    error = librechat.error(chat(SYSTEM, user("Hello"), model="no-such-model-xyz"), status=404)
    assert (error["code"], error["param"], error["type"]) == ("model_not_found", "model", "invalid_request_error")
    assert "no-such-model-xyz" in error["message"]


def test_any_key_is_taken_since_there_is_no_access_control_yet(librechat):
    headers = {**HEADERS, "Authorization": "Bearer a-wrong-key"}
    assert librechat.read(librechat.post(chat(SYSTEM, user("Hello")), headers=headers)).content


def test_a_chat_and_its_title_may_come_at_once(librechat):
    question = "What is the capital of Italy?"
    with ThreadPoolExecutor() as threads:
        named = threads.submit(librechat.whole, title(question))
        answered = threads.submit(librechat.stream, SYSTEM, user(question))
        assert named.result()["message"]["content"]
        assert "Rome" in answered.result().content


def test_the_memory_agent_gets_a_whole_answer(librechat):
    memory = {**SYSTEM, "content": f"{SYSTEM['content']}\n\n# Existing memory:\nNo existing memories"}
    body = chat(memory, user("What is the capital of France?"), stream=False, tools=[SET_MEMORY])
    choice = librechat.whole(body)
    assert "Paris" in choice["message"]["content"]
    forced = librechat.whole({**body, "tool_choice": "required", "max_tokens": 40})["message"]
    assert forced["tool_calls"][0]["id"]
    assert forced["tool_calls"][0]["function"]["name"] == "set_memory"


def test_an_image_is_refused_in_a_sentence(librechat):
    image = {"type": "image_url", "image_url": {"url": PIXEL, "detail": "auto"}}
    question = {"role": "user", "content": [{"type": "text", "text": "Which colour is this?"}, image]}
    error = librechat.error(chat(SYSTEM, question))
    assert error["message"].endswith("this model reads text only, and part 1 is of type `image_url`.")
    assert librechat.error(chat({"role": "user", "content": [image]}))["param"] == "messages[0].content"


def test_what_user_and_administrator_set_is_honoured(librechat):
    added = {"top_k": 40, "chat_template_kwargs": {"enable_thinking": False}}
    answer = librechat.stream(SYSTEM, user("Count to 30."), temperature=0.2, **added, max_tokens=6)
    assert answer.finish_reason == "length"
    assert answer.usage["completion_tokens"] == 6


def test_all_parameters_of_the_interface_are_known(librechat):
    body = chat(
        SYSTEM,
        user("Count to 9."),
        temperature=0.7,
        frequency_penalty=0.1,
        presence_penalty=0.2,
        stop=["STOP"],
        top_k=1,
        chat_template_kwargs={"enable_thinking": False},
        reasoning_effort="low",
        max_tokens=256,
    )
    response = librechat.post(body)
    assert "x-ignored-fields" not in response.headers
    assert "5" in librechat.read(response).content
    assert "5" not in librechat.stream(SYSTEM, user("Count to 9."), top_k=1, stop=["5"]).content


def test_reasoning_may_come_as_an_object(librechat):
    response = librechat.post(chat(SYSTEM, user("Hello!"), reasoning={"effort": "low", "summary": "auto"}))
    assert response.headers["x-ignored-fields"] == "reasoning.summary"
    assert librechat.read(response).content


def test_more_tokens_than_fit_are_cut_rather_than_refused(librechat):
    assert librechat.stream(user("Hello!"), max_tokens=1_000_000).content


def test_what_nobody_knows_is_no_error(librechat):
    extra = {"service_tier": "auto", "prompt_cache_key": "c", "verbosity": "low", "modalities": ["text"], "plugins": []}
    assert librechat.stream(SYSTEM, user("Hello!"), **extra).content


def long_turns(number: int) -> list[dict]:
    turns = []
    for index in range(number):
        turns.append(user(f"Question {index}: please keep in mind what comes now. {'more words ' * 25}"))
        turns.append(assistant(f"Answer {index}: I shall, and thank you. {'noted and kept ' * 20}"))
    return turns


def test_a_conversation_that_is_too_long_is_summarised_and_goes_on(librechat):
    turns, last = long_turns(14), user("Now just say: done.")
    for model in ("demo", "thinker"):
        error = librechat.error(chat(SYSTEM, *turns, last, model=model))
        assert TOO_LONG.fullmatch(error["message"])
        assert (error["code"], error["type"]) == ("context_length_exceeded", "invalid_request_error")
        assert error["param"] == "messages"
    checkpoint = user("Hold on, before you continue I need you to write me a checkpoint of our conversation.")
    assert librechat.stream(*map(parts, turns[:6]), checkpoint).finish_reason in ("stop", "length")
    summary = user("<summary>\nThe user asked to keep several things in mind.\n</summary>")
    assert librechat.stream(SYSTEM, summary, *turns[-2:], last).content


def test_a_reasoning_model_thinks_before_it_calls(librechat):
    messages = [SYSTEM, user(MULTIPLY)]
    asked = librechat.stream(*messages, model="thinker", tools=[CALCULATOR], **THINK_BRIEFLY)
    assert asked.reasoning
    assert "think>" not in asked.reasoning + asked.content
    assert [call["name"] for call in asked.calls] == ["calculator"]
    assert 0 < asked.usage["completion_tokens_details"]["reasoning_tokens"] < asked.usage["completion_tokens"]
    messages += [asked.message(), *asked.results("23583")]
    told = librechat.stream(*messages, model="thinker", tools=[CALCULATOR], reasoning_budget=8)
    assert told.reasoning


def test_thinking_comes_before_everything_else(librechat):
    asked = librechat.stream(user(MULTIPLY), model="thinker", tools=[CALCULATOR], **THINK_BRIEFLY)
    deltas = [chunk["choices"][0]["delta"] for chunk in asked.chunks[1:-1]]
    kinds = ["reasoning_content" if "reasoning_content" in delta else "tool_calls" for delta in deltas]
    assert kinds == sorted(kinds)


def test_deepseek_models_get_their_thoughts_back(librechat):
    model, messages = "deepseek-thinker", [SYSTEM, user(MULTIPLY)]
    asked = librechat.stream(*messages, model=model, tools=[CALCULATOR], **THINK_BRIEFLY)
    messages += [asked.message(reasoning_content=asked.reasoning), *asked.results("23583")]
    told = librechat.stream(*messages, model=model, tools=[CALCULATOR], reasoning_budget=8)
    assert told.usage["prompt_tokens"] > asked.usage["prompt_tokens"]


def test_two_calls_in_one_message_are_both_answered(librechat):
    messages = [SYSTEM, user("What is the weather in Paris and in Rome?")]
    asked = librechat.stream(*messages, tools=[WEATHER])
    assert [json.loads(call["arguments"])["city"] for call in asked.calls] == ["Paris", "Rome"]
    messages += [asked.message(), *asked.results("Sunny, 21°C", "Rain, 14°C")]
    told = librechat.stream(*messages, tools=[WEATHER])
    assert "21" in told.content or "14" in told.content
    messages += [told.message(), user("Thanks. Now just say: done.")]
    assert librechat.stream(*messages, tools=[WEATHER]).content


@pytest.mark.parametrize(("model", "fields"), [("o1-local", {"max_completion_tokens": 4}), ("gpt-5-local", {})])
def test_models_with_names_of_openais_get_a_developers_message(librechat, model, fields):
    answer = librechat.stream({**SYSTEM, "role": "developer"}, user("Count to 30."), model=model, **fields)
    assert answer.content
    assert answer.usage["completion_tokens"] == 4 if fields else answer.finish_reason == "stop"


def test_streaming_can_be_switched_off(librechat):
    choice = librechat.whole(chat(SYSTEM, user("What is the capital of Spain?"), stream=False))
    assert "Madrid" in choice["message"]["content"]
    assert (choice["message"]["role"], choice["finish_reason"]) == ("assistant", "stop")


def responses_body(**fields: object) -> dict:
    inputs = [{"type": "message", **SYSTEM}, {"type": "message", **user("What is the capital of Italy?")}]
    return {"model": "demo", "user": USER_ID, "stream": True, "text": {}, **fields, "input": inputs}


def test_the_responses_api_can_be_switched_on(librechat):
    events = librechat.post(responses_body(), "/responses").text.strip().split("\n\n")
    last = json.loads(events[-1].partition("data: ")[2])
    assert last["type"] == "response.completed"
    assert "Rome" in last["response"]["output"][0]["content"][0]["text"]
    assert last["response"]["usage"]["total_tokens"] > 0


def test_the_toggle_web_search_is_refused_by_its_name(librechat):
    """A 404 would show as a missing model, a 422 or 500 would be tried again for a minute and a half."""
    error = librechat.error(responses_body(tools=[{"type": "web_search"}]), path="/responses")
    assert 'In LibreChat, switch off "Web search".' in error["message"]


def embeddings_body(inputs: object) -> dict:
    return {"input": inputs, "model": "embedder", "encoding_format": "base64"}


@pytest.mark.parametrize("inputs", [[[15339, 1917], [5686, 1495]], [[64, 3488]]])
def test_token_ids_of_the_rag_api_are_refused_with_the_cure(librechat, inputs):
    error = librechat.error(embeddings_body(inputs), path="/embeddings")
    assert "RAG_CHECK_EMBEDDING_CTX_LENGTH=False" in error["message"]


@pytest.mark.parametrize("inputs", [["hello world", "second text"], ["a question"]])
def test_texts_of_the_rag_api_become_vectors(librechat, inputs):
    data = librechat.post(embeddings_body(inputs), "/embeddings").json()["data"]
    vectors = [struct.unpack("<32f", b64decode(entry["embedding"])) for entry in data]
    assert [entry["index"] for entry in data] == list(range(len(inputs)))
    assert all(sum(value * value for value in vector) == pytest.approx(1, abs=1e-5) for vector in vectors)
