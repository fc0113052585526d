"""Which tool format a template has, found by rendering: one small template for each family, in its own words."""

import pytest

from inference.chat.formats import FORMATS
from inference.chat.tool_support import tool_support
from tests import all_templates

TOOLS = "{% if tools %}Tools: {{ tools | tojson }}\n{% endif %}"
HEAD = "{% for m in messages %}{{ '<' + m.role + '>' }}{{ m.content }}"
END = "{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
OBJECT = '{"name": "{{ c.name }}", "arguments": {{ c.arguments | tojson }}}'


def family(call: str, opening: str = "", closing: str = "", separator: str = "") -> str:
    """Return a template that writes calls in this way."""
    between = f"{{% if not loop.last %}}{separator}{{% endif %}}" if separator else ""
    loop = f"{{% for t in m.tool_calls %}}{{% set c = t.function %}}{call}{between}{{% endfor %}}"
    return f"{TOOLS}{HEAD}{{% if m.tool_calls %}}{opening}{loop}{closing}{{% endif %}}{END}"


def tags(before: str, after: str) -> str:
    """Return the loop over a call's arguments."""
    value = "{% if v is string %}{{ v }}{% else %}{{ v | tojson }}{% endif %}"
    return f"{{% for k, v in c.arguments.items() %}}{before}{value}{after}{{% endfor %}}"


GEMMA_VALUE = '{% if v is string %}<|"|>{{ v }}<|"|>{% else %}{{ v | tojson }}{% endif %}'
GEMMA_ARGUMENTS = (
    "{% for k, v in c.arguments.items() %}{{ k }}:" + GEMMA_VALUE + "{% if not loop.last %},{% endif %}{% endfor %}"
)

