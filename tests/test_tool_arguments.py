"""Forced calls in every format of tool calls: the parser finds exactly the call, with arguments that fit the schema."""

import json
from typing import Any

import pytest

from inference.chat.answer import new_reader
from inference.chat.constraint import OfferedTool, ToolPlan, build_constraint
from inference.chat.events import Content, ToolCallArguments, ToolCallBegin
from inference.chat.formats import FORMATS, Dialect, ToolFormat
from inference.chat.thinking import answer_markers
from tests.gguf_files import write_marked_gguf
from tests.live_server import DEMO
from tests.schemas.containers import DIGIT, SHORT, record
from tests.schemas.scalars import Schema
from tests.wild_engine import WILD, Answer, WildEngine, errors

ADDRESS = record({"street": SHORT, "number": DIGIT})
TOOLS: dict[str, Schema] = {
    "now": record({}),
    "get_weather": record({"city": SHORT, "unit": {"type": "string", "enum": ["C", "F"]}, "days": DIGIT}),
    "numbers": record(
        {
            "count": {"type": "integer", "minimum": -5, "maximum": 500},
            "share": {"type": "number", "minimum": 0, "maximum": 1},
            "exact": {"type": "boolean"},
            "nothing": {"type": "null"},
        }
    ),
    "lists": record(
        {
            "tags": {"type": "array", "items": SHORT, "maxItems": 2},
            "grid": {"type": "array", "items": {"type": "array", "items": DIGIT, "maxItems": 2}, "maxItems": 2},
        }
    ),
    "nested": record({"user": record({"name": SHORT, "age": DIGIT, "known": {"type": "boolean"}}), "note": SHORT}),
    "choices": record(
        {
            "mixed": {"enum": ["a", 1, None, True, "true"]},
            "fixed": {"const": "yes"},
            "number": {"enum": [1, 2.5]},
            "digits": {"enum": ["1", "2"]},
        }
    ),
    "either": record(
        {
            "either": {"anyOf": [DIGIT, SHORT]},
            "record_or_null": {"anyOf": [{"type": "null"}, record({"z": DIGIT})]},
            "text_or_null": {"type": ["string", "null"], "maxLength": 4},
        }
    ),
    "references": {**record({"home": {"$ref": "#/$defs/address"}}), "$defs": {"address": ADDRESS}},
    "tree": {
        "type": "object",
        "properties": {"value": DIGIT, "children": {"type": "array", "items": {"$ref": "#"}, "maxItems": 1}},
        "required": ["value"],
        "additionalProperties": False,
    },
    "optional": {
        "type": "object",
        "properties": {"a": DIGIT, "b": SHORT, "c": {"type": "boolean"}},
        "additionalProperties": False,
    },
    "calc.run-2": record({"input": SHORT}),
    "odd_names": record({"from": DIGIT, "a b": DIGIT, "x-y": SHORT, "ключ": DIGIT}),
    "patterns": record({"code": {"type": "string", "pattern": "^[A-Z]{2}[0-9]{1,3}$"}}),
    "map": {"type": "object", "additionalProperties": DIGIT, "maxProperties": 2},
    "anything": {"type": "object", "maxProperties": 1},
}
# What is not enforced where strings stand as they are, or where a whole notation is not JSON.
OF_STRINGS = ("minLength", "maxLength", "pattern", "format")
OF_CONTAINERS = ("minItems", "maxItems", "minProperties", "maxProperties")
LOOSE = {
    Dialect.JSON: (),
    Dialect.PYTHON: ("maxProperties", "additionalProperties"),
    Dialect.TAGS: (*OF_STRINGS, "maxProperties"),
    Dialect.GEMMA: (*OF_STRINGS, *OF_CONTAINERS),
}
# Arguments in JSON are the same rule in every format: there, every second function is enough.
CASES = [
    (tool_format, name)
    for row, tool_format in enumerate(FORMATS)
    for column, name in enumerate(TOOLS)
    if tool_format.dialect is not Dialect.JSON or (row + column) % 2 == 0
]


def case_id(value: Any) -> str:
    return value.name if isinstance(value, ToolFormat) else value


def plan(*names: str, parallel: bool = False) -> ToolPlan:
    tools = [OfferedTool(name, TOOLS[name], False, f"tools[{number}]", {}) for number, name in enumerate(names)]
    return ToolPlan(tuple(tools), required=True, parallel=parallel)


def loosened(schema: Any, keywords: tuple[str, ...]) -> Any:
    if isinstance(schema, list):
        return [loosened(each, keywords) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: loosened(value, keywords) for key, value in schema.items() if key not in keywords}


def read(text: str, tool_format: ToolFormat, names: tuple[str, ...]) -> tuple[str, list[tuple[str, str]]]:
    """Return the content of an answer, and the names and arguments of its calls."""
    reader = new_reader("", plan(*names).schemas, tool_format)
    events = reader.feed(text) + reader.finish()
    content = "".join(event.text for event in events if isinstance(event, Content))
    calls = [[event.name, ""] for event in events if isinstance(event, ToolCallBegin)]
    for event in events:
        if isinstance(event, ToolCallArguments):
            calls[event.index][1] += event.fragment
    return content, [(name, arguments) for name, arguments in calls]


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> dict[tuple[str, str], Answer]:
    """What a model says that has every format's markers as control tokens: by format and function, or `*` for all."""
    markers = {marker for tool_format in FORMATS for marker in tool_format.markers}
    engine = WildEngine(write_marked_gguf(DEMO, tmp_path_factory.mktemp("models") / "marked.gguf", markers))
    constraints, visible = {}, {}
    for tool_format, name in (*CASES, *((each, "*") for each in FORMATS)):
        each = plan(*TOOLS, parallel=True) if name == "*" else plan(name)
        constraints[tool_format.name, name] = build_constraint({}, each, tool_format)
        visible[tool_format.name, name] = answer_markers(tool_format)
    endings = [(ending, 8.0) for ending in (*engine.control_tokens, "<", ")")]
    answers = engine.generate(constraints, visible, logit_bias=(*WILD["logit_bias"], *endings), max_tokens=150)
    engine.close()
    return answers


@pytest.mark.parametrize(("tool_format", "name"), CASES, ids=case_id)
def test_a_forced_call_has_arguments_that_fit(answers, tool_format, name):
    finish_reason, text = answers[tool_format.name, name]
    if finish_reason == "length":
        return
    content, calls = read(text, tool_format, (name,))
    assert not content.strip(), text
    assert [called for called, _ in calls] == [name], text
    assert errors(loosened(TOOLS[name], LOOSE[tool_format.dialect]), calls[0][1]) == [], text


@pytest.mark.parametrize("tool_format", FORMATS, ids=case_id)
def test_several_calls_are_told_apart(answers, tool_format):
    finish_reason, text = answers[tool_format.name, "*"]
    content, calls = read(text, tool_format, tuple(TOOLS))
    assert finish_reason == "length" or not content.strip(), text
    assert calls
    for name, arguments in calls if finish_reason == "stop" else calls[:-1]:
        assert isinstance(json.loads(arguments), dict)
        assert errors(loosened(TOOLS[name], LOOSE[tool_format.dialect]), arguments) == [], text


def test_most_calls_come_to_their_end(answers):
    ended = [reason == "stop" for (_, name), (reason, _) in answers.items() if name != "*"]
    assert sum(ended) > 0.75 * len(ended)
