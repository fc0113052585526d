"""From generated text to content and tool calls, in whichever format of `formats.py` the model writes."""

import json
import re
from collections.abc import Mapping
from enum import Enum, auto
from functools import lru_cache
from typing import Any

from inference.chat.arguments import ArgumentsReader, loosely, new_reader
from inference.chat.events import Content, Event, ToolCallArguments, ToolCallBegin, new_call_id
from inference.chat.formats import HERMES, Dialect, ToolFormat
from inference.chat.json_scanner import JSONValueScanner
from inference.engine.detokenizer import overlap

NAME = r"(?P<name>[\w.:-]+?)"
SCALAR = r"(?:\"(?:[^\"\\]|\\.)*\"|-?\d+)"
PAIRS = rf"(?:\"\w+\"\s*:\s*{SCALAR}\s*,\s*)*?"  # an id before the name, or between it and the arguments
OBJECT_HEAD = (
    rf"\{{\s*{PAIRS}\"(?:name|tool_name)\"\s*:\s*\"{NAME}\"\s*,\s*{PAIRS}\"(?:arguments|parameters)\"\s*:\s*(?=\{{)"
)
TOKEN = re.compile(r"<[^<>\s]*>|\[/?[A-Z_]+\]|```|\S")


class CallSyntax:
    """The patterns that a format's texts come to."""

    def __init__(self, tool_format: ToolFormat) -> None:
        self.is_object = '": "$name"' in tool_format.call
        self.heads = [re.compile(self._head(tool_format, call)) for call in tool_format.calls]
        self.closing = TOKEN.findall(tool_format.closing)
        self.tails = [self._tail(tool_format, call) for call in tool_format.calls]
        prefix = tool_format.call.partition("$name")[0]
        self.next_call = TOKEN.findall(prefix)[0] if prefix else ""
        self.openers = tuple(trigger.partition('"')[0] for trigger in tool_format.triggers)
        end = (self.closing or self.tails[0] or [""])[-1]
        self.end = end if len(end) > 1 else None  # a bracket alone says nothing

    def _head(self, tool_format: ToolFormat, call: str) -> str:
        prefix, _, rest = call.partition("$name")
        infix = rest.partition("$arguments")[0]
        opening = "".join(rf"(?:{re.escape(token)}\s*)?" for token in TOKEN.findall(tool_format.opening))
        if self.is_object:
            return rf"{opening}\s*{loosely(prefix.partition('{')[0])}\s*{OBJECT_HEAD}"
        head = _numbered(rf"{opening}\s*{loosely(prefix)}{NAME}{loosely(infix)}")
        if tool_format.dialect in (Dialect.JSON, Dialect.GEMMA):
            return rf"{head}\s*(?=\{{)"
        return head if infix.strip() else rf"{head}(?=[^\w.:\s-])"

    def _tail(self, tool_format: ToolFormat, call: str) -> list[str]:
        """Return what follows the arguments; readers and the scanner of objects take their own brackets."""
        tail = call.partition("$arguments")[2]
        if self.is_object:
            tail = tail.rpartition("}")[2]
        if tool_format.dialect is Dialect.PYTHON:
            tail = tail.removeprefix(")")
        return TOKEN.findall(tail)


def _numbered(pattern: str) -> str:
    return pattern.replace(r"\$id", r"[\w-]*").replace(r"\$index", r"\d+")


@lru_cache(maxsize=128)
def syntax_of(tool_format: ToolFormat) -> CallSyntax:
    return CallSyntax(tool_format)


class _State(Enum):
    TEXT = auto()
    HEAD = auto()
    ARGUMENTS = auto()
    OBJECT_END = auto()
    MARKERS = auto()
    NEXT = auto()


