"""Every tool format: what a model writes becomes the same message, however it is cut."""

import json
import random

import pytest

from inference.chat.events import Content, ToolCallArguments, ToolCallBegin
from inference.chat.formats import FORMATS, HARMONY, Dialect, ToolFormat
from inference.chat.parser import OutputParser

TOOLS = {
    "get_weather": {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer"},
            "unit": {"enum": ["C", "F"]},
            "hourly": {"type": "boolean"},
            "places": {"type": "array", "items": {"type": "string"}},
        },
    },
    "calc.run-2": {"type": "object", "properties": {"input": {"type": "string"}}},
    "now": {"type": "object", "properties": {}},
}
WEATHER = {"city": "Rio de Janeiro", "days": 3, "unit": "C", "hourly": True, "places": ["beach", "hill"]}
TRICKY = {"input": 'x < 1 &&\n"й🙂" \\ {2}'}
CALLS = {
    "one": [("get_weather", WEATHER)],
    "several": [("get_weather", {"city": "Rome"}), ("get_weather", {"city": "Paris", "days": 2}), ("now", {})],
    "tricky": [("calc.run-2", TRICKY)],
    "no arguments": [("now", {})],
}
FORMATS_OF_THE_PARSER = [each for each in FORMATS if each is not HARMONY]


def message(pieces: list[str], tool_format: ToolFormat, tools: dict | None = TOOLS) -> tuple[str, list[list[str]]]:
    parser = OutputParser(tools, tool_format)
    events = [event for piece in pieces for event in parser.feed(piece)] + parser.finish()
    content, calls = "", []
    for event in events:
        if isinstance(event, Content):
            content += event.text
        elif isinstance(event, ToolCallBegin):
            assert event.index == len(calls)
            calls.append([event.name, ""])
        else:
            assert isinstance(event, ToolCallArguments)
            calls[event.index][1] += event.fragment
    return content, calls


def cut(text: str, seed: int) -> list[str]:
    dice, pieces = random.Random(seed), []
    while text:
        size = dice.randint(1, 9)
        pieces.append(text[:size])
        text = text[size:]
    return pieces


def parsed(calls: list[list[str]]) -> list[tuple[str, dict]]:
    return [(name, json.loads(arguments)) for name, arguments in calls]


def generation(tool_format: ToolFormat, case: str, text: str = "") -> str:
    calls = CALLS[case]
    if tool_format.dialect is Dialect.GEMMA and case == "tricky":
        calls = [("calc.run-2", {"input": TRICKY["input"].replace('"', "'")})]
    return text + tool_format.write(calls)


@pytest.mark.parametrize("case", CALLS)
@pytest.mark.parametrize("tool_format", FORMATS_OF_THE_PARSER, ids=lambda each: each.name)
def test_calls_are_read_however_the_text_is_cut(tool_format, case):
    before = "" if tool_format.only_first else "Let me see.\n"
    text = generation(tool_format, case, before)
    content, calls = message([text], tool_format)
    assert content == before
    assert [name for name, _ in parsed(calls)] == [name for name, _ in CALLS[case]]
    if not (tool_format.dialect is Dialect.GEMMA and case == "tricky"):
        assert parsed(calls) == CALLS[case]
    for pieces in [list(text), *(cut(text, seed) for seed in range(20))]:
        assert message(pieces, tool_format) == (content, calls)


@pytest.mark.parametrize("tool_format", FORMATS_OF_THE_PARSER, ids=lambda each: each.name)
def test_truncated_anywhere_the_message_does_not_depend_on_the_pieces(tool_format):
    text = generation(tool_format, "several") + generation(tool_format, "tricky")
    for length in range(len(text)):
        whole = message([text[:length]], tool_format)
        assert message(list(text[:length]), tool_format) == whole
        assert message(cut(text[:length], length), tool_format) == whole


@pytest.mark.parametrize("tool_format", FORMATS_OF_THE_PARSER, ids=lambda each: each.name)
def test_other_text_comes_through_as_it_is(tool_format):
    for text in ["", "Hello <b>you</b>! [1, {2}] a < b", '{"a": 1}', "```json\n{}\n```", "<tool", "[TOOL"]:
        for pieces in ([text], list(text)):
            assert message(pieces, tool_format) == (text, [])


@pytest.mark.parametrize("tool_format", FORMATS_OF_THE_PARSER, ids=lambda each: each.name)
def test_a_function_that_is_not_offered_is_text(tool_format):
    text = tool_format.write([("get_weather", {"city": "Rome"})])
    assert message([text], tool_format, {"other": {}}) == (text, [])
    assert message(list(text), tool_format, {"other": {}}) == (text, [])
    assert message([text], tool_format, None) == (text, [])
