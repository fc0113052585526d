"""How a model is told of tools, and what of the answer is constrained."""

import json

import pytest

from inference.chat.constraint import ToolPlan, build_constraint
from inference.chat.formats import FORMATS, HARMONY, HERMES
from inference.chat.request import _variables, reasoning_budget
from inference.chat.thinking import answer_markers, find_thinking
from inference.chat.tool_plan import plan_tools, prompt_for_tools
from inference.exceptions import InvalidRequest
from tests.chat.test_tool_support import END, FAMILIES, HEAD, TOOLS, family

WEATHER = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}
NOW = {"type": "function", "function": {"name": "now"}}
USER = {"role": "user", "content": "Hello!"}
CALL = {
    "role": "assistant",
    "content": "",
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "now", "arguments": {"a": 1}}}],
}
RESULT = {"role": "tool", "content": "noon", "tool_call_id": "c1", "name": "now"}
NO_TOOLS = f"{HEAD}{END}"


def plan(**parameters: object) -> ToolPlan:
    return plan_tools({"tools": [WEATHER, NOW], **parameters})


def test_a_named_choice_leaves_one_function():
    named = plan(tool_choice={"type": "function", "function": {"name": "now"}})
    assert list(named.schemas) == ["now"]
    assert (named.required, named.parallel) == (True, False)


@pytest.mark.parametrize("parameters", [{"tool_choice": "none"}, {"tools": None}, {"tools": []}])
def test_without_tools_there_is_nothing_to_plan(parameters):
    assert plan(**parameters) == ToolPlan()


def test_a_template_that_knows_tools_gets_them():
    prompting = prompt_for_tools(FAMILIES["hermes"], plan(), [USER])
    assert prompting.tools == [WEATHER, NOW]
    assert prompting.messages == [USER]
    assert prompting.format is HERMES


def test_for_others_they_are_described_in_the_system_message():
    prompting = prompt_for_tools(NO_TOOLS, plan(), [{"role": "system", "content": "Be kind."}, USER, CALL, RESULT])
    system, _, call, result = prompting.messages
    assert prompting.tools is None
    assert system["content"].startswith("Be kind.\n\nYou can call functions.")
    assert json.dumps(WEATHER["function"]) in system["content"]
    assert '<tool_call>\n{"name": "name_of_the_function"' in system["content"]
    assert '<tool_call>\n{"name": "now", "arguments": {"a": 1}}\n</tool_call>' in call["content"]
    assert (result["role"], "noon" in result["content"]) == ("user", True)


def test_a_template_that_only_writes_calls_keeps_its_format():
    deepseek = FAMILIES["deepseek-v3.1"].replace(TOOLS, "")
    prompting = prompt_for_tools(deepseek, plan(), [USER, CALL, RESULT])
    assert prompting.format.name == "deepseek-v3.1"
    assert "<｜tool▁call▁begin｜>name_of_the_function<｜tool▁sep｜>" in prompting.messages[0]["content"]
    assert prompting.messages[2:] == [CALL, RESULT]


def test_unknown_formats_are_replaced_by_one_that_is_read():
    prompting = prompt_for_tools(family("CALL {{ c.name }} {{ c.arguments }}"), plan(), [USER])
    assert prompting.tools is None
    assert prompting.format is HERMES


def test_free_answers_with_tools_are_constrained_from_the_trigger_on():
    constraint = build_constraint({}, plan(), HERMES)
    assert constraint.triggers == ("<tool_call>",)
    assert constraint.repeats
    assert not build_constraint({}, plan(parallel_tool_calls=False), HERMES).repeats


@pytest.mark.parametrize("tool_format", FORMATS, ids=lambda each: each.name)
def test_required_calls_are_constrained_from_the_beginning(tool_format):
    constraint = build_constraint({}, plan(tool_choice="required"), tool_format)
    assert constraint.triggers == ()
    assert constraint.param == "tools"


@pytest.mark.parametrize(
    ("name", "schema", "path"),
    [
        ("qwen3-coder", {"type": "string", "maxLength": 3}, ".properties.a"),
        ("gemma-4", {"type": "array", "items": {"type": "string", "pattern": "^a"}}, ".properties.a.items"),
        ("gemma-4", {"type": "array", "maxItems": 2}, ".properties.a"),
        ("qwen3-coder", {"type": "array", "items": {"type": "string"}, "maxItems": 2}, None),
        ("qwen3-coder", {"enum": ["a"], "maxLength": 3}, None),
        ("hermes", {"type": "string", "maxLength": 3}, None),
    ],
)
def test_what_a_notation_cannot_hold_to_is_refused_where_all_has_to_be(name, schema, path):
    tool_format = next(each for each in FORMATS if each.name == name)
    parameters = {"type": "object", "properties": {"a": schema}}
    tool = {"type": "function", "function": {"name": "f", "parameters": parameters, "strict": True}}
    loose = {"type": "function", "function": {"name": "f", "parameters": parameters}}
    assert build_constraint({}, plan_tools({"tools": [loose]}), tool_format)
    if path is None:
        assert build_constraint({}, plan_tools({"tools": [tool]}), tool_format)
        return
    with pytest.raises(InvalidRequest) as caught:
        build_constraint({}, plan_tools({"tools": [tool]}), tool_format)
    assert caught.value.param == f"tools[0].function.parameters{path}"


