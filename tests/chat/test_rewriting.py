"""The same conversation in other words."""

from inference.chat.rewriting import (
    as_text,
    begin_with_user,
    fold_system,
    gather_system,
    object_arguments,
    rename_reasoning,
    short_call_ids,
    take_turns,
    think_in_content,
)
from tests.chat.conversations import ANSWER, CALLING, SYSTEM, TOOL_USE, USER, call, result


def test_as_text_leaves_only_what_system_user_and_assistant_say():
    messages = as_text([SYSTEM, *TOOL_USE, USER], lambda name, arguments: f"{name}({arguments['city']})")
    assert messages == [
        SYSTEM,
        USER,
        {"role": "assistant", "content": "weather(Rome)\nweather(Oslo)"},
        {
            "role": "user",
            "content": "<tool_response>\nsun\n</tool_response>\n\n<tool_response>\nrain\n</tool_response>\n\nWeather?",
        },
    ]


def test_calls_are_written_behind_the_content_in_the_hermes_format():
    [message] = as_text([{"role": "assistant", "content": "Let me see.", "tool_calls": [call(1, "Köln")]}])
    assert message == {
        "role": "assistant",
        "content": 'Let me see.\n<tool_call>\n{"name": "weather", "arguments": {"city": "Köln"}}\n</tool_call>',
    }


def test_a_call_that_was_cut_off_is_written_with_its_text():
    broken = {"id": "1", "function": {"name": "weather", "arguments": '{"city'}}
    [message] = as_text([{"role": "assistant", "content": "", "tool_calls": [broken]}], lambda _, value: str(value))
    assert message["content"] == str({"arguments": '{"city'})


def test_gather_system_joins_all_system_messages_in_front():
    later = {"role": "system", "content": "Be brief."}
    assert gather_system([SYSTEM, USER, later, USER]) == [
        {"role": "system", "content": "Be kind.\n\nBe brief."},
        {"role": "user", "content": "Weather?\n\nWeather?"},
    ]
    assert gather_system([USER, ANSWER]) == [USER, ANSWER]


def test_fold_system_lets_the_user_say_it():
    assert fold_system([SYSTEM, USER]) == [{"role": "user", "content": "Be kind.\n\nWeather?"}]
    assert fold_system([SYSTEM]) == [{"role": "user", "content": "Be kind."}]
    assert fold_system([SYSTEM, ANSWER]) == [{"role": "user", "content": "Be kind."}, ANSWER]
    assert fold_system([USER]) == [USER]
    assert fold_system([]) == []


def test_begin_with_user_puts_an_empty_message_before_an_assistant():
    empty = {"role": "user", "content": ""}
    assert begin_with_user([ANSWER, USER]) == [empty, ANSWER, USER]
    assert begin_with_user([SYSTEM, ANSWER]) == [SYSTEM, empty, ANSWER]
    assert begin_with_user([SYSTEM, USER]) == [SYSTEM, USER]
    assert begin_with_user([SYSTEM]) == [SYSTEM]


def test_think_in_content_touches_only_messages_that_call():
    thinking = {**CALLING, "content": "I ask.", "reasoning_content": "Two cities."}
    assert think_in_content([thinking])[0] == {**CALLING, "content": "Two cities.\n\nI ask."}
    answer = {**ANSWER, "reasoning_content": "Done."}
    assert think_in_content([answer, CALLING]) == [answer, CALLING]


def test_arguments_that_are_no_object_are_wrapped():
    broken = {"id": "1", "function": {"name": "weather", "arguments": '{"city'}}
    [message] = object_arguments([{"role": "assistant", "content": "", "tool_calls": [broken, call(2, "Oslo")]}])
    arguments = [each["function"]["arguments"] for each in message["tool_calls"]]
    assert arguments == [{"arguments": '{"city'}, {"city": "Oslo"}]


def test_short_call_ids_are_nine_letters_and_digits_and_still_match():
    _, calling, *results = short_call_ids(TOOL_USE)
    ids = [each["id"] for each in calling["tool_calls"]]
    assert ids == [each["tool_call_id"] for each in results]
    assert len(set(ids)) == 2
    assert all(len(each) == 9 and each.isalnum() for each in ids)
    assert short_call_ids([{**result(1, "sun"), "tool_call_id": "abcDEF123"}])[0]["tool_call_id"] == "abcDEF123"


def test_reasoning_gets_the_name_that_a_template_knows():
    answer = {**ANSWER, "reasoning_content": "Hm."}
    assert rename_reasoning([USER, answer], "thinking") == [USER, {**ANSWER, "thinking": "Hm."}]
    parts = [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Sun and rain."}]
    assert rename_reasoning([answer], "content") == [{"role": "assistant", "content": parts}]
    assert rename_reasoning([{**answer, "content": ""}], "content")[0]["content"] == parts[:1]


def test_take_turns_leaves_a_user_who_begins_and_an_assistant():
    messages = take_turns([ANSWER, *TOOL_USE, SYSTEM, ANSWER])
    assert [message["role"] for message in messages] == ["user", "assistant"] * 3
    assert [message["content"] for message in messages[:2]] == ["Be kind.", "Sun and rain."]
