"""What presets do to the bodies of requests."""

import pytest

from inference.exceptions import InvalidRequest
from inference.preset_rules import FORCEABLE, STRIPPABLE, apply_rules, check_tools
from inference.serializers.base import RequestSerializer, shared
from inference.serializers.chat import ChatCompletionRequestSerializer as Chat
from inference.serializers.completions import CompletionRequestSerializer as Completions
from inference.serializers.embeddings import EmbeddingsRequestSerializer as Embeddings
from inference.serializers.responses import LOGPROBS
from inference.serializers.responses import ResponseRequestSerializer as Responses
from registry.models import Preset

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}


def ruled(serializer: type[RequestSerializer], body: dict, **rules: object) -> tuple[dict, list[str]]:
    return apply_rules(Preset(name="p", **rules), shared(serializer), body)


def test_without_a_preset_the_body_is_the_clients_own():
    body = {"seed": 1}
    assert apply_rules(None, shared(Chat), body) == (body, [])


def test_the_clients_body_is_not_changed():
    body = {"reasoning": {"effort": "high"}, "temperature": 1}
    ruled(Chat, body, forced={"temperature": 0}, reasoning="none")
    assert body == {"reasoning": {"effort": "high"}, "temperature": 1}


@pytest.mark.parametrize("serializer", [Chat, Completions, Responses])
def test_a_forced_value_wins_over_the_requests(serializer):
    assert ruled(serializer, {"temperature": 1}, forced={"temperature": 0}) == ({"temperature": 0}, ["temperature"])


def test_what_says_the_same_as_the_rule_is_not_said_in_vain():
    assert ruled(Chat, {"temperature": 0}, forced={"temperature": 0}) == ({"temperature": 0}, [])


@pytest.mark.parametrize(
    ("serializer", "body", "expected", "dropped"),
    [
        (Chat, {"max_completion_tokens": 9, "max_tokens": 5}, {"max_tokens": 5}, ["max_completion_tokens"]),
        (Completions, {"max_tokens": 9}, {"max_tokens": 5}, ["max_tokens"]),
        (Responses, {"max_output_tokens": 9}, {"max_output_tokens": 5}, ["max_output_tokens"]),
    ],
)
def test_a_forced_length_limit_goes_by_the_endpoints_name(serializer, body, expected, dropped):
    assert ruled(serializer, body, forced={"max_tokens": 5}) == (expected, dropped)


def test_a_forced_format_takes_the_place_of_what_it_excludes():
    body, dropped = ruled(Chat, {"regex": "a+"}, forced={"response_format": FORMAT})
    assert (body, dropped) == ({"response_format": FORMAT}, ["regex"])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (FORMAT, {"type": "json_schema", "name": "a", "schema": SCHEMA}),
        ({"type": "json_object", "schema": SCHEMA}, {"type": "json_schema", "name": "answer", "schema": SCHEMA}),
        ({"type": "json_object"}, {"type": "json_object"}),
    ],
)
def test_responses_get_a_forced_format_in_their_own_shape(value, expected):
    body, _ = ruled(Responses, {"text": {"verbosity": "low"}}, forced={"response_format": value})
    assert body == {"text": {"verbosity": "low", "format": expected}}


@pytest.mark.parametrize("serializer", [Chat, Completions, Responses])
def test_an_ignored_parameter_is_named_even_if_its_value_is_not_allowed(serializer):
    assert ruled(serializer, {"seed": "x", "stop": "a"}, stripped=["seed", "top_k"]) == ({"stop": "a"}, ["seed"])


@pytest.mark.parametrize(
    ("serializer", "body", "dropped"),
    [
        (Chat, {"logprobs": True, "top_logprobs": 2}, ["logprobs", "top_logprobs"]),
        (Completions, {"logprobs": 2}, ["logprobs"]),
        (Responses, {"include": [LOGPROBS], "top_logprobs": 2}, [f"include.{LOGPROBS}", "top_logprobs"]),
        (Chat, {"n": 3}, ["n"]),
    ],
)
def test_what_belongs_together_is_ignored_together(serializer, body, dropped):
    rest, names = ruled(serializer, body, stripped=["logprobs", "n"])
    assert not any(rest.values())
    assert names == dropped


@pytest.mark.parametrize(
    ("serializer", "body", "expected"),
    [
        (Chat, {"reasoning_effort": "high", "reasoning_budget": 9}, {"reasoning_effort": "none"}),
        (Chat, {"reasoning": {"effort": "high", "max_tokens": 9}}, {"reasoning": {}, "reasoning_effort": "none"}),
        (
            Chat,
            {"chat_template_kwargs": {"enable_thinking": True, "a": 1}},
            {"chat_template_kwargs": {"a": 1}, "reasoning_effort": "none"},
        ),
        (Responses, {"reasoning": {"effort": "high", "a": 1}}, {"reasoning": {"a": 1, "effort": "none"}}),
        (Responses, {"reasoning_budget": 9}, {"reasoning": {"effort": "none"}}),
        (Completions, {"prompt": "a"}, {"prompt": "a"}),
    ],
)  # fmt: skip
def test_reasoning_is_the_presets_alone(serializer, body, expected):
    rest, dropped = ruled(serializer, body, reasoning="none")
    assert rest == expected
    assert bool(dropped) == (serializer is not Completions)


@pytest.mark.parametrize("value", ["text", 3, [1]])
def test_malformed_objects_are_left_to_the_serializer(value):
    body = {"chat_template_kwargs": value, "reasoning": value, "text": value}
    rules = {"stripped": ["reasoning_effort"], "reasoning": "low", "forced": {"response_format": {"type": "text"}}}
    assert ruled(Responses, body, **rules) == (body, [])


def test_endpoints_without_a_parameter_are_not_ruled():
    rules = {"forced": {"temperature": 0}, "stripped": ["seed"], "reasoning": "none"}
    assert ruled(Embeddings, {"input": "a"}, **rules) == ({"input": "a"}, [])


@pytest.mark.parametrize("parameter", STRIPPABLE)
def test_every_parameter_is_one_of_chat_completions(parameter):
    assert set(shared(Chat).names_of(parameter)) & set(shared(Chat).fields)


@pytest.mark.parametrize("parameter", FORCEABLE)
def test_every_forced_parameter_reaches_responses(parameter):
    assert shared(Responses).names_of(parameter)


@pytest.mark.parametrize(
    ("parameters", "param"),
    [
        ({"tools": [{"function": {"name": "a"}}, {"function": {"name": "b"}}]}, "tools[1].function.name"),
        ({"tools": [{"type": "function", "name": "b"}]}, "tools[0].name"),
        ({"functions": [{"name": "b"}]}, "functions[0].name"),
    ],
)
def test_a_tool_that_is_not_allowed_is_named_with_those_that_are(parameters, param):
    with pytest.raises(InvalidRequest) as caught:
        check_tools(Preset(name="p", allowed_tools=["a", "c"]), parameters)
    assert caught.value.param == param
    assert caught.value.message == f"Invalid `{param}`: the model `p` allows only `a`, `c`, got `b`."


def test_no_tools_may_be_allowed():
    with pytest.raises(InvalidRequest, match="allows no tools, got `a`"):
        check_tools(Preset(name="p", allowed_tools=[]), {"functions": [{"name": "a"}]})


@pytest.mark.parametrize("allowed", [None, ["a"]])
def test_allowed_tools_pass(allowed):
    check_tools(Preset(name="p", allowed_tools=allowed), {"tools": [{"function": {"name": "a"}}], "functions": None})
