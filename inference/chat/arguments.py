"""Readers that turn a call's arguments, however a model writes them, into JSON while they are still arriving.

`feed` returns the JSON that is certain and the text that the reader leaves: what it holds back, or, once `is_complete`,
what comes after the arguments.
"""

import json
import re
from typing import Any, Protocol

from inference.chat.formats import GEMMA_QUOTE, Dialect, ToolFormat
from inference.chat.json_scanner import JSONValueScanner
from inference.chat.json_schema import is_string
from inference.chat.python_arguments import PythonReader
from inference.engine.detokenizer import overlap

JSON_WORD = re.compile(r"true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")


class ArgumentsReader(Protocol):
    is_complete: bool

    def feed(self, text: str) -> tuple[str, str]: ...


def new_reader(tool_format: ToolFormat, tail: str, schema: dict[str, Any]) -> ArgumentsReader:
    """Return a reader for one call: `tail` begins what follows it, `schema` tells which arguments are strings."""
    if tool_format.dialect is Dialect.TAGS:
        return TagsReader(tool_format.parameter, tail, schema)
    readers = {Dialect.JSON: JSONReader, Dialect.GEMMA: GemmaReader, Dialect.PYTHON: PythonReader}
    return readers[tool_format.dialect]()


class JSONReader:
    """JSON as it is."""

    def __init__(self) -> None:
        self._scanner = JSONValueScanner()

    @property
    def is_complete(self) -> bool:
        return self._scanner.is_complete

    def feed(self, text: str) -> tuple[str, str]:
        length = self._scanner.feed(text)
        return text[:length], text[length:]


class TagsReader:
    """Each argument between tags; strings stand there as they are, other values as JSON."""

    def __init__(self, parameter: str, tail: str, schema: dict[str, Any]) -> None:
        self.is_complete = False
        before_key, _, rest = parameter.partition("$key")
        between, _, after = rest.partition("$value")
        self._head = re.compile(rf"\s*{loosely(before_key)}(?P<key>.+?){loosely(between.rstrip())}", re.DOTALL)
        self._newline_before = between.endswith("\n")
        self._newline_after = after.startswith("\n")
        self._end = after.strip()
        self._tail = tail
        self._schema = schema
        self._num_read = 0
        self._is_string: bool | None = None  # of the value being read; None between two
        self._is_begun = False  # whether the quote of a string is written
        self._skips_newline = False

    def feed(self, text: str) -> tuple[str, str]:
        written = []
        while not self.is_complete:
            if self._is_string is None:
                fragment, rest = self._read_head(text)
            else:
                fragment, rest = self._read_value(text)
            written.append(fragment)
            if rest == text:
                break
            text = rest
        return "".join(written), text

    def _read_head(self, text: str) -> tuple[str, str]:
        if text.lstrip().startswith(self._tail):
            self.is_complete = True
            return "{}" if not self._num_read else "}", text.lstrip()
        head = self._head.match(text)
        if head is None:
            return "", text
        key = head["key"].strip()
        self._is_string, self._is_begun = is_text(self._schema, key, head), False
        self._skips_newline = self._newline_before
        opening = ", " if self._num_read else "{"
        self._num_read += 1
        return f"{opening}{json.dumps(key, ensure_ascii=False)}: ", text[head.end() :]

    def _read_value(self, text: str) -> tuple[str, str]:
        if self._skips_newline:
            if not text:
                return "", text
            text, self._skips_newline = text.removeprefix("\n"), False
        value, end, rest = text.partition(self._end)
        if not end:
            return self._stream(text)
        fragment = self._finish(value.removesuffix("\n") if self._newline_after else value)
        self._is_string = None
        return fragment, rest

    def _stream(self, text: str) -> tuple[str, str]:
        """Write as much of a string as cannot belong to its end; other values wait until they are whole."""
        if not self._is_string:
            return "", text
        held = overlap(text, self._end)
        safe = text[: len(text) - held]
        if self._newline_after and safe.endswith("\n"):
            safe = safe[:-1]
        return self._open() + escape(safe), text[len(safe) :]

    def _finish(self, value: str) -> str:
        if self._is_string:
            return self._open() + escape(value) + '"'
        try:
            return json.dumps(json.loads(value), ensure_ascii=False)
        except ValueError:
            return json.dumps(value.strip(), ensure_ascii=False)

    def _open(self) -> str:
        """Return the quote that a string begins with, once."""
        if self._is_begun:
            return ""
        self._is_begun = True
        return '"'


class GemmaReader:
    """Gemma 4's notation: keys without quotes, strings between tokens of their own."""

    def __init__(self) -> None:
        self.is_complete = False
        self._depth = 0
        self._in_string = False

    def feed(self, text: str) -> tuple[str, str]:
        written = []
        while text and not self.is_complete:
            fragment, rest = self._read_string(text) if self._in_string else self._read_structure(text)
            written.append(fragment)
            if rest == text:
                break
            text = rest
        return "".join(written), text

    def _read_string(self, text: str) -> tuple[str, str]:
        value, quote, rest = text.partition(GEMMA_QUOTE)
        if quote:
            self._in_string = False
            return escape(value) + '"', rest
        held = overlap(text, GEMMA_QUOTE)
        return escape(text[: len(text) - held]), text[len(text) - held :]

    def _read_structure(self, text: str) -> tuple[str, str]:
        if text.startswith(GEMMA_QUOTE):
            self._in_string = True
            return '"', text[len(GEMMA_QUOTE) :]
        char, rest = text[0], text[1:]
        if char in "{}[],:" or char.isspace():
            self._depth += (char in "{[") - (char in "}]")
            self.is_complete = char in "}]" and self._depth == 0
            return "" if char.isspace() else {",": ", ", ":": ": "}.get(char, char), rest
        return self._read_word(text)

    @staticmethod
    def _read_word(text: str) -> tuple[str, str]:
        """Read a key, a number, true, false or null: up to where it certainly ends."""
        word = re.match(r"[^{}\[\],:<]*(?=[{}\[\],:])", text)
        if word is None:
            return "", text
        value = word[0].strip()
        is_key = text[word.end()] == ":"
        is_literal = not is_key and JSON_WORD.fullmatch(value)
        return value if is_literal else json.dumps(value, ensure_ascii=False), text[word.end() :]


def is_text(schema: dict[str, Any], key: str, head: "re.Match[str]") -> bool:
    """Say whether an argument's value is a string that stands there as it is.

    Some formats say it themselves (`string="true"`), otherwise the function's schema does.
    """
    if "is_string" in head.groupdict():
        return head["is_string"] == "true"
    properties = schema.get("properties")
    others = schema.get("additionalProperties")
    described = properties.get(key, others) if isinstance(properties, dict) else others
    return is_string(described)


def escape(text: str) -> str:
    """Return text as it stands inside a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def loosely(text: str) -> str:
    """Return a pattern for a literal with any white space where it has some, and around JSON's punctuation."""
    pattern = re.sub(r"(?:\\\s|\s)+", r"\\s*", re.escape(text))
    pattern = re.sub(r"(\\\{|\\\[|:|,)(?=\"|\\\{|\\s)", r"\1\\s*", pattern)
    return pattern.replace(r"\$is_string", r"(?P<is_string>true|false)")
