"""template_traits: what a template can do, found out by rendering."""

import pytest

from inference.chat.call_style import CallStyle
from inference.chat.traits import template_traits
from tests.chat.conversations import ALTERNATING, PLAIN, WITH_CALLS


def style_of(source: str) -> CallStyle:
    traits = template_traits(source)
    assert traits.renders_calls
    return traits.call_style


def test_a_template_that_shows_everything():
    traits = template_traits("{% for tool in tools %}{{ tool | tojson }}{% endfor %}" + WITH_CALLS)
    assert traits.renders_tools
    assert traits.renders_calls
    assert traits.renders_results
    assert traits.renders_system
    assert traits.renders_system_in_tool_use
    assert traits.renders_later_system
    assert (traits.call_style, traits.reasoning_field) == (CallStyle(), None)


def test_a_template_that_drops_calls_and_tools():
    traits = template_traits(PLAIN)
    assert not traits.renders_tools
    assert not traits.renders_calls
    assert traits.renders_results


def test_a_template_that_refuses_tool_messages_and_system_messages():
    traits = template_traits(ALTERNATING)
    assert not traits.renders_calls
    assert not traits.renders_results
    assert not traits.renders_system


def test_a_template_that_shows_the_names_of_tools_only_does_not_render_them():
    assert not template_traits("{% for tool in tools %}{{ tool.function.name }}{% endfor %}").renders_tools


def test_a_template_that_takes_the_first_message_for_the_users_loses_opening_calls():
    assert template_traits(WITH_CALLS).renders_opening_calls
    source = "{{ messages[0].content }}" + WITH_CALLS.replace("in messages", "in messages[1:]")
    assert not template_traits(source).renders_opening_calls


def test_tools_that_stand_in_the_system_message_are_found():
    source = "{% if messages[0].role == 'system' %}{{ tools | tojson }}{% endif %}"
    assert template_traits(source).renders_tools


@pytest.mark.parametrize(
    ("condition", "first", "in_tool_use", "later"),
    [
        ("m.role != 'system' or loop.first", True, True, False),
        ("m.role != 'system' or messages[-1].role == 'user'", True, False, True),
        ("m.role != 'system'", False, False, False),
    ],
)
def test_where_system_messages_appear(condition, first, in_tool_use, later):
    source = WITH_CALLS.replace("{{ m.role }}:{{ m.content }}", "{% if " + condition + " %}{{ m.content }}{% endif %}")
    traits = template_traits(source)
    assert traits.renders_system == first
    assert traits.renders_system_in_tool_use == in_tool_use
    assert traits.renders_later_system == later


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ("{% if m.tool_calls | length > 1 %}{{ raise_exception('one') }}{% endif %}", CallStyle(one_by_one=True)),
        ("{% if m.tool_calls and m.content is not none %}{{ raise_exception('null') }}{% endif %}", None),
    ],
)
def test_calls_that_are_refused_in_one_style_are_tried_in_others(calls, expected):
    source = WITH_CALLS.replace("{% for c in", calls + "{% for c in")
    assert style_of(source) == (expected or CallStyle(speaks_before=True, null_content=True))


def test_a_template_that_shows_the_first_call_only():
    assert style_of(WITH_CALLS.replace("in m.tool_calls", "in (m.tool_calls or [])[:1]")) == CallStyle(one_by_one=True)


def test_a_template_that_wants_arguments_as_text():
    text = WITH_CALLS.replace("{{ c.function.arguments | tojson }}", "{{ ' ' + c.function.arguments }}")
    assert style_of(text) == CallStyle(text_arguments=True)


def test_a_template_that_would_write_arguments_as_python_does():
    printed = WITH_CALLS.replace("c.function.arguments | tojson", "c.function.arguments")
    assert style_of(printed) == CallStyle(text_arguments=True)


def test_a_template_that_forgets_what_is_said_before_calls():
    source = WITH_CALLS.replace("{{ m.content }}", "{{ m.content if not m.tool_calls }}")
    assert style_of(source) == CallStyle(speaks_before=True)


def test_speaking_before_calls_is_not_tried_where_turns_must_alternate():
    rule = (
        "{% if not loop.first and m.role == 'assistant' and messages[loop.index0 - 1].role == m.role %}"
        "{{ raise_exception('alternate') }}{% endif %}"
    )
    source = WITH_CALLS.replace("{{ m.content }}", rule + "{{ m.content if not m.tool_calls }}")
    assert style_of(source) == CallStyle()


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking", "thought"])
def test_the_field_of_the_reasoning_is_found(field):
    source = "{% for m in messages %}{{ m." + field + " }}{{ m.content }}{% endfor %}"
    assert template_traits(source).reasoning_field == field


def test_reasoning_may_be_a_part_of_the_content():
    source = (
        "{% for m in messages %}{% if m.content is string %}{{ m.content }}{% else %}"
        "{% for part in m.content %}{{ part.thinking or part.text }}{% endfor %}{% endif %}{% endfor %}"
    )
    assert template_traits(source).reasoning_field == "content"


def test_reasoning_that_is_shown_only_while_tools_are_used_is_found():
    source = "{% for m in messages %}{{ m.content }}{% if m.tool_calls %}{{ m.thinking }}{% endif %}{% endfor %}"
    assert template_traits(source).reasoning_field == "thinking"


@pytest.mark.parametrize("source", ["{% if %}", "{{ raise_exception('never') }}", "{{ 1 // 0 }}", "{# nothing #}"])
def test_nothing_is_expected_of_a_template_that_fails(source):
    traits = template_traits(source)
    assert not (traits.renders_tools or traits.renders_calls or traits.renders_results or traits.renders_system)
    assert traits.call_style == CallStyle()


def test_probing_ends():
    endless = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}{{ messages }}"
    assert not template_traits(endless, max_seconds=0.1).renders_system