class OutputParser:
    """`feed` takes text as it is generated and returns the events that are certain; `finish` returns the rest.

    `tools` are the functions the request offers, with the schemas of their arguments; without any, everything is
    content. What looks like a call but is none comes through as content.
    """

    def __init__(self, tools: Mapping[str, dict[str, Any]] | None = None, tool_format: ToolFormat = HERMES) -> None:
        self.num_calls = 0
        self._tools = tools or {}
        self._format = tool_format
        self._syntax = syntax_of(tool_format)
        self._state = _State.TEXT
        self._buffer = ""
        self._is_first = True
        self._space = ""
        self._is_in_text = False  # since the last call
        self._reader: ArgumentsReader | None = None
        self._scanner = JSONValueScanner()
        self._expected: list[str] = []
        self._after = _State.TEXT

    def feed(self, text: str) -> list[Event]:
        if not self._tools:
            return [Content(text)] if text else []
        self._buffer += text
        events: list[Event] = []
        while self._STEPS[self._state](self, events):
            pass
        return events

    def finish(self) -> list[Event]:
        """Return what is held back: the answer ended in the middle of what might have become a call."""
        events: list[Event] = []
        if self._state is _State.TEXT:
            self._add_content(events, self._buffer)
        elif self._state is _State.HEAD:
            self._give_up(events, self._buffer)
        self._buffer = ""
        if self._space and not self.num_calls:
            events.append(Content(self._space))
        return events

    def _read_text(self, events: list[Event]) -> bool:
        """Look for a trigger; what comes before it is content."""
        if self._format.only_first and self.num_calls and not self._is_in_text:
            self._buffer = self._buffer.lstrip(" \n;")
        if self._format.only_first and not self._may_begin():
            self._add_content(events, self._buffer)
            self._buffer = ""
            return False
        found = [index for index in map(self._buffer.find, self._syntax.openers) if index >= 0]
        if found:
            self._add_content(events, self._buffer[: min(found)])
            self._buffer, self._state = self._buffer[min(found) :], _State.HEAD
            return True
        safe = len(self._buffer) - max(overlap(self._buffer, opener) for opener in self._syntax.openers)
        self._add_content(events, self._buffer[:safe])
        self._buffer = self._buffer[safe:]
        return False

    def _may_begin(self) -> bool:
        """Whether a format without markers may have its call here: at the beginning, or after another call."""
        start = self._buffer.lstrip()
        self._is_first = self._is_first and any(
            start.startswith(opener) or opener.startswith(start) for opener in self._syntax.openers
        )
        return self._is_first

    def _read_head(self, events: list[Event]) -> bool:
        for head, tail in zip(self._syntax.heads, self._syntax.tails, strict=True):
            match = head.match(self._buffer)
            if match and match["name"] in self._tools:
                self._begin_call(events, match["name"])
                self._buffer = self._buffer[match.end() :]
                self._expected = list(tail)
                self._reader = new_reader(self._format, tail[0] if tail else "", self._tools[match["name"]])
                self._state = _State.ARGUMENTS
                return True
        if self._syntax.end is None or self._syntax.end not in self._buffer:
            return False
        body, end, after = self._buffer.partition(self._syntax.end)
        self._give_up(events, body + end)
        self._buffer, self._state = after, _State.TEXT
        return True

    def _read_arguments(self, events: list[Event]) -> bool:
        fragment, self._buffer = self._reader.feed(self._buffer)
        if fragment:
            events.append(ToolCallArguments(self.num_calls - 1, fragment))
        if self._reader.is_complete:
            self._scanner = JSONValueScanner(depth=1)
            self._state = _State.OBJECT_END if self._syntax.is_object else _State.MARKERS
            self._after = _State.NEXT if self._format.is_section else _State.TEXT
        return self._reader.is_complete

    def _read_object_end(self, events: list[Event]) -> bool:
        """Skip what comes after the arguments in a call's object, such as an id."""
        length = self._scanner.feed(self._buffer)
        self._buffer = self._buffer[length:]
        if self._scanner.is_complete:
            self._state = _State.MARKERS
        return self._scanner.is_complete

    def _read_markers(self, events: list[Event]) -> bool:
        """Skip what should follow; a model may forget any of it."""
        while self._expected:
            text = self._buffer.lstrip()
            if text.startswith(self._expected[0]):
                self._buffer = text[len(self._expected[0]) :]
            elif self._expected[0].startswith(text):
                return False
            del self._expected[0]
        self._state = self._after
        return True

    def _read_next(self, events: list[Event]) -> bool:
        """Go on after a call of several: with the next one, the closing, or text."""
        text = self._buffer.lstrip(" \n\t\r,")
        closing, call = self._syntax.closing[0], self._syntax.next_call
        if closing.startswith(text) or (call and call.startswith(text) and text != call):
            return False
        if text.startswith(closing):
            self._buffer, self._expected = text, list(self._syntax.closing)
            self._state, self._after = _State.MARKERS, _State.TEXT
        elif text.startswith(call):
            self._buffer, self._state = text, _State.HEAD
        else:
            self._state = _State.TEXT
        return True

    def _begin_call(self, events: list[Event], name: str) -> None:
        events.append(ToolCallBegin(self.num_calls, new_call_id(), name))
        self.num_calls += 1
        self._space, self._is_in_text = "", False

    def _give_up(self, events: list[Event], text: str) -> None:
        """Read calls whose keys stand in another order; what is no call is content, tags and all."""
        calls = self._whole_calls(text) if self._syntax.is_object else None
        for name, arguments in calls or ():
            self._begin_call(events, name)
            events.append(ToolCallArguments(self.num_calls - 1, json.dumps(arguments, ensure_ascii=False)))
        if not calls:
            self._add_content(events, text)

    def _whole_calls(self, text: str) -> list[tuple[str, dict[str, Any]]] | None:
        start, end = text.find("{"), text.rfind("}")
        try:
            objects = json.loads(f"[{text[start : end + 1]}]")
            calls = [_read_object(each) for each in objects]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        return calls if all(name in self._tools for name, _ in calls) else None

    def _add_content(self, events: list[Event], text: str) -> None:
        """Emit text. White space before it waits: if a call comes instead, it belongs to neither."""
        text = self._space + text
        is_space = not self._is_in_text and not text.strip()
        self._space = text if is_space else ""
        if text and not is_space:
            self._is_in_text = True
            events.append(Content(text))

    # Of the class: a parser that held methods of its own would stay until the garbage collector comes.
    _STEPS = {
        _State.TEXT: _read_text,
        _State.HEAD: _read_head,
        _State.ARGUMENTS: _read_arguments,
        _State.OBJECT_END: _read_object_end,
        _State.MARKERS: _read_markers,
        _State.NEXT: _read_next,
    }


def _read_object(call: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return name and arguments of a call. Raises what a call of another shape leads to."""
    call = call.get("function", call) if isinstance(call.get("function"), dict) else call
    name = call["name"] if "name" in call else call["tool_name"]
    arguments = call.get("arguments", call.get("parameters", {}))
    arguments = json.loads(arguments) if isinstance(arguments, str) else arguments
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise TypeError("no call")
    return name, arguments
