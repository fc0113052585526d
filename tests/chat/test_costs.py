"""What operations of templates would make: never less than they do, and nothing absurd for what templates do."""

import pytest

from inference.chat.costs import ENOUGH, cost_of_call, cost_of_filter, cost_of_operator, shallow_size, size_of
from inference.chat.sandbox import Limits, TemplateRefused, _environment, render

LONG = "ab\n" * 1000


@pytest.mark.parametrize("value", ["", "text", b"bytes", 12, None, ["a", "b"], {"key": ["value", {"deep": 1}]}, {1, 2}])
def test_the_size_is_about_that_of_the_text(value):
    assert len(str(value)) / 3 <= size_of(value) + 8 <= len(str(value)) + 120


def test_what_refers_to_one_long_text_many_times_is_large():
    assert shallow_size([LONG] * 100_000) < ENOUGH < size_of([LONG] * 100_000)


def test_a_list_that_holds_itself_is_counted_to_an_end():
    endless: list = []
    endless.append(endless)
    assert size_of(endless) > ENOUGH


@pytest.mark.parametrize(
    ("name", "value", "arguments"),
    [
        ("center", "x", [5000]),
        ("indent", LONG, [50, True]),
        ("indent", LONG, ["....", True]),
        ("join", ["x"] * 500, [LONG]),
        ("replace", LONG, ["a", "bcd"]),
        ("replace", LONG, ["", "x"]),
        ("tojson", {"a": [1, 2, 3]}, [16]),
        ("upper", ["x" * 3000] * 2, []),
        ("format", "%s and %s", [LONG, LONG]),
        ("format", "%9000d", [1]),
        ("format", "%*d", [9000, 1]),
        ("wordwrap", LONG, [1, True, "<br>"]),
        ("xmlattr", {"a": LONG}, []),
    ],
)
def test_a_filter_makes_no_more_than_it_costs(name, value, arguments):
    made = _environment().call_filter(name, value, arguments, context=_context())
    assert len(str(made)) <= cost_of_filter(name, value, arguments)


def _context():
    template = _environment().from_string("")
    return template.new_context({"the limits of this render": Limits()})


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("x".ljust, [5000]),
        ("x".zfill, [5000]),
        ("\t\t".expandtabs, [5000]),
        ("\t\t".expandtabs, []),
        (LONG.replace, ["a", "bcd"]),
        (LONG.join, [["x"] * 50]),
        ("aa".translate, [{97: LONG}]),
        ("{:>5000}".format, [1]),
        ("{:>{}}".format, [1, 5000]),
        ("{0}{0}{0}".format, [LONG]),
        ((1).to_bytes, [5000, "big"]),
        (b"x".center, [5000]),
    ],
)
def test_a_method_makes_no_more_than_it_costs(method, arguments):
    assert len(method(*arguments)) <= cost_of_call(method, arguments)


@pytest.mark.parametrize(
    ("operator", "left", "right"), [("+", LONG, LONG), ("%", "%s%s", (LONG, LONG)), ("%", "%90d", 1)]
)
def test_an_operator_makes_no_more_than_it_costs(operator, left, right):
    made = left + right if operator == "+" else left % right
    assert len(made) <= cost_of_operator(operator, left, right)


def test_what_makes_nothing_costs_next_to_nothing():
    assert cost_of_operator("%", 7, 4) == 0
    assert cost_of_call(print, [LONG]) == 0
    assert cost_of_call("text".startswith, ["t"]) == 4
    assert cost_of_filter("selectattr", [LONG], ["role"]) == 0
    assert cost_of_call([].append, [LONG]) == len(LONG)


DOUBLE = "{%- set ns = namespace(x=START) -%}{%- for i in range(60) -%}{%- set ns.x = NEXT -%}{%- endfor -%}"


@pytest.mark.parametrize(
    ("start", "step"),
    [
        ("[1]", "ns.x + ns.x"),
        ("'x'", "ns.x + ns.x"),
        ("'x'", "ns.x ~ ns.x"),
        ("'x'", "[ns.x, ns.x] | join"),
        ("'x'", "ns.x.replace('x', 'xx')"),
        ("'x'", "'%s%s' % (ns.x, ns.x)"),
        ("'x'", "'{0}{0}'.format(ns.x)"),
        ("'x'", "'%s%s' | format(ns.x, ns.x)"),
    ],
)
def test_nothing_can_be_doubled_for_ever(start, step):
    with pytest.raises(TemplateRefused, match="too large"):
        render(DOUBLE.replace("START", start).replace("NEXT", step), {}, Limits(chars=10_000))


@pytest.mark.parametrize(
    "source",
    [
        "{% set x = 'x' * 5000 %}{% set l = [] %}{% for i in range(9999) %}{% do l.append(x[1:]) %}{% endfor %}",
        "{% set x = 'x' * 5000 %}{{ ([x] * 999) | tojson }}",
        "{% set x = 'x' * 5000 %}{{ [x] * 999 }}",
        "{% set l = [1] %}{% for i in range(60) %}{% do l.extend(l) %}{% endfor %}",
        "{% macro twice(s) %}{{ s }}{{ s }}{% endmacro %}{% set ns = namespace(x='x') %}"
        "{% for i in range(60) %}{% set ns.x = twice(ns.x) %}{% endfor %}",
        "{{ [1] | batch(99999999, 'x') | list }}",
        "{{ 'x' | center(99999999) }}",
        "{{ '%*d' % (99999999, 1) }}",
    ],
)
def test_memory_cannot_be_filled_in_other_ways(source):
    with pytest.raises(TemplateRefused, match="too large"):
        render(source, {}, Limits(chars=10_000))


def test_slices_and_joined_texts_are_pythons():
    source = "{{ x[1:] }} {{ x[:-1] }} {{ x[::2] }} {{ x[1] }} {{ x ~ 1 ~ none ~ [2] }}"
    assert render(source, {"x": "abcd"}, Limits()) == "bcd abc ac b abcd1None[2]"


def test_filters_that_need_jinjas_context_get_it():
    assert render("{{ ['a', 'b'] | map('upper') | join('-') }} {{ '<' | escape }}", {}, Limits()) == "A-B &lt;"
