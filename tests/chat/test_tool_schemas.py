"""complete_tools: no gaps for templates that count on every key."""

import pytest

from inference.chat.tool_schemas import complete_tools
from tests.chat.conversations import TOOL


def complete(parameters: dict | None) -> dict:
    [tool] = complete_tools([{"type": "function", "function": {"name": "f", "parameters": parameters}}])
    return tool["function"]["parameters"]


def test_a_tool_without_anything_gets_empty_ones():
    [tool] = complete_tools([{"type": "function", "function": {"name": "now"}}])
    assert tool["function"] == {
        "name": "now",
        "description": "",
        "parameters": {"type": "object", "required": [], "properties": {}, "additionalProperties": {}},
    }
    assert complete(None) == tool["function"]["parameters"]


def test_what_is_there_stays():
    [tool] = complete_tools([TOOL])
    assert tool["function"]["description"] == "Weather in a city."
    assert tool["function"]["parameters"]["properties"] == TOOL["function"]["parameters"]["properties"]


def test_properties_are_described_at_every_depth():
    inner = {"type": "object", "properties": {"x": {"type": "number"}}}
    properties = complete({"properties": {"a": {"type": "string"}, "b": inner, "any": True}})["properties"]
    assert properties["a"] == {"type": "string", "description": ""}
    assert properties["b"]["properties"] == {"x": {"type": "number", "description": ""}}
    assert properties["any"] is True


def test_types_are_single_and_say_what_they_hold():
    properties = {
        "optional": {"type": ["null", "string"]},
        "nothing": {"type": ["null"]},
        "list": {"type": "array"},
        "rows": {"type": "array", "items": {"type": ["object", "null"]}},
        "closed": {"type": "object", "additionalProperties": False},
    }
    completed = complete({"properties": properties})["properties"]
    assert completed["optional"]["type"] == "string"
    assert completed["nothing"]["type"] == "null"
    assert completed["list"]["items"] == {}
    assert completed["rows"]["items"] == {"type": "object", "additionalProperties": {}}
    assert completed["closed"]["additionalProperties"] is False


def test_the_given_tools_are_left_as_they_were():
    schema = {"properties": {"a": {"type": ["string", "null"]}}}
    complete(schema)
    assert schema == {"properties": {"a": {"type": ["string", "null"]}}}


@pytest.mark.parametrize("properties", [[[]], ["a"], "a", 1, True, None])
def test_properties_that_are_none_are_left_out(properties):
    assert complete({"properties": properties})["properties"] == {}
    inner = complete({"properties": {"a": {"type": "object", "properties": properties}}})["properties"]["a"]
    assert inner["properties"] == {}
