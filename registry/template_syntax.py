"""What chat templates may be written in: Jinja with the extensions of Hugging Face's `apply_chat_template`."""

from typing import Any

from jinja2 import nodes
from jinja2.ext import Extension, do, loopcontrols
from jinja2.parser import Parser


class GenerationBlock(Extension):
    """`{% generation %}…{% endgeneration %}` marks for training what the assistant wrote. Here its body is rendered."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=line)


# Arguments of a Jinja environment.
SYNTAX: dict[str, Any] = {
    "trim_blocks": True,
    "lstrip_blocks": True,
    "extensions": [loopcontrols, do, GenerationBlock],
}
