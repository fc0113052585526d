"""Lark grammars for tool calls: a format's texts with each function's arguments held to its schema.

The grammars are in the language of `Constraint` (`inference/engine/messages.py`). Every rule is a line; a builder
collects those that the ones before it speak of.
"""

import json
from collections.abc import Mapping
from itertools import count
from typing import Any

from inference.chat.formats import GEMMA_QUOTE, Dialect, ToolFormat
from inference.chat.json_schema import DEFINITIONS, as_schema, choices, enforceable, is_string, resolve

# Models write JSON with or without a space after commas and colons; more white space only serves to go on for ever.
SPACING = {"whitespace_flexible": False, "item_separator": ", ?", "key_separator": ": ?"}
ANY_KEY = "/[A-Za-z_][A-Za-z0-9_.-]*/"


def json_rule(schema: dict[str, Any], *, lenient: bool = False) -> str:
    """Return what stands in a rule for JSON that follows a schema. `lenient` skips keywords that cannot be enforced."""
    options = {**SPACING, "lenient": True} if lenient else SPACING
    return f"%json {quoted({**enforceable(schema), 'x-guidance': options})}"


def text_rule(text: str) -> str:
    return f"%text {quoted(text)}" if text else ""


def quoted(value: Any) -> str:
    """Return JSON without percent signs, so that a `%text` in what a user sends is none of the grammar's."""
    return json.dumps(value).replace("%", r"\u0025")


def call_rules(
    tool_format: ToolFormat,
    tools: Mapping[str, tuple[dict[str, Any], bool]],
    *,
    several: bool,
) -> list[str]:
    """Return the rules of `calls`: one call or, if `several`, any number of them.

    `tools`: function names with the schemas of their arguments, and whether a schema is to be enforced strictly.
    """
    rules = _Rules(tool_format)
    names = [rules.add_function(name, schema, not strict) for name, (schema, strict) in tools.items()]
    more = f"({text_rule(tool_format.separator)} call)*" if several else ""
    calls = f"calls: {text_rule(tool_format.opening)} call {more} {text_rule(tool_format.closing)}"
    return [calls, f"call: {' | '.join(names)}", *rules.lines]


