"""JSON schemas as llguidance takes them: where its reading would let wrong values through, they are made narrower."""

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

Path = tuple[str | int, ...]

ONE = ("items", "additionalItems", "additionalProperties", "contains", "not", "if", "then", "else", "propertyNames")
SEVERAL = ("anyOf", "oneOf", "allOf", "prefixItems", "items")
NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
DEFINITIONS = ("$defs", "definitions")
LOWER = ("minimum", "exclusiveMinimum")
UPPER = ("maximum", "exclusiveMaximum")
LARGEST_INTEGER = 2**53  # llguidance computes with doubles; above this they skip integers
LARGEST_BOUND = 2**63 - 1024  # the largest double among the 64-bit integers

# llguidance knows these formats, but lets a 30th of February, the year 0 and a 61st second through, and `t` for `T`.
YEAR = r"(?:[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
LEAP_YEAR = r"(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
DATE = (
    rf"(?:{YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    rf"|02-(?:0[1-9]|1[0-9]|2[0-8]))|{LEAP_YEAR}-02-29)"
)
TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
FORMATS = {"date": f"^{DATE}$", "time": f"^{TIME}$", "date-time": f"^{DATE}T{TIME}$"}

# Of a class of characters with all of U+0000 to U+001F, llguidance also takes the escapes of quote and backslash. One
# of them less, and it does not.
CONTROL_CLASS = re.compile(r"\\(?:x00|u0000)-|\\.|\[\^\]?", re.DOTALL)
NARROWER = {r"\x00-": r"\x00\x02-", r"\u0000-": r"\x00\x02-", "[^": r"[^\x01", "[^]": r"[^\x01\]"}

META = re.compile(r"[\\^$.|?*+()\[\]{}]")
STRING = ("type", "string")
SAYING_NOTHING = ("title", "description", "$comment", "default", "examples")

# Keywords that llguidance refuses even with a value that asks for nothing.
WITHOUT_EFFECT = (
    ("uniqueItems", False),
    ("unevaluatedProperties", True),
    ("unevaluatedItems", True),
    ("propertyNames", True),
)


def subschemas(schema: Any) -> Iterator[tuple[Path, Any]]:
    """Yield the schemas right inside of one, each with its path."""
    if not isinstance(schema, dict):
        return
    for key, value in schema.items():
        if key in ONE and isinstance(value, dict | bool):
            yield (key,), value
        elif key in SEVERAL and isinstance(value, list):
            yield from (((key, number), each) for number, each in enumerate(value))
        elif key in NAMED and isinstance(value, dict):
            yield from (((key, name), each) for name, each in value.items())


