"""CallStyle: the ways in which templates want messages that call tools."""

import json

from inference.chat.call_style import CallStyle
from tests.chat.conversations import ANSWER, CALLING, TOOL_USE, USER, call, result


def one(number: int, city: str, **fields: str) -> dict:
    return {"role": "assistant", "content": "", **fields, "tool_calls": [call(number, city)]}


def test_the_plain_style_changes_nothing():
    assert CallStyle().apply(TOOL_USE) == TOOL_USE


def test_calls_one_by_one_are_followed_by_their_results():
    assert CallStyle(one_by_one=True).apply([*TOOL_USE, ANSWER]) == [
        USER,
        one(1, "Rome"),
        result(1, "sun"),
        one(2, "Oslo"),
        result(2, "rain"),
        ANSWER,
    ]


def test_the_first_of_several_calls_keeps_what_is_said_and_thought():
    calling = {**CALLING, "content": "I ask.", "reasoning_content": "Two."}
    first, second = CallStyle(one_by_one=True).apply([calling])
    assert first == one(1, "Rome", content="I ask.", reasoning_content="Two.")
    assert second == one(2, "Oslo")


def test_results_without_a_call_stay_at_the_end_and_second_results_stay_second():
    results = [result(1, "sun"), result(1, "wind"), result(9, "fog")]
    messages = CallStyle(one_by_one=True).apply([USER, CALLING, *results])
    assert messages == [USER, one(1, "Rome"), *results[:2], one(2, "Oslo"), results[2]]


def test_what_is_said_before_calls_becomes_a_message():
    calling = {**CALLING, "content": "I ask.", "reasoning_content": "Two."}
    style = CallStyle(speaks_before=True)
    assert style.apply([USER, calling]) == [
        USER,
        {"role": "assistant", "content": "I ask.", "reasoning_content": "Two."},
        CALLING,
    ]
    assert style.apply(TOOL_USE) == TOOL_USE


def test_arguments_become_text_once():
    style = CallStyle(text_arguments=True)
    messages = style.apply(style.apply(TOOL_USE))
    assert [json.loads(each["function"]["arguments"]) for each in messages[1]["tool_calls"]] == [
        {"city": "Rome"},
        {"city": "Oslo"},
    ]


def test_empty_content_becomes_null_where_tools_are_called():
    speaking = {**CALLING, "content": "I ask."}
    empty = {"role": "user", "content": ""}
    messages = CallStyle(null_content=True).apply([empty, CALLING, speaking])
    assert [message["content"] for message in messages] == ["", None, "I ask."]
