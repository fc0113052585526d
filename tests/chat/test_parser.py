"""OutputParser: the same message however the text is cut."""

import json

import pytest

from inference.chat.events import Content, ToolCallArguments, ToolCallBegin
from inference.chat.formats import HERMES
from inference.chat.parser import OutputParser
from tests.chat.test_formats import message

TOOLS = {"get_weather": {}, "calculator": {}}
PARIS = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>'
SUM = '<tool_call>\n{"name": "calculator", "arguments": {"input": "2 + {2}\\""}}\n</tool_call>'

CASES = {
    "plain text": ("Hello <b>you</b>!", "Hello <b>you</b>!", []),
    "one call": (PARIS, "", [("get_weather", '{"city": "Paris"}')]),
    "text before a call": ("Let me see.\n" + PARIS, "Let me see.\n", [("get_weather", '{"city": "Paris"}')]),
    "two calls": (
        PARIS + "\n" + SUM,
        "",
        [("get_weather", '{"city": "Paris"}'), ("calculator", '{"input": "2 + {2}\\""}')],
    ),
    "no line breaks": (PARIS.replace("\n", ""), "", [("get_weather", '{"city": "Paris"}')]),
    "no end tag between": (
        PARIS.replace("</tool_call>", "") + SUM,
        "",
        [("get_weather", '{"city": "Paris"}'), ("calculator", '{"input": "2 + {2}\\""}')],
    ),
    "arguments first": (
        '<tool_call>{"arguments": {"city": "Bonn"}, "name": "get_weather"}</tool_call>',
        "",
        [("get_weather", '{"city": "Bonn"}')],
    ),
    "no arguments": ('<tool_call>{"name": "get_weather"}</tool_call>', "", [("get_weather", "{}")]),
    "cut in the arguments": (PARIS[:60], "", [("get_weather", '{"city": "P')]),
    "unknown function": (
        '<tool_call>{"name": "rm", "arguments": {}}</tool_call>',
        '<tool_call>{"name": "rm", "arguments": {}}</tool_call>',
        [],
    ),
    "no JSON": ("<tool_call>oh</tool_call> dear", "<tool_call>oh</tool_call> dear", []),
    "name is no string": ('<tool_call>{"name": {}}</tool_call>', '<tool_call>{"name": {}}</tool_call>', []),
    "JSON but no object": ("<tool_call>[1]</tool_call>", "<tool_call>[1]</tool_call>", []),
    "cut in the name": ('<tool_call>{"name": "get_w', '<tool_call>{"name": "get_w', []),
    "cut in the tag": ("so <tool_ca", "so <tool_ca", []),
}


def collect(pieces: list[str], tools: dict[str, dict] | None = None) -> tuple[str, list[tuple[str, str]]]:
    content, calls = message(pieces, HERMES, TOOLS if tools is None else tools)
    return content, [(name, arguments) for name, arguments in calls]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_the_cut_does_not_matter(name, size):
    text, content, calls = CASES[name]
    assert collect([text[start : start + size] for start in range(0, len(text), size)]) == (content, calls)


def test_without_tools_everything_is_content():
    assert collect([PARIS], {}) == (PARIS, [])


def test_text_is_not_held_back_longer_than_needed():
    assert OutputParser(TOOLS).feed("a < b") == [Content("a < b")]


def test_the_name_comes_first_and_the_arguments_follow_as_they_arrive():
    parser = OutputParser(TOOLS)
    head = parser.feed('<tool_call>\n{"name": "get_weather", "arguments": {"ci')
    assert isinstance(head[0], ToolCallBegin)
    assert head[1] == ToolCallArguments(0, '{"ci')
    assert parser.feed('ty": "Rome"}') == [ToolCallArguments(0, 'ty": "Rome"}')]


def test_call_ids_never_repeat():
    ids = {OutputParser(TOOLS).feed(PARIS)[0].id for _ in range(100)}
    assert len(ids) == 100
    assert all(call_id.startswith("call_") for call_id in ids)


def test_complete_arguments_are_json():
    _, [(_, arguments)] = collect([SUM])
    assert json.loads(arguments) == {"input": '2 + {2}"'}