def reachable(root: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield every schema that has a say in what fits `root`, each with its path: definitions only if referred to."""
    waiting: list[tuple[Path, Any]] = [((), root)]
    references = set()
    while waiting:
        path, schema = waiting.pop()
        if not isinstance(schema, dict):
            continue
        yield path, schema
        waiting += [((*path, *key), each) for key, each in subschemas(schema) if key[0] not in DEFINITIONS]
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/") and reference not in references:
            references.add(reference)
            waiting.append((tuple(reference[2:].split("/")), resolve(root, reference)))


def resolve(root: dict[str, Any], reference: str) -> Any:
    """Return what a local reference points to; anything at all if it points nowhere."""
    value: Any = root
    for part in reference.removeprefix("#").strip("/").split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        value = value.get(key, {}) if isinstance(value, dict) and key else value
    return value


def as_schema(schema: Any) -> dict[str, Any]:
    """Return a schema to read; one that is only true or false says nothing."""
    return schema if isinstance(schema, dict) else {}


def choices(schema: Any) -> list[Any]:
    """Return the only values that fit, empty if a schema does not list them."""
    schema = as_schema(schema)
    return [schema["const"]] if "const" in schema else list(schema.get("enum", ()))


def is_string(schema: Any) -> bool:
    """Say whether all that fits is strings."""
    values = choices(schema)
    return all(isinstance(each, str) for each in values) if values else as_schema(schema).get("type") == "string"


def enforceable(schema: Any) -> Any:
    """Return a schema that means the same, or allows a little less, and that llguidance keeps to the letter."""
    if not isinstance(schema, dict):
        return schema
    changed = {key: _inside(key, value) for key, value in schema.items() if (key, value) not in WITHOUT_EFFECT}
    for change in (_names, _pattern, _format, _bounds):
        change(changed)
    return changed


def _inside(key: str, value: Any) -> Any:
    if key in ONE and isinstance(value, dict):
        return enforceable(value)
    if key in SEVERAL and isinstance(value, list):
        return [enforceable(each) for each in value]
    if key in NAMED and isinstance(value, dict):
        rename: Callable[[str], str] = narrower if key == "patternProperties" else str
        return {rename(name): enforceable(each) for name, each in value.items()}
    return value


def _names(schema: dict[str, Any]) -> None:
    """Write `propertyNames`, which llguidance does not know, as `patternProperties`, where nothing else has a say."""
    names = schema.get("propertyNames")
    pattern = _pattern_of(names) if isinstance(names, dict) else None
    if pattern is not None and not schema.get("properties") and not schema.get("patternProperties"):
        del schema["propertyNames"]
        schema["patternProperties"] = {pattern: schema.get("additionalProperties", True)}
        schema["additionalProperties"] = False


def _pattern_of(names: dict[str, Any]) -> str | None:
    """Return a regular expression for the strings of a schema of one keyword; None if there is none."""
    keywords = {key: value for key, value in names.items() if key not in SAYING_NOTHING and (key, value) != STRING}
    choices = keywords.get("enum", [keywords["const"]] if "const" in keywords else None)
    if len(keywords) == 1 and isinstance(choices, list) and all(isinstance(each, str) for each in choices):
        return f"^(?:{'|'.join(map(_literally, choices))})$"
    if len(keywords) == 1 and isinstance(keywords.get("pattern"), str):
        return keywords["pattern"]
    if keywords and keywords.keys() <= {"minLength", "maxLength"}:
        return f"^(?s:.{{{keywords.get('minLength', 0)},{keywords.get('maxLength', '')}}})$"
    return None


def _literally(text: str) -> str:
    return META.sub(r"\\\g<0>", text)


def _pattern(schema: dict[str, Any]) -> None:
    if isinstance(schema.get("pattern"), str):
        schema["pattern"] = narrower(schema["pattern"])


def _format(schema: dict[str, Any]) -> None:
    pattern = FORMATS.get(schema["format"]) if isinstance(schema.get("format"), str) else None
    if pattern is None:
        return
    del schema["format"]
    if "pattern" not in schema:
        schema["pattern"] = pattern
    elif isinstance(schema.get("allOf", []), list):
        schema["allOf"] = [*schema.get("allOf", []), {"pattern": pattern}]


def _bounds(schema: dict[str, Any]) -> None:
    """Round large bounds to a double within them, and within the integers that llguidance can count to."""
    for key in LOWER:
        if _is_large(schema.get(key)):
            schema[key] = -_double_up_to(-schema[key])
    for key in UPPER:
        if _is_large(schema.get(key)):
            schema[key] = _double_up_to(schema[key])


def _double_up_to(value: int) -> int:
    value = min(value, LARGEST_BOUND)
    double = float(max(value, -LARGEST_BOUND))
    return int(math.nextafter(double, -math.inf) if double > value else double)


def narrower(pattern: str) -> str:
    """Return a regular expression of which llguidance makes no more than it says."""
    return CONTROL_CLASS.sub(lambda match: NARROWER.get(match[0], match[0]), pattern)


def holds_large_integer(value: Any) -> bool:
    """Say whether a constant holds an integer that llguidance would write as another one."""
    if isinstance(value, dict | list):
        return any(map(holds_large_integer, value.values() if isinstance(value, dict) else value))
    return _is_large(value)


def asks_for_too_large(schema: dict[str, Any]) -> bool:
    """Say whether all that fits the bounds is larger than what llguidance can count to."""
    lower = [schema.get(key) for key in LOWER]
    upper = [schema.get(key) for key in UPPER]
    return any(_is_large(value) and value > LARGEST_BOUND for value in lower) or any(
        _is_large(value) and value < -LARGEST_BOUND for value in upper
    )


def _is_large(value: Any) -> bool:
    return isinstance(value, int) and abs(value) > LARGEST_INTEGER
