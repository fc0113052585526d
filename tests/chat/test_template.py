"""render_prompt: every conversation, with whatever template a model brings."""

import copy
import json
import re
import time

import pytest

from inference.chat.template import TemplateRefused, render_prompt
from tests.chat.conversations import ALTERNATING, ANSWER, CALLING, PLAIN, SYSTEM, TOOL, TOOL_USE, USER, WITH_CALLS


def render(source: str, messages=(USER,), tools=None, continue_final=False, **variables) -> str:
    return render_prompt(source, list(messages), tools, "<s>", "</s>", variables, continue_final)


def test_without_a_template_chatml_is_used():
    assert render("") == "<|im_start|>user\nWeather?<|im_end|>\n<|im_start|>assistant\n"


def test_special_tokens_and_variables_are_known():
    assert render("{{ bos_token }}{{ enable_thinking }}{{ eos_token }}", enable_thinking=False) == "<s>False</s>"


def test_variables_cannot_replace_the_messages():
    assert render("{{ messages[0].content }}{{ bos_token }}", messages_=1) == "Weather?<s>"


def test_templates_older_than_tools_get_functions_and_the_date():
    source = "{{ functions }}{{ datetime }}"
    assert re.fullmatch(r"\[\]\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", render(source))
    assert json.loads(render("{{ functions }}", tools=[TOOL])) == [TOOL]
    assert render("{{ functions is defined }}{{ tools is none }}") == "FalseTrue"
    assert render("{{ functions }}", functions="mine") == "mine"


def test_a_system_role_that_is_refused_is_folded_into_the_user_message():
    source = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + PLAIN
    assert render(source, [SYSTEM, USER]) == "user:Be kind.\n\nWeather?\n"


def test_a_system_role_that_is_dropped_is_folded_into_the_user_message():
    source = PLAIN.replace("in messages", "in messages if m.role != 'system'")
    assert render(source, [SYSTEM, USER]) == "user:Be kind.\n\nWeather?\n"


@pytest.mark.parametrize(
    "otherwise", ["{{ raise_exception('System message must be at the beginning') }}", "{% continue %}"]
)
def test_later_system_messages_are_gathered_in_front_where_they_are_refused_or_dropped(otherwise):
    check = "{% if m.role == 'system' and not loop.first %}" + otherwise + "{% endif %}"
    source = PLAIN.replace("{{ m.role", check + "{{ m.role")
    assert render(source, [USER, ANSWER, SYSTEM, USER]).splitlines()[0] == "system:Be kind."


def test_later_system_messages_stay_where_a_template_takes_them():
    assert render(PLAIN, [USER, ANSWER, SYSTEM, USER]).splitlines()[2] == "system:Be kind."


def test_an_assistant_that_speaks_first_answers_an_empty_message():
    assert render(ALTERNATING, [ANSWER, USER]) == "user:\nassistant:Sun and rain.\nuser:Weather?\n"
    assert render(ALTERNATING, [SYSTEM, ANSWER]) == "user:Be kind.\nassistant:Sun and rain.\n"


def test_parallel_calls_become_single_ones_where_more_are_refused():
    check = "{% if m.tool_calls | length > 1 %}{{ raise_exception('only single tool-calls') }}{% endif %}"
    source = WITH_CALLS.replace("{{ m.role", check + "{{ m.role")
    assert render(source, TOOL_USE).splitlines() == [
        "user:Weather?",
        'assistant:[weather {"city": "Rome"}]',
        "tool:sun",
        'assistant:[weather {"city": "Oslo"}]',
        "tool:rain",
    ]


def test_arguments_are_text_where_a_template_wants_that():
    source = WITH_CALLS.replace("c.function.arguments | tojson", "'' + c.function.arguments")
    assert '[weather {"city": "Rome"}]' in render(source, TOOL_USE)


def test_calls_that_a_template_drops_are_written_as_text_and_its_results_stay():
    assert render(PLAIN, TOOL_USE).splitlines()[-3:] == ["</tool_call>", "tool:sun", "tool:rain"]
    text = render_prompt(PLAIN, TOOL_USE, None, write_call=lambda name, arguments: f"{name}({arguments['city']})")
    assert text == "user:Weather?\nassistant:weather(Rome)\nweather(Oslo)\ntool:sun\ntool:rain\n"


