"""Forced calls and structured answers of `/v1/responses`."""

import json
from typing import Literal

import openai
import pytest
from pydantic import BaseModel

from inference.exceptions import InvalidRequest
from inference.responses.conversion import chat_parameters, conversation, renamed
from inference.serializers.responses import ResponseRequestSerializer
from tests.test_chat_completions import capital
from tests.test_responses import WEATHER, ask


class City(BaseModel):
    city: Literal["Paris", "Rome"]


def test_an_answer_is_parsed(openai_client):
    response = openai_client.responses.parse(model="demo", input=capital("France"), text_format=City, temperature=0)
    assert response.output_parsed.city in ("Paris", "Rome")
    assert response.text.format.name == "City"


def test_a_streamed_answer_is_parsed(openai_client):
    with openai_client.responses.stream(model="demo", input=capital("France"), text_format=City) as stream:
        assert stream.get_final_response().output_parsed.city in ("Paris", "Rome")


def test_any_json_object_may_be_asked_for(openai_client):
    response = ask(openai_client, "Hello!", text={"format": {"type": "json_object"}}, max_output_tokens=200)
    assert response.status == "incomplete" or isinstance(json.loads(response.output_text), dict)


@pytest.mark.parametrize("choice", ["required", {"type": "function", "name": "get_weather"}])
def test_a_call_is_forced(openai_client, choice):
    response = ask(openai_client, "Hello!", tools=[WEATHER], tool_choice=choice, max_output_tokens=200)
    assert [item.type for item in response.output] == ["function_call"]
    assert response.output[0].name == "get_weather"
    assert response.to_dict()["tool_choice"] == choice


def test_one_call_at_a_time(openai_client):
    question = "What is the weather in Rome?"
    response = ask(openai_client, question, tools=[WEATHER], parallel_tool_calls=False)
    assert len(response.output) == 1
    assert response.parallel_tool_calls is False


def test_a_schema_that_cannot_be_kept_is_named(openai_client):
    wanted = {"type": "json_schema", "name": "x", "schema": {"type": "no-such-type"}, "strict": True}
    with pytest.raises(openai.BadRequestError) as caught:
        ask(openai_client, "Hello!", text={"format": wanted})
    assert caught.value.param.startswith("text.format")


def parameters(**request: object) -> dict:
    serializer = ResponseRequestSerializer(data={"model": "demo", "input": "Hi", **request})
    serializer.is_valid(raise_exception=True)
    body = serializer.validated_data
    return chat_parameters(body, conversation(body.get("instructions"), [], body["input"]))


def test_the_parameters_of_chat_completions_get_their_values():
    found = parameters(
        instructions="Be brief.",
        tools=[WEATHER],
        tool_choice="auto",
        max_output_tokens=9,
        reasoning={"effort": "high"},
        include=["message.output_text.logprobs"],
        top_logprobs=3,
        top_k=5,
    )
    assert [message["role"] for message in found["messages"]] == ["system", "user"]
    assert found["tools"][0]["function"]["parameters"] == WEATHER["parameters"]
    assert (found["tool_choice"], found["max_completion_tokens"], found["reasoning_effort"]) == ("auto", 9, "high")
    assert (found["logprobs"], found["top_logprobs"], found["top_k"]) == (True, 3, 5)


@pytest.mark.parametrize(
    ("param", "name"),
    [
        ("messages", "input"),
        ("messages[0].content", "instructions"),
        ("messages[1].tool_calls[0].function.name", "input[0]"),
        ("tools[2].function.parameters.type", "tools[2].parameters.type"),
        ("tool_choice.function.name", "tool_choice.name"),
        ("response_format", "text.format"),
        ("response_format.json_schema.schema.type", "text.format.schema.type"),
        ("max_completion_tokens", "max_output_tokens"),
        ("reasoning_effort", "reasoning.effort"),
        ("top_logprobs", "top_logprobs"),
        ("logit_bias", "logit_bias"),
    ],
)
def test_an_error_gets_the_name_of_the_responses_api(param, name):
    error = renamed(InvalidRequest(f"Invalid `{param}`: no.", param=param), ["instructions", "input[0]"])
    assert (error.param, error.message) == (name, f"Invalid `{name}`: no.")