class _Rules:
    """The rules of one grammar's functions."""

    def __init__(self, tool_format: ToolFormat) -> None:
        self.lines: list[str] = []
        self._format = tool_format
        self._numbers = count()
        self._references: dict[str, str] = {}
        self._root: dict[str, Any] = {}
        self._lenient = False

    def add_function(self, name: str, schema: dict[str, Any], lenient: bool) -> str:
        self._root, self._lenient, self._references = schema, lenient, {}
        arguments = self._arguments(schema)
        return self._add(" | ".join(self._call(call, name, arguments) for call in self._format.calls))

    def _call(self, call: str, name: str, arguments: str) -> str:
        before, _, after = call.replace("$name", name).partition("$arguments")
        return " ".join(filter(None, (self._numbered(before), arguments, self._numbered(after))))

    @staticmethod
    def _numbered(text: str) -> str:
        """Return a text in which the model may choose the numbers of its calls."""
        before, _, after = text.partition("$index")
        if "$index" in text:
            return " ".join(filter(None, (text_rule(before), "/[0-9]{1,2}/", text_rule(after))))
        before, _, after = text.partition("$id")
        if "$id" in text:
            return " ".join(filter(None, (text_rule(before), "/[A-Za-z0-9_-]{9}/", text_rule(after))))
        return text_rule(text)

    def _add(self, body: str) -> str:
        name = f"r{next(self._numbers)}"
        self.lines.append(f"{name}: {body}")
        return name

    def _until(self, text: str) -> str:
        name = f"r{next(self._numbers)}"
        self.lines.append(f"%until {name} {json.dumps(text)}")
        return name

    def _json(self, schema: Any) -> str:
        """Return a value's rule; what a reference in it points to comes along."""
        definitions = {key: self._root[key] for key in DEFINITIONS if key in self._root}
        return json_rule({**definitions, **as_schema(schema)}, lenient=self._lenient)

    def _arguments(self, schema: dict[str, Any]) -> str:
        dialect = self._format.dialect
        if dialect is Dialect.JSON:
            return self._add(json_rule({"type": "object", **schema}, lenient=self._lenient))
        if dialect is Dialect.TAGS:
            return self._tags(schema)
        if dialect is Dialect.GEMMA:
            return self._gemma_object(schema)
        members = [
            (f"{quoted(key + '=')} {self._python(value)}", required) for key, value, required in _properties(schema)
        ]
        return self._members(members, ", ") or '""'

    def _tags(self, schema: dict[str, Any]) -> str:
        parameters = [self._tag(key, value) + ("" if required else "?") for key, value, required in _properties(schema)]
        if not parameters and schema.get("additionalProperties") is not False:
            return f"{self._tag(None, schema.get('additionalProperties'))}*"
        return " ".join(parameters) or '""'

    def _tag(self, key: str | None, schema: Any) -> str:
        """Return the rule of one argument; `key` None stands for any."""
        before, _, after = self._format.parameter.partition("$value")
        is_plain = is_string(schema)
        before = before.replace("$is_string", json.dumps(is_plain))
        start, _, rest = before.partition("$key")
        head = f"{text_rule(start)} {ANY_KEY if key is None else text_rule(key)} {text_rule(rest)}"
        is_free = key is None and not as_schema(schema)
        if is_free or (is_plain and not choices(schema)):
            return self._add(f"{head} {self._until(after)}")
        value = _any_of(choices(schema)) if is_plain else self._add(self._json(schema))
        return self._add(f"{head} {value} {text_rule(after)}")

    def _python(self, schema: Any) -> str:
        types = {"boolean": '("True" | "False")', "null": '"None"'}
        kind = as_schema(schema).get("type")
        return types[kind] if kind in ("boolean", "null") else self._add(self._json(schema))

    def _gemma(self, schema: Any) -> str:
        """Return a value's rule in Gemma's notation, as far as types, choices and members go."""
        schema = as_schema(schema)
        options = schema.get("anyOf") or schema.get("oneOf") or _one_type_each(schema)
        if "$ref" in schema:
            return self._gemma_reference(schema["$ref"])
        if values := choices(schema):
            return _any_of([_gemma_text(value) for value in values])
        if options:
            return "(" + " | ".join(map(self._gemma, options)) + ")"
        return self._gemma_of_type(schema)

    def _gemma_of_type(self, schema: dict[str, Any]) -> str:
        builders = {
            "object": self._gemma_object,
            "array": self._gemma_array,
            "number": lambda schema: self._add(self._json(schema)),
            "integer": lambda schema: self._add(self._json(schema)),
            "boolean": lambda _: '("true" | "false")',
            "null": lambda _: '"null"',
        }
        return builders.get(schema.get("type"), self._gemma_string)(schema)

    def _gemma_array(self, schema: dict[str, Any]) -> str:
        item = self._gemma(schema.get("items"))
        return self._add(f'"[" ({item} ("," {item})*)? "]"')

    def _gemma_string(self, schema: dict[str, Any]) -> str:
        return f"{text_rule(GEMMA_QUOTE)} {self._until(GEMMA_QUOTE)}"

    def _gemma_object(self, schema: dict[str, Any]) -> str:
        members = [
            (f"{quoted(key + ':')} {self._gemma(value)}", required) for key, value, required in _properties(schema)
        ]
        if not members and schema.get("additionalProperties") is not False:
            member = f'{ANY_KEY} ":" {self._gemma(schema.get("additionalProperties"))}'
            return self._add(f'"{{" ({member} ("," {member})*)? "}}"')
        return self._add(f'"{{" {self._members(members, ",")} "}}"')

    def _gemma_reference(self, reference: str) -> str:
        """Return the rule of what a local reference points to; one that points to itself is a rule that does, too."""
        if reference not in self._references:
            name = f"r{next(self._numbers)}"
            self._references[reference] = name
            self.lines.append(f"{name}: {self._gemma(resolve(self._root, reference))}")
        return self._references[reference]

    def _members(self, members: list[tuple[str, bool]], separator: str) -> str:
        """Return rules for members in their order, those that are not required left out or not."""
        first = following = ""
        for member, required in reversed(members):
            later = self._add(f"{json.dumps(separator)} {member} {following}")
            alone = self._add(f"{member} {following}")
            following = later if required else f"({later} | {following})" if following else f"{later}?"
            first = alone if required else f"({alone} | {first})" if first else f"{alone}?"
        return first


def _properties(schema: dict[str, Any]) -> list[tuple[str, Any, bool]]:
    """Return names, schemas and whether they are required."""
    properties, required = schema.get("properties"), schema.get("required")
    if not isinstance(properties, dict):
        return []
    needed = set(required) if isinstance(required, list) else set()
    return [(key, value, key in needed) for key, value in properties.items()]


def _one_type_each(schema: dict[str, Any]) -> list[dict[str, Any]]:
    types = schema.get("type")
    return [{**schema, "type": each} for each in types] if isinstance(types, list) else []


def _any_of(texts: list[str]) -> str:
    return "(" + " | ".join(f"({text_rule(text)})" if text else '""' for text in texts) + ")"


def _gemma_text(value: Any) -> str:
    return f"{GEMMA_QUOTE}{value}{GEMMA_QUOTE}" if isinstance(value, str) else json.dumps(value)
