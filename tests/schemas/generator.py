"""Random schema trees, the same for the same seed: bounded, so that what follows them ends."""

import random
from typing import Any

from tests.schemas.scalars import Schema

KEYS = ("id", "name", "a b", "ключ", "x-1", "$v", "list", "0", "é", "type")
WORDS = ("red", "green", "a", "", "да", 'q"q', "1")
PATTERNS = ("^[a-c]{1,4}$", "[0-9]", "^x", r"^\d{2}:\d{2}$", "^(yes|no)$", r'^[^"]{1,5}$', r"^[^\\a]{0,3}$", "z$")
FORMATS = ("date", "time", "date-time", "ipv4", "uuid", "duration")


class SchemaGenerator:
    """Makes schemas of up to `depth` levels."""

    def __init__(self, seed: int, depth: int = 3) -> None:
        self._random = random.Random(seed)
        self._depth = depth
        self._definitions: dict[str, Schema] = {}

    def schema(self) -> Schema:
        """Return a whole schema, with the definitions that it refers to."""
        self._definitions = {}
        schema = self._any(self._depth)
        return {**schema, "$defs": self._definitions} if self._definitions else schema

    def _any(self, depth: int) -> Schema:
        scalars = [self._string, self._integer, self._number, self._choice, self._simple]
        inner = [
            self._object,
            self._object,
            self._array,
            self._tuple,
            self._map,
            self._either,
            self._all,
            self._reference,
        ]
        make = self._random.choice(inner if depth and self._random.random() < 0.75 else scalars)
        return make(depth - 1)

    def _string(self, _: int) -> Schema:
        kind = self._random.randrange(3)
        if kind == 0:
            least = self._random.randrange(3)
            return {"type": "string", "minLength": least, "maxLength": least + self._random.randrange(5)}
        if kind == 1:
            return {"type": "string", "pattern": self._random.choice(PATTERNS), "maxLength": 6}
        return {"type": "string", "format": self._random.choice(FORMATS)}

    def _integer(self, _: int) -> Schema:
        least = self._random.randrange(-1000, 1000)
        width = self._random.choice((2, 10, 100))
        schema: Schema = {"type": "integer", self._random.choice(("minimum", "exclusiveMinimum")): least}
        schema[self._random.choice(("maximum", "exclusiveMaximum"))] = least + width
        if width > 2 and self._random.random() < 0.3:
            schema["multipleOf"] = self._random.choice((2, 3, 5))
        return schema

    def _number(self, _: int) -> Schema:
        least = round(self._random.uniform(-50, 50), self._random.randrange(3))
        schema: Schema = {"type": "number", "minimum": least, "maximum": round(least + self._random.uniform(1, 9), 2)}
        if self._random.random() < 0.3:
            schema["multipleOf"] = self._random.choice((0.5, 0.25, 0.1))
        return schema

    def _choice(self, _: int) -> Schema:
        values: list[Any] = [*WORDS, 0, -1, 2.5, None, True, [], {"k": 1}, [1, "two"]]
        chosen = self._random.sample(values, self._random.randrange(1, 6))
        return {"const": chosen[0]} if len(chosen) == 1 else {"enum": chosen}

    def _simple(self, _: int) -> Schema:
        return self._random.choice(
            (
                {"type": "boolean"},
                {"type": "null"},
                {"type": ["boolean", "null"]},
                {"type": ["string", "null"], "maxLength": 3},
            )
        )

    def _object(self, depth: int) -> Schema:
        names = self._random.sample(KEYS, self._random.randrange(1, 5))
        schema: Schema = {"type": "object", "properties": {name: self._any(depth) for name in names}}
        required = [name for name in names if self._random.random() < 0.7]
        self._random.shuffle(required)
        if required or self._random.random() < 0.5:
            schema["required"] = required
        return {**schema, "additionalProperties": False}

    def _array(self, depth: int) -> Schema:
        least = self._random.randrange(3)
        return {
            "type": "array",
            "items": self._any(min(depth, 1)),
            "minItems": least,
            "maxItems": least + self._random.randrange(1, 3),
        }

    def _tuple(self, depth: int) -> Schema:
        items = [self._any(min(depth, 1)) for _ in range(self._random.randrange(1, 4))]
        return {
            "type": "array",
            "prefixItems": items,
            "items": False,
            "minItems": self._random.randrange(len(items) + 1),
        }

    def _map(self, _: int) -> Schema:
        values = self._any(0)
        if self._random.random() < 0.5:
            return {"type": "object", "additionalProperties": values, "minProperties": 1, "maxProperties": 2}
        patterns = {"^[a-f]{1,3}$": values, "^[0-9]{1,3}$": self._any(0)}
        return {"type": "object", "patternProperties": patterns, "additionalProperties": False, "maxProperties": 3}

    def _either(self, depth: int) -> Schema:
        return {"anyOf": [self._any(depth) for _ in range(self._random.randrange(2, 4))]}

    def _all(self, depth: int) -> Schema:
        first, second = self._object(depth), self._integer(0)
        both = [first, {"properties": {"more": second}}] if self._random.random() < 0.5 else [first]
        return {"allOf": both}

    def _reference(self, depth: int) -> Schema:
        name = f"d{len(self._definitions)}"
        self._definitions[name] = {}
        self._definitions[name] = self._any(depth)
        return {"$ref": f"#/$defs/{name}"}


def generated(count: int, seed: int = 1) -> dict[str, Schema]:
    generator = SchemaGenerator(seed)
    return {f"generated {number}": generator.schema() for number in range(count)}