def test_a_schema_that_cannot_be_enforced_gives_way_unless_strict():
    broken = {"type": "object", "properties": {"a": {"type": "string", "pattern": "("}}}
    function = {"name": "f", "parameters": broken}
    assert build_constraint({}, plan_tools({"tools": [{"type": "function", "function": function}]}), HERMES)
    with pytest.raises(InvalidRequest) as caught:
        build_constraint(
            {}, plan_tools({"tools": [NOW, {"type": "function", "function": {**function, "strict": True}}]}), HERMES
        )
    assert caught.value.param == "tools[1].function.parameters.properties.a"


@pytest.mark.parametrize(
    ("parameters", "param"),
    [
        ({"regex": "a", "enum": ["b"]}, "enum"),
        ({"response_format": {"type": "json_object"}, "grammar": "start: /a/"}, "grammar"),
        ({"regex": "("}, "regex"),
        ({"grammar": "root ::= ("}, "grammar"),
        ({"response_format": {"type": "json_object", "schema": {"type": "nothing"}}}, "response_format.schema"),
    ],
)
def test_what_cannot_be_a_format_is_refused(parameters, param):
    with pytest.raises(InvalidRequest) as caught:
        build_constraint(parameters, ToolPlan(), None)
    assert caught.value.param == param


def test_a_grammar_of_ones_own_goes_neither_with_tools_nor_with_channels():
    for tool_plan, tool_format in ((plan(), HERMES), (ToolPlan(), HARMONY)):
        with pytest.raises(InvalidRequest) as caught:
            build_constraint({"grammar": "start: /a/"}, tool_plan, tool_format)
        assert caught.value.param == "grammar"


def test_plain_text_is_no_format():
    assert build_constraint({"response_format": {"type": "text"}}, ToolPlan(), None) is None
    assert build_constraint({}, ToolPlan(), None) is None


@pytest.mark.parametrize(
    ("parameters", "budget"),
    [
        ({}, None),
        ({"reasoning_budget": 5}, 5),
        ({"reasoning_budget": -1}, None),
        ({"reasoning": {"max_tokens": 7}}, 7),
        ({"reasoning_effort": "none"}, 0),
        ({"reasoning": {"effort": "none"}}, 0),
        ({"reasoning_effort": "high"}, None),
    ],
)
def test_the_budget_of_thinking(parameters, budget):
    assert reasoning_budget(parameters) == budget


def test_the_template_is_told_of_the_effort():
    assert _variables({"reasoning_effort": "high"}) == {"reasoning_effort": "high"}
    assert _variables({"reasoning": {"effort": "low"}}) == {"reasoning_effort": "low"}
    assert _variables({"reasoning_effort": "none"}) == {"enable_thinking": False}
    kept = {"reasoning_effort": "none", "chat_template_kwargs": {"enable_thinking": True}}
    assert _variables(kept) == {"enable_thinking": True}


def test_thinking_is_known_by_the_prompt_or_the_template():
    opened = find_thinking("", "…<think>\n", None, 5)
    assert (opened.begin, opened.end, opened.is_open, opened.budget) == ("<think>", "</think>", True, 5)
    possible = find_thinking("{{ '<think>' }}", "…assistant\n", None, None)
    assert (possible.begin, possible.is_open) == ("<think>", False)
    assert find_thinking("{{ '<think>' }}", "…<think>\n\n</think>\n\n", None, None) is None
    assert find_thinking("", "…assistant\n", None, None) is None
    assert find_thinking("", "", HARMONY, None).end == "<|end|>"


def test_markers_name_what_may_be_control_tokens():
    assert {"[TOOL_CALLS]", "[ARGS]", "<think>", "[/THINK]"} <= set(
        answer_markers(next(f for f in FORMATS if f.name == "mistral"))
    )
    assert {"<|channel|>", "<|message|>"} <= set(answer_markers(HARMONY))
    gemma = next(each for each in FORMATS if each.name == "gemma-4")
    assert {'<|"|>', "<|tool_call>", "<tool_call|>"} <= set(answer_markers(gemma))
    assert "<channel|>" in answer_markers(None)
