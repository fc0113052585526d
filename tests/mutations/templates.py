"""Chat templates that want to harm the process that renders them."""

from collections.abc import Iterator

from gguf import GGUFValueType as T

from tests.mutations.layout import Damaged, Layout, number, text

KEY = "tokenizer.chat_template"
MIB = 2**20
DOUBLING = "{%- set ns = namespace(x=%s) -%}{%- for i in range(60) -%}{%- set ns.x = %s -%}{%- endfor -%}{{ ns.x }}"
TEMPLATES = {
    "50 MB": "x" * 50 * MIB,
    "3 MB": "x" * 3 * MIB,
    "a million expressions": "{{x}}" * MIB,
    "not closed": "{% for m in messages %}{{ m.content }",
    "an unknown filter": "{{ messages | nonsense }}",
    "10,000 brackets": "{{ " + "(" * 10_000 + "1" + ")" * 10_000 + " }}",
    "1,000 blocks": "{% if 1 %}" * 1000 + "{% endif %}" * 1000,
    "10,000 additions": "{{ 1" + "+1" * 10_000 + " }}",
    "endless loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "endless recursion": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "endless text": "{% for a in range(99999) %}{% for b in range(99999) %}{{ 'x' * 999 }}{% endfor %}{% endfor %}",
    "a list that doubles": DOUBLING.replace("%s", "[1]", 1).replace("%s", "ns.x + ns.x", 1),
    "a text that doubles": DOUBLING.replace("%s", "'x'", 1).replace("%s", "ns.x ~ ns.x", 1),
    "a text that is joined": DOUBLING.replace("%s", "'x'", 1).replace("%s", "[ns.x, ns.x, ns.x] | join", 1),
    "a text that is replaced": DOUBLING.replace("%s", "'x'", 1).replace("%s", "ns.x.replace('x', 'xx')", 1),
    "a wide text": "{{ 'x' | center(99999999999) }}",
    "a deep indentation": "{{ 'x\\ny' | indent(99999999999) }}",
    "a wide number": "{{ '%099999999999d' | format(1) }}",
    "a wide field": "{{ '{:>99999999999}'.format(1) }}",
    "a padded text": "{{ 'x'.ljust(99999999999) }}",
    "a huge power": "{{ 9 ** (9 ** 9) }}",
    "a way out": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "an include": "{% include '/etc/passwd' %}",
    "NUL": "\0",
    "empty": "",
}


def templates(layout: Layout) -> Iterator[Damaged]:
    """Yield files with each of them, and with templates that are no text."""
    for name, template in TEMPLATES.items():
        yield name, layout.with_field(KEY, T.STRING, text(template.encode()))
    yield "not UTF-8", layout.with_field(KEY, T.STRING, text(b"{{ messages }}\xff\xfe"))
    yield "a number", layout.with_field(KEY, T.UINT32, number(T.UINT32, 1))
