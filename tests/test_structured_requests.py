"""Structured output over HTTP, with the official client: parsed, whole and streamed, and what is refused."""

import json

import httpx
import openai
import pytest
from pydantic import BaseModel

from tests.schemas import ACCEPTED, REFUSED
from tests.schemas.models import Address, Booking, Choice, Owner, Person
from tests.wild_engine import errors

HELLO = [{"role": "user", "content": "Hello!"}]
WILD = {
    "model": "demo",
    "messages": HELLO,
    "temperature": 2.0,
    "top_p": 1,
    "frequency_penalty": 2.0,
    "max_tokens": 400,
    "extra_body": {"top_k": 0, "min_p": 0, "logit_bias": dict.fromkeys('",]}', 6)},
}
OVER_HTTP = (
    "title of a conversation",
    "math reasoning",
    "user interface",
    "MCP: edit a file",
    "invoice",
    "keys to escape",
    "choices with quotes",
    "arithmetic",
    "a percent sign before a quote",
    "tuple",
)


def response_format(schema: dict) -> dict:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}


@pytest.mark.parametrize("name", OVER_HTTP)
def test_an_answer_fits_its_schema(openai_client, name):
    answer = openai_client.chat.completions.create(**WILD, seed=1, response_format=response_format(ACCEPTED[name]))
    [choice] = answer.choices
    assert choice.finish_reason == "stop"
    assert errors(ACCEPTED[name], choice.message.content) == []


@pytest.mark.parametrize("model", [Address, Person, Booking, Choice])
def test_an_answer_is_parsed(openai_client, model: type[BaseModel]):
    answer = openai_client.chat.completions.parse(**WILD, seed=2, response_format=model)
    assert isinstance(answer.choices[0].message.parsed, model)


@pytest.mark.parametrize("model", [Person, Choice])
def test_a_streamed_answer_is_parsed(openai_client, model):
    with openai_client.chat.completions.stream(**WILD, seed=3, response_format=model) as stream:
        deltas = [event.delta for event in stream if event.type == "content.delta"]
        [choice] = stream.get_final_completion().choices
    assert isinstance(choice.message.parsed, model)
    assert "".join(deltas) == choice.message.content
    assert len(deltas) > 1


def test_several_choices_all_fit(openai_client):
    answer = openai_client.chat.completions.create(
        **WILD, n=3, seed=4, response_format=response_format(ACCEPTED["tree"])
    )
    assert [errors(ACCEPTED["tree"], choice.message.content) for choice in answer.choices] == [[], [], []]


def test_an_answer_that_is_cut_off_says_so(openai_client):
    limited = {**WILD, "max_tokens": 5}
    answer = openai_client.chat.completions.create(**limited, response_format=response_format(ACCEPTED["invoice"]))
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 5


def test_any_object_may_be_asked_for(openai_client):
    answer = openai_client.chat.completions.create(**WILD, seed=5, response_format={"type": "json_object"})
    choice = answer.choices[0]
    assert choice.finish_reason == "length" or isinstance(json.loads(choice.message.content), dict)


@pytest.mark.parametrize("name", ["unique items", "look-ahead", "deeply nested", "countless combinations"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_schema_that_cannot_be_enforced_is_a_bad_request(openai_client, name, stream):
    schema, location, part = REFUSED[name]
    with pytest.raises(openai.BadRequestError) as caught:
        openai_client.chat.completions.create(**WILD, stream=stream, response_format=response_format(schema))
    assert caught.value.param == f"response_format.json_schema.schema{location}"
    assert part in caught.value.body["message"]


def test_half_of_a_surrogate_pair_is_a_bad_request(server):
    body = {"model": "demo", "messages": HELLO, "response_format": response_format({"const": "\ud83d"})}
    response = httpx.post(f"{server.base_url}/chat/completions", content=json.dumps(body), timeout=30)
    assert response.status_code == 400
    assert "surrogate" in response.json()["error"]["message"]


def test_a_union_that_is_told_apart_by_a_constant_is_parsed(openai_client):
    answer = openai_client.chat.completions.parse(**WILD, seed=6, response_format=Owner)
    assert isinstance(answer.choices[0].message.parsed, Owner)


def test_the_arguments_of_a_strict_tool_fit_its_schema(openai_client):
    tool = {"type": "function", "function": {"name": "save", "parameters": ACCEPTED["invoice"], "strict": True}}
    answer = openai_client.chat.completions.create(**WILD, seed=7, tools=[tool], tool_choice="required")
    assert answer.choices[0].finish_reason == "tool_calls"
    for call in answer.choices[0].message.tool_calls:
        assert call.function.name == "save"
        assert errors(ACCEPTED["invoice"], call.function.arguments) == []
