"""anyOf, oneOf, allOf, references and recursion."""

from tests.schemas.containers import DIGIT, SHORT, record
from tests.schemas.scalars import Schema

TREE: Schema = {
    "type": "object",
    "properties": {"value": DIGIT, "children": {"type": "array", "items": {"$ref": "#"}, "maxItems": 2}},
    "required": ["value"],
    "additionalProperties": False,
}

COMBINATIONS: dict[str, Schema] = {
    "either of two types": {"anyOf": [DIGIT, SHORT]},
    "either of two records": {"anyOf": [record({"a": DIGIT}), record({"b": SHORT})]},
    "something or null": {"anyOf": [record({"a": DIGIT}), {"type": "null"}]},
    "either of overlapping ones": {"anyOf": [{"type": "integer", "maximum": 5, "minimum": -5}, DIGIT]},
    "one of distinct types": {"oneOf": [DIGIT, SHORT, {"type": "null"}]},
    "one of tagged records": {
        "oneOf": [
            record({"kind": {"const": "circle"}, "radius": DIGIT}),
            record({"kind": {"const": "square"}, "side": DIGIT}),
        ],
        "discriminator": {"propertyName": "kind"},
    },
    "one of distinct constants": {"oneOf": [{"const": "a"}, {"const": "b"}, {"const": 3}]},
    "one of one": {"oneOf": [SHORT]},
    "all of bounds": {"allOf": [{"type": "integer", "minimum": 3}, {"maximum": 8}, {"multipleOf": 2}]},
    "all of one": {"allOf": [SHORT]},
    "all of nothing": {"allOf": [], "type": "boolean"},
    "all of records": {
        "allOf": [
            {"type": "object", "properties": {"a": DIGIT}, "required": ["a"]},
            {"type": "object", "properties": {"b": SHORT}, "required": ["b"]},
        ],
        "maxProperties": 2,
    },
    "all of choices": {"allOf": [{"enum": ["a", "b", "c"]}, {"enum": ["b", "c", "d"]}]},
    "all of patterns": {"allOf": [{"type": "string", "pattern": "^[a-d]{2,4}$"}, {"pattern": "b"}, {"maxLength": 3}]},
    "siblings of anyOf": {"type": "integer", "minimum": 0, "anyOf": [{"maximum": 5}, {"maximum": 9}]},
    "anyOf within allOf": {"allOf": [{"anyOf": [DIGIT, SHORT]}, {"type": ["integer", "string"]}]},
    "bounds for a type that comes later": {"minimum": 3, "maximum": 7, "type": "integer"},
    "reference": {"$ref": "#/$defs/digit", "$defs": {"digit": DIGIT}},
    "reference of draft 7": {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "array",
        "items": {"$ref": "#/definitions/digit"},
        "maxItems": 3,
        "definitions": {"digit": DIGIT},
    },
    "reference with siblings": {
        "$ref": "#/$defs/positive",
        "maximum": 9,
        "$defs": {"positive": {"type": "integer", "minimum": 1}},
    },
    "reference to a reference": {
        "type": "array",
        "items": {"$ref": "#/$defs/a"},
        "maxItems": 2,
        "$defs": {"a": {"$ref": "#/$defs/b"}, "b": SHORT},
    },
    "reference to a property": record({"a": SHORT, "b": {"$ref": "#/properties/a"}}),
    "reference with an escaped path": {"$ref": "#/$defs/a~1b%20c", "$defs": {"a/b c": DIGIT}},
    "reference to an anchor": {"$ref": "#digit", "$defs": {"x": {"$anchor": "digit", **DIGIT}}},
    "reference by an id": {
        "$id": "https://example.com/schemas/root",
        "$ref": "digit",
        "$defs": {"x": {"$id": "https://example.com/schemas/digit", **DIGIT}},
    },
    "unused definition that cannot be enforced": {"$defs": {"x": {"not": {}}}, **DIGIT},
    "tree": TREE,
    "linked list": {
        "$defs": {
            "node": {
                "type": "object",
                "properties": {"v": DIGIT, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
                "required": ["v", "next"],
                "additionalProperties": False,
            }
        },
        "$ref": "#/$defs/node",
    },
    "two that refer to each other": {
        "$defs": {
            "even": record({"odd": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/odd"}]}}),
            "odd": record({"even": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/even"}]}}),
        },
        "$ref": "#/$defs/even",
    },
    "arithmetic": {
        "$defs": {
            "term": {"anyOf": [DIGIT, record({"op": {"enum": ["+", "-"]}, "l": DIGIT, "r": {"$ref": "#/$defs/term"}})]}
        },
        "$ref": "#/$defs/term",
    },
    "nested alternatives": {"anyOf": [{"anyOf": [DIGIT, {"anyOf": [SHORT, {"type": "boolean"}]}]}, {"type": "null"}]},
    "alternatives in an array": {"type": "array", "items": {"anyOf": [DIGIT, record({"a": SHORT})]}, "maxItems": 3},
    "properties before alternatives": {
        "type": "object",
        "properties": {"kind": {"enum": ["a", "b"]}, "n": DIGIT},
        "anyOf": [
            {"properties": {"kind": {"const": "a"}}, "required": ["kind"]},
            {"properties": {"kind": {"const": "b"}}, "required": ["kind", "n"]},
        ],
        "maxProperties": 2,
        "required": ["kind", "n"],
        "additionalProperties": False,
    },
    "schema version 2020-12": {"$schema": "https://json-schema.org/draft/2020-12/schema", **SHORT},
    "schema version 2019-09": {"$schema": "https://json-schema.org/draft/2019-09/schema", **SHORT},
    "schema version 6": {"$schema": "http://json-schema.org/draft-06/schema#", **DIGIT},
}
