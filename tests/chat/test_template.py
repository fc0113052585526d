"""render_prompt: Hugging Face's dialect of Jinja, sandboxed and bounded."""

import re

import pytest

from inference.chat import template
from inference.chat.template import TemplateRefused, render_prompt

USER = {"role": "user", "content": "Hi <b>"}
SYSTEM = {"role": "system", "content": "Be kind."}


def render(source: str, messages=(USER,), tools=None, **variables) -> str:
    return render_prompt(source, list(messages), tools, "<s>", "</s>", variables)


def test_without_a_template_chatml_is_used():
    assert render("") == "<|im_start|>user\nHi <b><|im_end|>\n<|im_start|>assistant\n"


def test_special_tokens_and_variables_are_known():
    assert render("{{ bos_token }}{{ enable_thinking }}{{ eos_token }}", enable_thinking=False) == "<s>False</s>"


def test_variables_cannot_replace_the_messages():
    assert render("{{ messages[0].content }}", messages_=1, bos_token="x") == "Hi <b>"


def test_tojson_keeps_text_and_order():
    tools = [{"b": "<é>", "a": 1}]
    assert render("{% for tool in tools %}{{ tool | tojson }}{% endfor %}", tools=tools) == '{"b": "<é>", "a": 1}'


def test_loop_controls_and_the_clock_are_there():
    source = "{% for i in range(9) %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}{{ strftime_now('%Y') }}"
    assert re.fullmatch(r"01\d{4}", render(source))


def test_blocks_leave_no_white_space():
    assert render("{% if true %}\n  {% if true %}\nx\n  {% endif %}\n{% endif %}\n") == "x\n"


def test_the_templates_own_error_is_reported():
    with pytest.raises(TemplateRefused, match="only one system"):
        render("{{ raise_exception('only one system message') }}")


def test_a_refused_system_role_is_folded_into_the_user_message():
    source = (
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        "{{ m.role }}:{{ m.content }}{% endfor %}"
    )
    assert render(source, [SYSTEM, USER]) == "user:Be kind.\n\nHi <b>"


@pytest.mark.parametrize(
    "source",
    [
        "{{ messages.append(1) }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ messages[0].nothing.more }}",
        "{{ 1 // 0 }}",
        "{{ 'a' + 1 }}",
        "{% if %}",
    ],
)
def test_what_fails_inside_is_a_refusal(source):
    with pytest.raises(TemplateRefused):
        render(source)


def test_endless_output_is_stopped(monkeypatch):
    monkeypatch.setattr(template, "MAX_PROMPT_CHARS", 1000)
    with pytest.raises(TemplateRefused, match="does not end within 1000 characters"):
        render("{% for i in range(99999) %}{{ 'x' * 100 }}{% endfor %}")
