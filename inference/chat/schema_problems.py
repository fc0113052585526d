"""Why a JSON schema cannot be enforced, in words, and where in it."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from inference.chat.formats import Dialect
from inference.chat.json_schema import (
    DEFINITIONS,
    Path,
    asks_for_too_large,
    choices,
    enforceable,
    holds_large_integer,
    is_string,
    reachable,
    subschemas,
)

VERSIONS = ("draft-04", "draft-06", "draft-07", "draft/2019-09", "draft/2020-12")
SCHEMA_FORMATS = "date-time, time, date, duration, email, hostname, ipv4, ipv6, uri, uuid"
KINDS = {"array": "an array", "positive integer": "an integer of at least 0"}
MAX_CHECKS = 200  # of parts, while looking for the one at fault
REMEMBERED_CHARS = 16 * 1024  # of one schema: what is kept of strangers' texts must not fill the memory
UNSATISFIABLE = "Unsatisfiable schema"
TOO_DEEP = "recursion limit exceeded"
NESTED_TOO_DEEPLY = "it is nested too deeply"

# Strings stand as they are between tags, or between Gemma's own quotes; a grammar only knows where they end.
OF_STRINGS = ("pattern", "format", "minLength", "maxLength")
LOST = {Dialect.TAGS: OF_STRINGS, Dialect.GEMMA: (*OF_STRINGS, "minItems", "maxItems")}

# What llguidance says, and the sentence that becomes of it.
WORDINGS: tuple[tuple[str, Callable[["re.Match[str]"], str]], ...] = (
    (r"Unimplemented keys: (\[.*\])", lambda found: _cannot(json.loads(found[1]))),
    (r"Unknown format: (.*)", lambda found: f'`format` "{found[1]}" is not supported, only {SCHEMA_FORMATS}'),
    (
        r"oneOf constraints are not supported",
        lambda _: "`oneOf` needs schemas of which no value fits two, which cannot be told of these; use `anyOf`",
    ),
    (
        r"min/maxProperties only supported",
        lambda _: "`minProperties` and `maxProperties` need all of `properties` to be `required`",
    ),
    (r"Unsatisfiable schema: Regex is empty", lambda _: "no string fits all of `pattern`, `format` and its lengths"),
    (r"Unsatisfiable schema: anyOf is empty", lambda _: "no value fits it: `type`, `enum` or `anyOf` is empty"),
    (r"Unsatisfiable schema: (.*)", lambda found: f"no value fits it: {_quoting(found[1])}"),
    (r"Pointer '(.*?)' does not exist", lambda found: f"`$ref` points to `#{found[1]}`, which does not exist"),
    (
        r"Resource '(.*?)' is not present",
        lambda found: f"`$ref` points to `{found[1]}`, and references to other documents are not followed",
    ),
    (r"Invalid type: (.*)", lambda found: f'`type` "{found[1]}" is no type of JSON'),
    (
        r"Expected (.*) for '(.*?)', got (.*)",
        lambda found: f"`{found[2]}` must be {KINDS.get(found[1], found[1])}, not {found[3]}",
    ),
    (r"(\w+) must be (.*)", lambda found: f"`{found[1]}` must be {found[2]}"),
    (r"invalid multiple of", lambda _: "`multipleOf` must be above 0"),
    (r"regex parse error(?s:.*)\nerror: (.*)", lambda found: f"`pattern` cannot be used: {found[1]}"),
    (r"lookarounds not supported yet; (.*) in regex", lambda _: "`pattern` may have no anchors but `^` and `$`"),
    (
        r"patternProperty regexes (.*) are not disjoint",
        lambda found: f"a name may match two of `patternProperties`, {found[1]}, which is not supported",
    ),
    (r"hex escape|surrogate", lambda _: "it holds half of a surrogate pair, which is no character"),
    (r"schema too large", lambda _: "there are too many ways to combine its `allOf` and `anyOf`"),
)


@dataclass(frozen=True)
class SchemaProblem:
    """What is wrong, as the rest of a sentence, and the path of the part at fault."""

    reason: str
    path: Path = ()

    @property
    def location(self) -> str:
        """The path as it goes on after a field's name, such as `.properties.tags.anyOf[1]`."""
        return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path)


def schema_problem(schema: str, lenient: bool) -> SchemaProblem | None:
    """Return why a JSON schema cannot be enforced, None if it can. `lenient`: keywords may be left out for it."""
    find = _remembered_problem if len(schema) <= REMEMBERED_CHARS else _problem
    return find(schema, lenient)


