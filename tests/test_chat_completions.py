"""POST /v1/chat/completions with the official openai_client, a real server and the demo model."""

import asyncio
import json
from itertools import pairwise

import httpx
import openai
import pytest

CHAT_ML = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
THINKER = f"{CHAT_ML}<|im_start|>assistant\n<think>\n"
CAPITALS = {
    "France": "Paris",
    "Germany": "Berlin",
    "Italy": "Rome",
    "Spain": "Madrid",
    "Japan": "Tokyo",
    "Russia": "Moscow",
    "Poland": "Warsaw",
    "Greece": "Athens",
}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the current weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CALCULATOR = {
    "type": "function",
    "function": {
        "name": "calculator",
        "description": "Useful for getting the result of a math expression. The input to this tool should be a valid "
        "mathematical expression that could be executed by a simple calculator.",
        "parameters": {
            "type": "object",
            "properties": {
                "input": {"type": "string", "description": 'A valid mathematical expression, e.g. "2 + 2 * 3"'}
            },
            "required": ["input"],
        },
    },
}


def user(text: str) -> dict:
    return {"role": "user", "content": text}


def ask(openai_client: openai.OpenAI, text: str, **options: object) -> str:
    completion = openai_client.chat.completions.create(model="demo", messages=[user(text)], temperature=0, **options)
    return completion.choices[0].message.content


def capital(country: str) -> str:
    return f"What is the capital of {country}?"


def test_a_question_is_answered(openai_client):
    completion = openai_client.chat.completions.create(model="demo", messages=[user(capital("France"))])
    assert "Paris" in completion.choices[0].message.content
    assert completion.choices[0].finish_reason == "stop"
    assert completion.object == "chat.completion"
    assert completion.model == "demo"
    usage = completion.usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert usage.prompt_tokens > 0


def test_a_stream_says_the_same(openai_client):
    chunks = list(openai_client.chat.completions.create(model="demo", messages=[user(capital("France"))], stream=True))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "Paris" in "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert chunks[-1].usage.completion_tokens > 1
    assert len({chunk.id for chunk in chunks}) == 1
    assert len(chunks) > 5


def test_the_usage_comes_in_a_chunk_of_its_own_when_asked_for(openai_client):
    stream = openai_client.chat.completions.create(
        model="demo", messages=[user("Hello!")], stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert chunks[-1].choices == []
    assert chunks[-1].usage.prompt_tokens > 0
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_the_bytes_of_a_stream_are_server_sent_events(server):
    body = {"model": "demo", "messages": [user("Привет!")], "stream": True, "temperature": 0}
    response = httpx.post(f"{server.base_url}/chat/completions", json=body, timeout=60)
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    events = response.text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    assert all(event.startswith("data: ") for event in events[:-1])
    first = json.loads(events[0].removeprefix("data: "))
    assert first["object"] == "chat.completion.chunk"
    assert first["choices"][0] == {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}
    assert "\\u" not in response.text


async def test_eight_concurrent_streams_give_what_they_give_alone(server, openai_client):
    alone = {country: ask(openai_client, capital(country)) for country in CAPITALS}
    order: list[str] = []

    async def stream(country: str) -> str:
        async with openai.AsyncOpenAI(base_url=server.base_url, api_key="x") as asynchronous:
            chunks = await asynchronous.chat.completions.create(
                model="demo", messages=[user(capital(country))], stream=True, temperature=0
            )
            text = ""
            async for chunk in chunks:
                text += chunk.choices[0].delta.content or ""
                order.append(country)
            return text

    together = await asyncio.gather(*map(stream, CAPITALS))
    assert dict(zip(CAPITALS, together, strict=True)) == alone
    assert all(CAPITALS[country] in answer for country, answer in alone.items())
    switches = sum(first != second for first, second in pairwise(order))
    assert switches > 2 * len(CAPITALS), "the streams must arrive interleaved, not one after the other"


def test_the_next_turn_finds_its_history_in_the_cache(openai_client):
    messages = [user("My name is Ada. Remember it.")]
    first = openai_client.chat.completions.create(model="demo", messages=messages, temperature=0)
    answer = first.choices[0].message.content
    messages += [{"role": "assistant", "content": answer}, user("What is my name?")]
    second = openai_client.chat.completions.create(model="demo", messages=messages, temperature=0)
    assert "Ada" in second.choices[0].message.content
    known = first.usage.prompt_tokens + first.usage.completion_tokens - 1
    assert second.usage.prompt_tokens_details.cached_tokens >= known


def test_a_three_turn_conversation_keeps_its_thread(openai_client):
    messages = [{"role": "system", "content": "You are a helpful assistant. Answer briefly."}]
    for question, expected in [("Hello!", ""), (capital("Japan"), "Tokyo"), ("What is 3 + 4?", "7")]:
        messages.append(user(question))
        answer = openai_client.chat.completions.create(model="demo", messages=messages, temperature=0)
        messages.append({"role": "assistant", "content": answer.choices[0].message.content})
        assert expected in messages[-1]["content"]


@pytest.mark.parametrize(
    ("tool", "question", "arguments"),
    [
        (WEATHER, "What is the weather in Paris?", {"city": "Paris"}),
        (
            CALCULATOR,
            "Use the calculator tool to compute 1123 * 21, then tell me the result.",
            {"input": "1123 * 21"},
        ),
    ],
)
def test_a_tool_is_called_and_its_result_used(openai_client, tool, question, arguments):
    messages = [user(question)]
    first = openai_client.chat.completions.create(model="demo", messages=messages, tools=[tool], temperature=0)
    assert first.choices[0].finish_reason == "tool_calls"
    [call] = first.choices[0].message.tool_calls
    assert call.function.name == tool["function"]["name"]
    assert json.loads(call.function.arguments) == arguments
    messages += [first.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "23583"}]
    second = openai_client.chat.completions.create(model="demo", messages=messages, tools=[tool], temperature=0)
    assert "23583" in second.choices[0].message.content
    assert second.usage.prompt_tokens_details.cached_tokens >= first.usage.prompt_tokens


