"""Schemas that cannot be enforced or are none: the schema, where the fault is, and what the error says of it."""

from typing import Any

from tests.schemas.containers import DIGIT, SHORT, record
from tests.schemas.scalars import Schema


def deep(levels: int) -> Schema:
    schema: Schema = DIGIT
    for _ in range(levels):
        schema = {"items": schema}
    return schema


def within(schema: Any) -> Schema:
    return record({"list": {"type": "array", "items": {"anyOf": [DIGIT, schema]}}})


WITHIN = ".properties.list.items.anyOf[1]"

REFUSED: dict[str, tuple[Schema, str, str]] = {
    "not": ({"not": {"type": "string"}}, "", "`not` cannot be enforced"),
    "not, inside": (within({"not": DIGIT}), WITHIN, "`not` cannot be enforced"),
    "if and then": ({"if": DIGIT, "then": SHORT}, "", "`if` and `then` cannot be enforced"),
    "unique items": (
        record({"tags": {"type": "array", "items": SHORT, "uniqueItems": True}}),
        ".properties.tags",
        "`uniqueItems` cannot be enforced",
    ),
    "contains": ({"type": "array", "contains": DIGIT}, "", "`contains`"),
    "names of properties": ({"type": "object", "propertyNames": {"format": "email"}}, "", "`propertyNames`"),
    "dependent required": ({"type": "object", "dependentRequired": {"a": ["b"]}}, "", "`dependentRequired`"),
    "dependent schemas": ({"type": "object", "dependentSchemas": {"a": {}}}, "", "`dependentSchemas`"),
    "dependencies": ({"type": "object", "dependencies": {"a": ["b"]}}, "", "`dependencies`"),
    "unevaluated properties": ({"type": "object", "unevaluatedProperties": False}, "", "`unevaluatedProperties`"),
    "dynamic reference": ({"$dynamicRef": "#x"}, "", "`$dynamicRef`"),
    "unknown format": (record({"a": {"type": "string", "format": "iri"}}), ".properties.a", '`format` "iri"'),
    "unknown format, inside": (within({"type": "string", "format": "nonsense"}), WITHIN, '`format` "nonsense"'),
    "one of overlapping ones": ({"oneOf": [DIGIT, {"type": "number"}]}, "", "`oneOf`"),
    "one of overlapping ones, inside": (within({"oneOf": [SHORT, SHORT]}), WITHIN, "`oneOf`"),
    "fewest of optional properties": (
        {"type": "object", "properties": {"a": DIGIT, "b": DIGIT, "c": DIGIT}, "minProperties": 2},
        "",
        "`minProperties`",
    ),
    "fewest of free names": (
        {"type": "object", "additionalProperties": DIGIT, "minProperties": 2},
        "",
        "`minProperties`",
    ),
    "fewest of free names, by a reference": (
        {
            "$ref": "#/$defs/map",
            "$defs": {"map": {"type": "object", "patternProperties": {"^a": DIGIT}, "minProperties": 3}},
        },
        ".$defs.map",
        "`minProperties`",
    ),
    "overlapping patterns of names": (
        {"type": "object", "patternProperties": {"^a": DIGIT, "^ab": SHORT}},
        "",
        "`patternProperties`",
    ),
    "unknown type": (within({"type": "objekt"}), WITHIN, '`type` "objekt"'),
    "type that is no text": ({"type": 5}, "", "`type` must be"),
    "no types": ({"type": []}, "", "`type`"),
    "enum that is no list": ({"enum": "a"}, "", "`enum` must be"),
    "empty enum": (record({"a": {"enum": []}}), ".properties.a", "`enum`"),
    "no alternatives": ({"anyOf": []}, "", "`anyOf`"),
    "required that is no list": ({"required": "a"}, "", "`required` must be"),
    "properties that are no object": ({"properties": []}, "", "`properties` must be"),
    "negative length": (within({"type": "string", "minLength": -1}), WITHIN, "`minLength` must be"),
    "a range of nothing": (
        record({"a": {"type": "integer", "minimum": 5, "maximum": 3}}),
        ".properties.a",
        "`minimum` (5)",
    ),
    "a range between integers": ({"type": "integer", "minimum": 1.2, "maximum": 1.8}, "", "no value fits"),
    "lengths of nothing": ({"type": "string", "minLength": 5, "maxLength": 3}, "", "`minLength` (5)"),
    "items of nothing": ({"type": "array", "minItems": 3, "maxItems": 1}, "", "`minItems` (3)"),
    "multiples of nothing": ({"type": "integer", "multipleOf": 0}, "", "`multipleOf` must be"),
    "types that exclude each other": ({"allOf": [DIGIT, SHORT]}, "", "no value fits"),
    "constant of another type": ({"type": "integer", "const": "a"}, "", "no value fits"),
    "required but impossible": (record({"a": False}), "", "no value fits"),
    "required but not allowed": ({"type": "object", "required": ["a"], "additionalProperties": False}, "", "`a`"),
    "reference to nothing": (record({"a": {"$ref": "#/$defs/x"}}), ".properties.a", "`#/$defs/x`"),
    "reference to another document": ({"$ref": "https://example.com/x.json"}, "", "`https://example.com/x.json`"),
    "look-ahead": (within({"type": "string", "pattern": "(?=a)b"}), WITHIN, "`pattern`"),
    "back-reference": ({"type": "string", "pattern": r"(a)\1"}, "", "`pattern`"),
    "word boundary": ({"type": "string", "pattern": r"\ba"}, "", "`pattern`"),
    "pattern that is none": (record({"a": {"type": "string", "pattern": "["}}), ".properties.a", "`pattern`"),
    "pattern that is too short": ({"type": "string", "pattern": "^a$", "minLength": 3}, "", "`pattern`"),
    "unknown version": ({"$schema": "https://example.com/schema", **DIGIT}, "", "`$schema`"),
    "integers above 2^53": (record({"a": {"const": 2**60 + 1}}), ".properties.a", "`const`"),
    "choices above 2^53": ({"enum": [1, {"a": [2**53 + 1]}]}, "", "`enum`"),
    "bounds above 2^63": (record({"a": {"type": "integer", "minimum": 2**70}}), ".properties.a", "its bounds"),
    "half of a surrogate pair": ({"const": "\ud83d"}, "", "surrogate"),
    "deeply nested": (deep(200), "", "nested too deeply"),
    "more deeply nested": (deep(900), "", "nested too deeply"),
    "countless combinations": (
        {"allOf": [{"anyOf": [{"properties": {f"{i}{j}": SHORT}} for j in range(9)]} for i in range(9)]},
        "",
        "too many ways",
    ),
}