def _problem(schema: str, lenient: bool) -> SchemaProblem | None:
    try:
        parsed = json.loads(schema)
        return _own_problem(parsed, lenient) or _library_problem(parsed, lenient)
    except RecursionError:
        return SchemaProblem(NESTED_TOO_DEEPLY)


_remembered_problem = lru_cache(maxsize=512)(_problem)


def notation_problem(schema: dict[str, Any], dialect: Dialect) -> SchemaProblem | None:
    """Return what of a schema is lost where a model writes arguments in another notation than JSON."""
    lost = LOST.get(dialect, ())
    for path, part in reachable(schema) if lost else ():
        is_argument = len(path) == 2 and path[0] == "properties" and is_string(part)
        keyword = next((key for key in lost if key in part), None)
        if keyword and not choices(part) and (dialect is Dialect.GEMMA or is_argument):
            return SchemaProblem(f"`{keyword}` cannot be enforced in the notation of this model's calls", path)
    return None


def _own_problem(root: dict[str, Any], lenient: bool) -> SchemaProblem | None:
    """Look for what llguidance takes without a word and then does not keep."""
    version = root.get("$schema", VERSIONS[-1])
    if not isinstance(version, str) or not any(each in version for each in VERSIONS):
        return SchemaProblem(f"`$schema` names none of the versions {', '.join(VERSIONS)}")
    for path, schema in () if lenient else reachable(root):
        for key in ("const", "enum", "multipleOf"):
            if holds_large_integer(schema.get(key)):
                return SchemaProblem(f"`{key}` holds an integer above 2^53, which cannot be kept exactly", path)
        if asks_for_too_large(schema):
            return SchemaProblem("its bounds are beyond the integers of 64 bits", path)
        if _may_repeat_names(schema):
            return SchemaProblem(
                "`minProperties` may ask for only one property more than are `required`: "
                "that others have different names cannot be enforced",
                path,
            )
    return None


def _may_repeat_names(schema: dict[str, Any]) -> bool:
    """Whether an object could reach its `minProperties` with one name that comes twice."""
    least, required = schema.get("minProperties"), schema.get("required")
    named = len(set(map(str, required))) if isinstance(required, list) else 0
    return isinstance(least, int) and least > named + 1


def _library_problem(root: dict[str, Any], lenient: bool) -> SchemaProblem | None:
    message = _verdict(root, lenient)
    if not message:
        return None
    if TOO_DEEP in message:  # as would its parts be
        return SchemaProblem(NESTED_TOO_DEEPLY)
    return _innermost(root, lenient, message)


def _innermost(root: dict[str, Any], lenient: bool, message: str) -> SchemaProblem:
    """Look for the innermost part of which llguidance says the same."""
    definitions = {key: root[key] for key in DEFINITIONS if key in root}
    path: Path = ()
    waiting = list(subschemas(root))
    for _ in range(MAX_CHECKS):
        if not waiting:
            break
        key, part = waiting.pop(0)
        verdict = _verdict({**definitions, **part}, lenient) if isinstance(part, dict) else ""
        if verdict == message or (verdict.startswith(UNSATISFIABLE) and message.startswith(UNSATISFIABLE)):
            path, message, waiting = (*path, *key), verdict, list(subschemas(part))
    return SchemaProblem(_worded(message), path)


def _verdict(schema: dict[str, Any], lenient: bool) -> str:
    """Return llguidance's message about a schema, empty if it takes it."""
    from llguidance import LLMatcher

    overrides = {"lenient": lenient, "whitespace_flexible": False}
    try:
        grammar = LLMatcher.grammar_from_json_schema(json.dumps(enforceable(schema)), overrides=overrides)
    except ValueError as error:
        return str(error)
    is_error, messages = LLMatcher.validate_grammar_with_warnings(grammar)
    return messages[0].strip() if is_error else ""


def _worded(message: str) -> str:
    for pattern, wording in WORDINGS:
        if found := re.search(pattern, message):
            return wording(found)
    return message.splitlines()[0].rstrip(".")


def _cannot(keywords: list[str]) -> str:
    return " and ".join(f"`{keyword}`" for keyword in keywords) + " cannot be enforced"


def _quoting(message: str) -> str:
    """Put keywords in the quotes that all our messages have."""
    return re.sub(r"'(\w+)'|\b(m(?:in|ax)[A-Z]\w+|minimum|maximum)\b", lambda word: f"`{word[1] or word[2]}`", message)