def test_a_streamed_tool_call_gives_its_name_first(openai_client):
    stream = openai_client.chat.completions.create(
        model="demo", messages=[user("What is the weather in Rome?")], tools=[WEATHER], stream=True, temperature=0
    )
    chunks = list(stream)
    parts = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]
    assert parts[0].id.startswith("call_")
    assert parts[0].function.name == "get_weather"
    assert parts[0].function.arguments == ""
    assert json.loads("".join(part.function.arguments for part in parts)) == {"city": "Rome"}
    assert {part.index for part in parts} == {0}
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


def test_tool_choice_none_hides_the_tools(openai_client):
    answer = openai_client.chat.completions.create(
        model="demo",
        messages=[user("What is the weather in Paris?")],
        tools=[WEATHER],
        tool_choice="none",
        temperature=0,
    )
    assert answer.choices[0].message.tool_calls is None


def test_max_tokens_cuts_and_says_so(openai_client):
    for name in ("max_tokens", "max_completion_tokens"):
        completion = openai_client.chat.completions.create(
            model="demo", messages=[user("Count to 30.")], temperature=0, **{name: 5}
        )
        assert completion.choices[0].finish_reason == "length"
        assert completion.usage.completion_tokens == 5


def test_a_stop_string_ends_the_answer(openai_client):
    whole = ask(openai_client, "Count to 9.")
    assert "5" in whole
    cut = ask(openai_client, "Count to 9.", stop="5")
    assert whole.startswith(cut)
    assert "5" not in cut
    assert ask(openai_client, "Count to 9.", stop=["never", "5"]) == cut


def test_the_same_seed_gives_the_same_text(openai_client):
    def draw(seed: int) -> str:
        completion = openai_client.chat.completions.create(
            model="demo",
            messages=[user("Hello!")],
            **{"temperature": 2, "top_p": 1, "seed": seed, "max_tokens": 60},
            extra_body={"top_k": 0, "min_p": 0, "ignore_eos": True},
        )
        return completion.choices[0].message.content

    assert draw(7) == draw(7)
    assert len({draw(seed) for seed in range(4)}) > 1


def test_penalties_change_the_answer(openai_client):
    whole = ask(openai_client, "Count to 20.")
    assert ask(openai_client, "Count to 20.", frequency_penalty=2, presence_penalty=2) != whole


def test_top_k_of_one_is_greedy(openai_client):
    for option in ({"top_k": 1}, {"min_p": 1.0}):
        completion = openai_client.chat.completions.create(
            model="demo", messages=[user(capital("Italy"))], temperature=1.5, extra_body=option
        )
        assert "Rome" in completion.choices[0].message.content