def test_results_that_a_template_drops_are_said_by_the_user():
    source = WITH_CALLS.replace("in messages", "in messages if m.role != 'tool'")
    text = render(source, TOOL_USE)
    assert '[weather {"city": "Rome"}]' in text
    assert "user:<tool_response>\nsun\n</tool_response>" in text


def test_a_template_without_tools_gets_the_whole_conversation_as_text():
    text = render(ALTERNATING, [SYSTEM, *TOOL_USE, ANSWER, USER])
    assert re.findall(r"^(?:user|assistant):", text, re.M) == ["user:", "assistant:", "user:", "assistant:", "user:"]
    assert all(word in text for word in ("Be kind.", "Rome", "Oslo", "sun", "rain"))


def test_a_result_without_a_call_becomes_text_where_it_is_refused():
    check = (
        "{% set before = loop.previtem %}{% if m.role == 'tool' and before.role != 'tool' and not before.tool_calls %}"
        "{{ raise_exception('no previous call') }}{% endif %}"
    )
    source = WITH_CALLS.replace("{{ m.role", check + "{{ m.role")
    assert render(source, [USER, ANSWER, TOOL_USE[2]]).endswith("user:<tool_response>\nsun\n</tool_response>\n")


def test_the_system_message_is_kept_where_a_template_forgets_it_during_tool_use():
    source = WITH_CALLS.replace("in messages", "in messages if m.role != 'system' or messages[-1].role == 'user'")
    assert render(source, [SYSTEM, USER]).startswith("system:Be kind.")
    assert render(source, [SYSTEM, *TOOL_USE]).startswith("user:Be kind.\n\nWeather?")


def test_ids_are_shortened_for_templates_that_insist():
    check = "{% for c in m.tool_calls if c.id | length != 9 %}{{ raise_exception('ids need length 9') }}{% endfor %}"
    source = WITH_CALLS.replace("{{ m.role", check + "{{ m.role")
    assert "Rome" in render(source, TOOL_USE)


def test_broken_arguments_are_wrapped_for_templates_that_read_them():
    source = WITH_CALLS.replace("c.function.arguments | tojson", "c.function.arguments | items | list")
    broken = copy.deepcopy(TOOL_USE)
    broken[1]["tool_calls"][0]["function"]["arguments"] = '{"city'
    assert """[weather [('arguments', '{"city')]]""" in render(source, broken)


def test_tools_without_descriptions_get_empty_ones_where_they_are_needed():
    source = "{% for tool in tools %}{{ tool.function.name + ': ' + tool.function.description }}{% endfor %}"
    bare = {"type": "function", "function": {"name": "now"}}
    assert render(source, tools=[bare]) == "now: "
    assert render("{{ tools | tojson }}", tools=[bare]) == json.dumps([bare])


def test_a_template_that_wants_a_list_of_tools_gets_an_empty_one():
    assert render("{% for tool in tools %}{% endfor %}{{ tools }}") == "[]"
    assert render("{{ tools is none }}") == "True"


def test_all_rewritings_are_tried_again_after_one_has_helped():
    source = (
        "{% if messages[0].role != 'user' %}{{ raise_exception('no user') }}{% endif %}"
        "{% for tool in tools %}{{ tool.function.name + '!' + tool.function.description }}{% endfor %}"
    )
    assert render(source, [ANSWER, USER], [{"type": "function", "function": {"name": "now"}}]) == "now!"


def test_turns_are_taken_where_nothing_less_helps():
    text = render(ALTERNATING, [ANSWER, *TOOL_USE, SYSTEM, USER])
    assert text.startswith("user:Be kind.\nassistant:Sun and rain.\nuser:Weather?")
    assert all(word in text for word in ("Rome", "Oslo", "sun", "rain"))


def test_calls_that_open_a_conversation_are_not_lost():
    source = "{{ messages[0].content }}" + WITH_CALLS.replace("in messages", "in messages[1:]")
    assert "Rome" in render(source, [CALLING, *TOOL_USE[2:]])