FAMILIES = {
    "hermes": family(f"<tool_call>\n{OBJECT}\n</tool_call>\n"),
    "qwen3-coder": family(
        "<tool_call>\n<function={{ c.name }}>\n"
        + tags("<parameter={{ k }}>\n", "{{ '\\n' }}</parameter>\n")
        + "</function>\n</tool_call>"
    ),
    "seed": family(
        "<seed:tool_call>\n<function={{ c.name }}>\n"
        + tags("<parameter={{ k }}>", "</parameter>\n")
        + "</function>\n</seed:tool_call>"
    ),
    "glm-4": family(
        "<tool_call>{{ c.name }}\n" + tags("<arg_key>{{ k }}</arg_key>\n<arg_value>", "</arg_value>\n") + "</tool_call>"
    ),
    "glm-4.7": family(
        "<tool_call>{{ c.name }}" + tags("<arg_key>{{ k }}</arg_key><arg_value>", "</arg_value>") + "</tool_call>"
    ),
    "llama-3": family('{"name": "{{ c.name }}", "parameters": {{ c.arguments | tojson }}}'),
    "mistral": family("[TOOL_CALLS]{{ c.name }}[ARGS]{{ c.arguments | tojson }}"),
    "mistral-id": family("[TOOL_CALLS]{{ c.name }}[CALL_ID]{{ t.id }}[ARGS]{{ c.arguments | tojson }}"),
    "mistral-nemo": family(
        '{"name": "{{ c.name }}", "arguments": {{ c.arguments | tojson }}, "id": "{{ t.id }}"}',
        "[TOOL_CALLS][",
        "]",
        ", ",
    ),
    "harmony": family(
        " to=functions.{{ c.name }}<|channel|>commentary json<|message|>{{ c.arguments | tojson }}<|call|>"
    ),
    "deepseek-r1": family(
        "<｜tool▁call▁begin｜>function<｜tool▁sep｜>{{ c.name }}\n```json\n{{ c.arguments | tojson }}\n```"
        "<｜tool▁call▁end｜>",
        "<｜tool▁calls▁begin｜>",
        "<｜tool▁calls▁end｜>",
    ),
    "deepseek-v3.1": family(
        "<｜tool▁call▁begin｜>{{ c.name }}<｜tool▁sep｜>{{ c.arguments | tojson }}<｜tool▁call▁end｜>",
        "<｜tool▁calls▁begin｜>",
        "<｜tool▁calls▁end｜>",
    ),
    "deepseek-dsml-function_calls": family(
        '<｜DSML｜invoke name="{{ c.name }}">\n'
        + tags('<｜DSML｜parameter name="{{ k }}" string="{{ (v is string) | tojson }}">', "</｜DSML｜parameter>\n")
        + "</｜DSML｜invoke>",
        "<｜DSML｜function_calls>\n",
        "\n</｜DSML｜function_calls>",
    ),
    "gemma-4": family("<|tool_call>call:{{ c.name }}{{ '{' }}" + GEMMA_ARGUMENTS + "{{ '}' }}<tool_call|>"),
    "kimi-k2": family(
        "<|tool_call_begin|>functions.{{ c.name }}:{{ loop.index0 }}<|tool_call_argument_begin|>"
        "{{ c.arguments | tojson }}<|tool_call_end|>",
        "<|tool_calls_section_begin|>",
        "<|tool_calls_section_end|>",
    ),
    "command-r7b": family(
        '{"tool_call_id": "{{ loop.index0 }}", "tool_name": "{{ c.name }}", "parameters": {{ c.arguments | tojson }}}',
        "<|START_ACTION|>[\n    ",
        "\n]<|END_ACTION|>",
    ),
    "minimax-m2": family(
        '<invoke name="{{ c.name }}">\n' + tags('<parameter name="{{ k }}">', "</parameter>\n") + "</invoke>",
        "<minimax:tool_call>\n",
        "\n</minimax:tool_call>",
    ),
    "nemotron": family(OBJECT, "<TOOLCALL>[", "]</TOOLCALL>", ", "),
    "granite-3": family(OBJECT, "<|tool_call|>[", "]", ", "),
    "functionary-3.1": family("<function={{ c.name }}>{{ c.arguments | tojson }}</function>"),
    "apertus": family('{"{{ c.name }}": {{ c.arguments | tojson }}}', "<|tools_prefix|>[", "]<|tools_suffix|>", ", "),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_the_format_shows_in_a_rendered_call(name):
    support = tool_support(FAMILIES[name])
    assert support.format is not None
    assert support.format.name == name
    assert support.is_native


def test_other_white_space_does_not_hide_the_format():
    glm = (
        "<tool_call>{{ c.name }}\n" + tags("<arg_key>{{ k }}</arg_key>\n<arg_value>", "</arg_value>") + "\n</tool_call>"
    )
    assert tool_support(family(glm)).format.name in ("glm-4", "glm-4.7")
    assert tool_support(family(f"<tool_call>{OBJECT.replace(': ', ':')}</tool_call>")).format.name == "hermes"


def test_a_format_that_is_only_spoken_of_is_recognised():
    granite = f"{TOOLS}Call with <|tool_call|> and a JSON list.{HEAD}{END}"
    assert tool_support(granite).format.name == "granite-3"


@pytest.mark.parametrize("template", [f"{HEAD}{END}", "", "{{ raise_exception('no') }}", "{% if %}"])
def test_a_template_without_tools_supports_none(template):
    support = tool_support(template)
    assert not support.lists_tools
    assert not support.is_native


def test_an_unknown_format_is_not_native():
    support = tool_support(family("CALL {{ c.name }} WITH {{ c.arguments | tojson }}"))
    assert support.lists_tools
    assert support.format is None


def test_a_marker_that_several_formats_share_proves_nothing():
    assert tool_support(f"{TOOLS}Write <tool_call> and what you want.{HEAD}{END}").format is None


def test_formats_have_different_names():
    assert len({each.name for each in FORMATS}) == len(FORMATS)


def test_a_folder_of_templates_is_reported(tmp_path, capsys):
    (tmp_path / "good.jinja").write_text(FAMILIES["hermes"])
    (tmp_path / "bad.jinja").write_text("{{ raise_exception('not today') }}")
    all_templates.main(tmp_path)
    bad, good, total = capsys.readouterr().out.splitlines()
    assert "refuses: not today" in bad
    assert "renders; tools: its own; format: hermes" in good
    assert total == "1 of 2 render"
