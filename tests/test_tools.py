"""Tool calls through the API: forced, forbidden, one at a time, in the older form, and for templates without tools."""

import json

import httpx
import pytest

from tests.test_chat_completions import CALCULATOR, WEATHER, user

ROME = "What is the weather in Rome?"
FUNCTION = {"type": "function", "function": {"name": "get_weather"}}
UNIT = {
    "type": "function",
    "function": {
        "name": "set_unit",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"unit": {"enum": ["C", "F"]}, "digits": {"type": "integer", "minimum": 1, "maximum": 3}},
            "required": ["unit", "digits"],
            "additionalProperties": False,
        },
    },
}


def ask(openai_client, text: str = "Hello!", **options: object):
    options = {"temperature": 0, "max_tokens": 60, **options}
    return openai_client.chat.completions.create(model="demo", messages=[user(text)], **options).choices[0]


@pytest.mark.parametrize("choice", ["required", FUNCTION])
def test_a_call_can_be_forced(openai_client, choice):
    answer = ask(openai_client, tools=[WEATHER], tool_choice=choice)
    assert answer.finish_reason == "tool_calls"
    [call] = answer.message.tool_calls
    assert call.function.name == "get_weather"
    assert list(json.loads(call.function.arguments)) == ["city"]
    assert answer.message.content is None


def test_the_named_function_is_called_even_if_another_fits(openai_client):
    named = {"type": "function", "function": {"name": "calculator"}}
    answer = ask(openai_client, ROME, tools=[WEATHER, CALCULATOR], tool_choice=named)
    assert [call.function.name for call in answer.message.tool_calls] == ["calculator"]


def test_a_forced_call_streams_its_name_first(openai_client):
    chunks = openai_client.chat.completions.create(
        model="demo", messages=[user("Hello!")], tools=[WEATHER], tool_choice="required", temperature=0, stream=True
    )
    calls = [chunk.choices[0].delta.tool_calls[0] for chunk in chunks if chunk.choices[0].delta.tool_calls]
    assert (calls[0].function.name, calls[0].function.arguments) == ("get_weather", "")
    assert calls[0].id.startswith("call_")
    assert len(calls) > 2
    assert json.loads("".join(call.function.arguments for call in calls))


def test_none_forbids_calls(openai_client):
    answer = ask(openai_client, ROME, tools=[WEATHER], tool_choice="none")
    assert answer.message.tool_calls is None


def test_arguments_follow_a_strict_schema_at_any_temperature(openai_client):
    for seed in range(10):
        answer = ask(openai_client, tools=[UNIT], tool_choice="required", temperature=2, top_p=1, seed=seed)
        for call in answer.message.tool_calls:
            arguments = json.loads(call.function.arguments)
            assert arguments["unit"] in ("C", "F")
            assert 1 <= arguments["digits"] <= 3


def test_a_call_of_the_models_own_accord_follows_the_schema_too(openai_client):
    """The demo model wants to give a city, which this function does not take."""
    tool = {**WEATHER, "function": {**WEATHER["function"], "parameters": UNIT["function"]["parameters"]}}
    [call] = ask(openai_client, ROME, tools=[tool]).message.tool_calls
    assert set(json.loads(call.function.arguments)) == {"unit", "digits"}


def test_calls_come_one_at_a_time_if_asked_for(openai_client):
    answer = ask(
        openai_client, tools=[WEATHER], tool_choice="required", parallel_tool_calls=False, temperature=2, seed=3
    )
    assert len(answer.message.tool_calls) == 1


def test_a_strict_schema_that_cannot_be_enforced_is_refused(server):
    schema = {"type": "object", "properties": {"a": {"not": {"type": "string"}}}}
    for strict, status in [(True, 400), (False, 200), (None, 200)]:
        tool = {"type": "function", "function": {"name": "f", "parameters": schema, "strict": strict}}
        body = {"model": "demo", "messages": [user("Hello!")], "tools": [tool], "max_tokens": 4}
        response = httpx.post(f"{server.base_url}/chat/completions", json=body, timeout=60)
        assert response.status_code == status
        if strict:
            assert response.json()["error"]["param"] == "tools[0].function.parameters.properties.a"


def test_a_format_may_be_combined_with_tools(openai_client):
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
    answer_format = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    answer = ask(openai_client, ROME, tools=[WEATHER], response_format=answer_format)
    if answer.message.tool_calls:
        assert answer.message.tool_calls[0].function.name == "get_weather"
    else:
        assert isinstance(json.loads(answer.message.content)["ok"], bool)


def test_functions_are_answered_in_their_own_form(openai_client):
    function = WEATHER["function"]
    answer = ask(openai_client, ROME, functions=[function])
    assert answer.finish_reason == "function_call"
    assert answer.message.function_call.name == "get_weather"
    assert json.loads(answer.message.function_call.arguments) == {"city": "Rome"}
    assert answer.message.tool_calls is None


def test_functions_are_streamed_in_their_own_form(openai_client):
    chunks = list(
        openai_client.chat.completions.create(
            model="demo",
            messages=[user("Hello!")],
            functions=[WEATHER["function"]],
            function_call={"name": "get_weather"},
            temperature=0,
            stream=True,
        )
    )
    calls = [chunk.choices[0].delta.function_call for chunk in chunks if chunk.choices[0].delta.function_call]
    assert calls[0].name == "get_weather"
    assert json.loads("".join(call.arguments for call in calls))
    assert chunks[-1].choices[0].finish_reason == "function_call"
    assert not any(chunk.choices[0].delta.tool_calls for chunk in chunks)


def test_a_dialogue_with_functions_goes_on(openai_client):
    messages = [
        user(ROME),
        {
            "role": "assistant",
            "content": None,
            "function_call": {"name": "get_weather", "arguments": '{"city": "Rome"}'},
        },
        {"role": "function", "name": "get_weather", "content": "sunny, 25 degrees"},
    ]
    answer = openai_client.chat.completions.create(
        model="demo", messages=messages, functions=[WEATHER["function"]], temperature=0
    ).choices[0]
    assert "sunny" in answer.message.content