def test_reasoning_reaches_templates_under_their_own_name():
    source = PLAIN.replace("m.content", "'<' ~ m.thinking ~ '>' ~ m.content")
    text = render(source, [USER, {**ANSWER, "reasoning_content": "Hm."}])
    assert text == "user:<>Weather?\nassistant:<Hm.>Sun and rain.\n"
    assert render(PLAIN, [{**ANSWER, "reasoning_content": "Hm."}]) == "assistant:Sun and rain.\n"


def test_reasoning_joins_the_content_where_both_are_refused():
    both = "{% if m.tool_calls and m.thinking and m.content %}{{ raise_exception('not both') }}{% endif %}"
    source = WITH_CALLS.replace("{{ m.role }}:", both + "{{ m.thinking }}:")
    text = render(source, [USER, {**CALLING, "content": "I ask.", "reasoning_content": "Hm."}])
    assert ":Hm.\n\nI ask.[weather" in text


def test_a_conversation_without_content_prints_no_none():
    assert "None" not in render(WITH_CALLS, TOOL_USE)


def test_rewritings_add_up():
    checks = (
        "{% if m.content == 'Be kind.' and not loop.first %}{{ raise_exception('not the first') }}{% endif %}"
        "{% for c in m.tool_calls if c.id | length != 9 %}{{ raise_exception('ids') }}{% endfor %}"
    )
    text = render(WITH_CALLS.replace("{{ m.role", checks + "{{ m.role"), [*TOOL_USE, SYSTEM, USER])
    assert text.startswith("system:Be kind.")
    assert "[weather" in text


def test_the_first_refusal_is_the_one_reported():
    source = "{{ raise_exception('I take ' ~ messages | length ~ ' messages') }}"
    with pytest.raises(TemplateRefused, match=r"^I take 2 messages$"):
        render(source, [ANSWER, USER])


def test_nothing_of_a_render_is_left_behind():
    source = "{% do messages.append(messages[0]) %}{% do tools[0].update(type='x') %}{{ messages | length }}"
    messages, tools = [dict(USER)], [dict(TOOL)]
    assert [render_prompt(source, messages, tools) for _ in range(2)] == ["2", "2"]
    assert (messages, tools) == ([USER], [TOOL])


TURNS = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}<end>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


@pytest.mark.parametrize("text", ["Sun and", "Sun and ", "  Sun\n\n", "", " ", "Weather?"])
def test_a_continued_answer_ends_the_prompt(text):
    messages = [USER, {"role": "assistant", "content": text}]
    assert render(TURNS, messages, continue_final=True) == f"<user>Weather?<end><assistant>{text}"


def test_a_template_that_trims_loses_only_white_space_before_a_continued_answer():
    source = TURNS.replace("m.content", "m.content | trim")
    messages = [USER, {"role": "assistant", "content": " Sun and "}]
    assert render(source, messages, continue_final=True) == "<user>Weather?<end><assistant>Sun and "


def test_a_continued_answer_keeps_its_reasoning():
    source = TURNS.replace("{{ m.content", "{{ m.thinking }}{{ m.content")
    messages = [USER, {"role": "assistant", "content": "Sun", "reasoning_content": "Hm."}]
    assert render(source, messages, continue_final=True) == "<user>Weather?<end><assistant>Hm.Sun"


@pytest.mark.parametrize("content", ["m.content | upper", "m.content | replace('Sun', 'Moon')", "m.content[:5]", "''"])
def test_an_answer_that_is_not_printed_as_it_is_cannot_be_continued(content):
    with pytest.raises(TemplateRefused, match="cannot be continued"):
        render(TURNS.replace("m.content", content), [USER, ANSWER], continue_final=True)


@pytest.mark.parametrize("last", [USER, CALLING])
def test_only_an_answer_can_be_continued(last):
    with pytest.raises(TemplateRefused, match="only a last message that is the assistant's"):
        render(TURNS, [USER, last], continue_final=True)


def test_a_template_that_never_ends_is_stopped():
    source = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    start = time.monotonic()
    with pytest.raises(TemplateRefused, match=r"does not end within \d+ characters and 0.2 s"):
        render_prompt(source, [SYSTEM, *TOOL_USE], [TOOL], max_seconds=0.2)
    assert time.monotonic() - start < 5