def test_content_parts_and_every_role_are_understood(openai_client):
    part = [{"type": "text", "text": capital("Spain")}]
    messages = [
        {"role": "developer", "content": [{"type": "text", "text": "Answer briefly."}]},
        {"role": "user", "content": part},
    ]
    completion = openai_client.chat.completions.create(model="demo", messages=messages, temperature=0)
    assert "Madrid" in completion.choices[0].message.content
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Oslo"}'}}
    messages = [
        user("What is the weather in Oslo?"),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "function", "name": "get_weather", "content": "Sunny, 21°C"},
    ]
    completion = openai_client.chat.completions.create(model="demo", messages=messages, tools=[WEATHER], temperature=0)
    assert "21" in completion.choices[0].message.content


def test_unknown_fields_of_messages_and_tools_are_named_too(server):
    message = {**user("Hello!"), "mood": "good", "refusal": None}
    tool = {**WEATHER, "function": {**WEATHER["function"], "version": 2}}
    body = {"model": "demo", "messages": [message, message], "tools": [tool], "max_tokens": 1}
    response = httpx.post(f"{server.base_url}/chat/completions", json=body, timeout=60)
    assert response.headers["x-ignored-fields"] == "messages[].mood, tools[].function.version"


def test_unknown_fields_are_ignored(openai_client):
    extra = {"user": "665f00000000000000000001", "chat_template_kwargs": {"enable_thinking": False}, "whatever": [1]}
    assert "Paris" in ask(openai_client, capital("France"), extra_body={**extra, "reasoning_effort": "low"})


def test_unknown_fields_are_named_in_a_header(server):
    body = {"model": "demo", "messages": [user("Hello!")], "user": "u", "n": 1, "whatever": [1], "ещё\n": 2}
    for stream in (False, True):
        response = httpx.post(f"{server.base_url}/chat/completions", json={**body, "stream": stream}, timeout=60)
        assert response.status_code == 200
        assert response.headers["x-ignored-fields"] == r"whatever, \u0435\u0449\u0451\n"
    known = {"model": "demo", "messages": [user("Hello!")], "user": "u", "n": 1}
    assert "x-ignored-fields" not in httpx.post(f"{server.base_url}/chat/completions", json=known, timeout=60).headers


def test_a_header_of_unknown_fields_has_an_end(server):
    body = {"model": "demo", "messages": [user("Hello!")], **{f"field_{number}": 1 for number in range(500)}}
    header = httpx.post(f"{server.base_url}/chat/completions", json=body, timeout=60).headers["x-ignored-fields"]
    assert header.endswith("...")
    assert len(header) == 1000


def test_librechats_title_request_gets_a_title(openai_client):
    prompt = (
        "Provide a concise, 5-word-or-less title for the conversation, using title case conventions. "
        "Only return the title itself.\n\nConversation:\nUser: What is the capital of France?\nAI: "
    )
    title = ask(openai_client, prompt)
    assert 1 <= len(title.split()) <= 5


def test_a_prompt_over_the_context_gets_openais_own_sentence(openai_client):
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError) as caught:
            openai_client.chat.completions.create(model="demo", messages=[user("word " * 5000)], stream=stream)
        error = caught.value.body
        assert error["code"] == "context_length_exceeded"
        assert error["param"] == "messages"
        assert error["message"].startswith("This model's maximum context length is 2048 tokens. However, your messages")


def test_an_unknown_model_is_a_404(openai_client):
    with pytest.raises(openai.NotFoundError) as caught:
        openai_client.chat.completions.create(model="no-such-model-xyz", messages=[user("Hi")])
    assert caught.value.code == "model_not_found"
    assert "no-such-model-xyz" in caught.value.message


def test_what_a_template_opens_as_thinking_is_reasoning(openai_client, register):
    register("thinker", chat_template=THINKER)
    question = {"model": "thinker", "messages": [user("Hello!")], "max_tokens": 8, "temperature": 0}
    completion = openai_client.chat.completions.create(**question)
    message = completion.choices[0].message
    assert message.content == ""
    assert message.reasoning_content
    assert completion.usage.completion_tokens_details.reasoning_tokens == completion.usage.completion_tokens
    stream = openai_client.chat.completions.create(**question, stream=True)
    deltas = [chunk.choices[0].delta for chunk in stream]
    assert "".join(getattr(part, "reasoning_content", None) or "" for part in deltas)
    assert not any(part.content for part in deltas)
