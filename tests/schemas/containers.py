"""Arrays and objects."""

from tests.schemas.scalars import Schema

DIGIT: Schema = {"type": "integer", "minimum": 0, "maximum": 9}
SHORT: Schema = {"type": "string", "maxLength": 4}


def record(properties: dict[str, Schema], **more: object) -> Schema:
    """Return the schema of an object with exactly these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
        **more,
    }


def nested(depth: int) -> Schema:
    return record({"in": nested(depth - 1)}) if depth else {"type": "boolean"}


ARRAYS: dict[str, Schema] = {
    "array of digits": {"type": "array", "items": DIGIT, "maxItems": 5},
    "array with a least length": {"type": "array", "items": DIGIT, "minItems": 3, "maxItems": 4},
    "array of one": {"type": "array", "items": SHORT, "minItems": 1, "maxItems": 1},
    "array that stays empty": {"type": "array", "maxItems": 0},
    "array of arrays": {
        "type": "array",
        "items": {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 2},
        "maxItems": 3,
    },
    "array of records": {"type": "array", "items": record({"id": DIGIT, "name": SHORT}), "minItems": 1, "maxItems": 3},
    "array of choices": {"type": "array", "items": {"enum": ["x", 1, None]}, "minItems": 2, "maxItems": 6},
    "tuple": {"type": "array", "prefixItems": [DIGIT, SHORT, {"type": "null"}], "minItems": 3, "items": False},
    "tuple that may be shorter": {"type": "array", "prefixItems": [DIGIT, SHORT], "items": False},
    "tuple with more of a kind": {
        "type": "array",
        "prefixItems": [SHORT],
        "items": DIGIT,
        "minItems": 2,
        "maxItems": 4,
    },
    "tuple of draft 7": {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "array",
        "items": [DIGIT, SHORT],
        "additionalItems": False,
        "minItems": 2,
    },
    "items without a type": {"type": "array", "items": {"maxLength": 3, "type": ["string", "null"]}, "maxItems": 3},
    "array that may repeat itself": {"type": "array", "items": DIGIT, "uniqueItems": False, "maxItems": 3},
    "long array": {"type": "array", "items": {"type": "boolean"}, "minItems": 25, "maxItems": 30},
}

OBJECTS: dict[str, Schema] = {
    "record": record({"name": SHORT, "age": {"type": "integer", "minimum": 0, "maximum": 120}}),
    "optional properties": {
        "type": "object",
        "properties": {"a": DIGIT, "b": SHORT, "c": {"type": "null"}},
        "additionalProperties": False,
    },
    "some required": {
        "type": "object",
        "properties": {"a": DIGIT, "b": SHORT, "c": {"type": "boolean"}},
        "required": ["b"],
        "additionalProperties": False,
    },
    "required in another order": {
        "type": "object",
        "properties": {"z": DIGIT, "a": DIGIT},
        "required": ["a", "z"],
        "additionalProperties": False,
    },
    "empty object": record({}),
    "object of an object of an object": record({"a": record({"b": record({"c": DIGIT}), "d": SHORT})}),
    "deep nesting": nested(25),
    "keys in other scripts": record({"имя": SHORT, "日本": DIGIT, "emoji 👍": DIGIT, "naïve": DIGIT}),
    "keys to escape": record({'a"b': DIGIT, "c\\d": DIGIT, "e\nf": DIGIT, "": DIGIT, " ": DIGIT}),
    "keys that are keywords": record({"type": SHORT, "properties": DIGIT, "$ref": DIGIT, "not": DIGIT, "enum": DIGIT}),
    "keys that begin alike": record({"a": DIGIT, "aa": DIGIT, "aaa": DIGIT}),
    "many properties": record({f"field_{number}": {"type": "boolean"} for number in range(20)}),
    "map of digits": {"type": "object", "additionalProperties": DIGIT, "maxProperties": 3},
    "map of at least one": {"type": "object", "additionalProperties": DIGIT, "minProperties": 1, "maxProperties": 2},
    "map beside a property": {
        "type": "object",
        "properties": {"id": DIGIT},
        "required": ["id"],
        "additionalProperties": SHORT,
        "maxProperties": 3,
    },
    "a property more than required": {
        "type": "object",
        "properties": {"id": DIGIT, "name": SHORT},
        "required": ["id", "name"],
        "additionalProperties": DIGIT,
        "minProperties": 3,
        "maxProperties": 4,
    },
    "keys of a pattern": {
        "type": "object",
        "patternProperties": {"^x_[a-z]{1,3}$": DIGIT},
        "additionalProperties": False,
        "maxProperties": 3,
    },
    "keys of several patterns": {
        "type": "object",
        "properties": {"id": DIGIT},
        "patternProperties": {"^s_[a-z]{1,2}$": SHORT, "^n_[a-z]{1,2}$": DIGIT},
        "required": ["id"],
        "additionalProperties": False,
        "maxProperties": 4,
    },
    "property that matches a pattern, too": {
        "type": "object",
        "properties": {"n_id": {"type": "integer"}},
        "patternProperties": {"^n_": {"type": "integer", "minimum": 3, "maximum": 8}},
        "required": ["n_id"],
        "additionalProperties": False,
        "maxProperties": 1,
    },
    "required without a description": {
        "type": "object",
        "required": ["a", "b"],
        "maxProperties": 2,
        "additionalProperties": DIGIT,
    },
    "property that must not come": {
        "type": "object",
        "properties": {"a": DIGIT, "b": False},
        "required": ["a"],
        "additionalProperties": False,
    },
    "property that may be anything small": {
        "type": "object",
        "properties": {"a": {"type": ["null", "boolean"]}},
        "required": ["a"],
        "maxProperties": 1,
    },
    "names from a list": {
        "type": "object",
        "propertyNames": {"enum": ["a.b", "(c)", 'd"', "да"], "title": "Key"},
        "additionalProperties": DIGIT,
        "maxProperties": 3,
    },
    "names of a pattern": {
        "type": "object",
        "propertyNames": {"type": "string", "pattern": "^[a-z]{1,3}$"},
        "additionalProperties": SHORT,
        "maxProperties": 2,
    },
    "names of a length": {
        "type": "object",
        "propertyNames": {"minLength": 2, "maxLength": 4},
        "additionalProperties": {"type": "boolean"},
        "maxProperties": 2,
    },
    "map of maps": {
        "type": "object",
        "additionalProperties": {"type": "object", "additionalProperties": DIGIT, "maxProperties": 2},
        "maxProperties": 2,
    },
    "any property required twice": {
        "type": "object",
        "properties": {"a": DIGIT},
        "required": ["a", "a"],
        "additionalProperties": False,
    },
}
