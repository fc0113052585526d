"""render: Hugging Face's dialect of Jinja, sandboxed and bounded."""

import re
import time

import pytest

from inference.chat.sandbox import Limits, TemplateRefused, render, variables_read


def run(source: str, limits: Limits | None = None, **variables) -> str:
    return render(source, variables, limits or Limits())


def test_tojson_keeps_text_and_order():
    assert run("{{ tool | tojson }}", tool={"b": "<é>", "a": 1}) == '{"b": "<é>", "a": 1}'


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("indent=2", '{\n  "b": "é",\n  "a": [\n    1\n  ]\n}'),
        ("separators=(',', ':')", '{"b":"é","a":[1]}'),
        ("sort_keys=True", '{"a": [1], "b": "é"}'),
        ("ensure_ascii=true", '{"b": "\\u00e9", "a": [1]}'),
        ("True, 1, (',', ':'), True", '{\n "a":[\n  1\n ],\n "b":"\\u00e9"\n}'),
    ],
)
def test_tojson_takes_the_options_of_python(options, expected):
    assert run("{{ value | tojson(" + options + ") }}", value={"b": "é", "a": [1]}) == expected


@pytest.mark.parametrize(
    "expression", ["tools | map(attribute='name')", "range(1, 3)", "{1: 0, 2: 0}.keys()", "[1, 2] | select"]
)
def test_tojson_writes_what_filters_yield(expression):
    assert run(f"{{{{ ({expression}) | tojson }}}}", tools=[{"name": 1}, {"name": 2}]) == "[1, 2]"


def test_loop_controls_and_the_clock_are_there():
    source = "{% for i in range(9) %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}{{ strftime_now('%Y') }}"
    assert re.fullmatch(r"01\d{4}", run(source))


def test_loops_know_where_they_are():
    source = "{% for i in 'abc' if i != 'b' %}{{ loop.index }}{{ loop.length }}{{ loop.last }} {% else %}-{% endfor %}"
    assert run(source) == "12False 22True "
    tree = "{% for n in tree recursive %}({{ n[0] }}{{ loop(n[1]) }}){% endfor %}"
    assert run(tree, tree=[("a", [("b", [])])]) == "(a(b))"


def test_blocks_leave_no_white_space():
    assert run("{% if true %}\n  {% if true %}\nx\n  {% endif %}\n{% endif %}\n") == "x\n"


def test_the_body_of_a_generation_block_is_rendered():
    source = "{% for i in 'abc' %}{%- generation -%} {{ i }}{{ loop.index }} {%- endgeneration %}{% endfor %}."
    assert run(source) == "a1b2c3."


def test_templates_may_change_lists_and_dictionaries_but_only_their_own():
    source = (
        "{% set queue = [] %}{% do queue.append(1) %}{% do given.append(queue.pop(0)) %}{% do given[0].update(a=2) %}"
        "{{ given }}"
    )
    given = [{"a": 1}]
    assert [run(source, given=given) for _ in range(2)] == ["[{'a': 2}, 1]"] * 2
    assert given == [{"a": 1}]


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ raise_exception.__globals__.json }}",
        "{{ nothing.more }}",
        "{{ nothing | tojson }}",
        "{{ raise_exception | tojson }}",
        "{{ 1 // 0 }}",
        "{{ 'a' + 1 }}",
        "{% if %}",
        "{% generation %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% set d = {1: 1} %}{% for k in d %}{% do d.update({k + 1: 1}) %}{% endfor %}",
    ],
)
def test_what_fails_inside_is_a_refusal(source):
    with pytest.raises(TemplateRefused, match=r"."):
        run(source)


def test_the_templates_own_error_is_reported():
    with pytest.raises(TemplateRefused, match=r"^only one system message$"):
        run("{{ raise_exception('only one system message') }}")


def test_endless_output_is_stopped():
    with pytest.raises(TemplateRefused, match="does not end within 1000 characters"):
        run("{% for i in range(99999) %}{{ 'x' * 100 }}{% endfor %}", Limits(chars=1000))


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% set many = range(99999) | list %}{% for a in many %}{% for b in many %}{% endfor %}{% endfor %}",
        "{% set queue = [1] %}{% for a in queue %}{% do queue.append(1) %}{% endfor %}",
        "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
        "{% set x %}{% for a in range(99999) %}{% for b in range(99999) %}{{ b }}{% endfor %}{% endfor %}{% endset %}",
    ],
)
def test_what_runs_without_end_is_stopped(source):
    start = time.monotonic()
    with pytest.raises(TemplateRefused, match=r"does not end within \d+ characters and 0.1 s"):
        run(source, Limits(seconds=0.1))
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    "expression", ["9 ** (9 ** 9)", "'x' * 99999999999", "99999999999 * [0]", "(2 ** 4000) * 2 ** 99"]
)
def test_one_operation_cannot_fill_the_memory(expression):
    with pytest.raises(TemplateRefused, match="too large"):
        run(f"{{{{ {expression} }}}}")


def test_ordinary_products_are_computed():
    assert run("{{ 2 ** 10 }} {{ 3 * 4 }} {{ '-' * 3 }} {{ 3 * [0] }} {{ 2 * 0.5 }} {{ 2 ** 0.5 > 1 }}") == (
        "1024 12 --- [0, 0, 0] 1.0 True"
    )


def test_the_variables_that_a_template_reads_are_known():
    assert variables_read("{% set a = b %}{{ a }}{% for c in d %}{{ c }}{% endfor %}") == {"b", "d"}
    with pytest.raises(TemplateRefused):
        variables_read("{% if %}")
