"""From generated text to what an assistant message is made of: content and tool calls.

Tool calls are recognised in the Hermes format: `<tool_call>{"name": …, "arguments": {…}}</tool_call>`. What looks
like a call but is none comes through as content.
"""

import json
import re
import secrets
from dataclasses import dataclass
from enum import Enum, auto

from inference.chat.json_scanner import JSONValueScanner
from inference.engine.detokenizer import overlap

CALL_BEGIN = "<tool_call>"
CALL_END = "</tool_call>"
CALL_HEAD = re.compile(r'\s*\{\s*"name"\s*:\s*"((?:[^"\\]|\\.)*)"\s*,\s*"(?:arguments|parameters)"\s*:\s*(?=\{)')
CALL_TAIL = re.compile(f"{CALL_END}|{CALL_BEGIN}")


@dataclass(frozen=True)
class Content:
    """Text of the answer."""

    text: str


@dataclass(frozen=True)
class Reasoning:
    """Text that the model thinks before it answers."""

    text: str


@dataclass(frozen=True)
class ToolCallBegin:
    """A call begins; calls of one message are numbered from 0. The id is unique for ever."""

    index: int
    id: str
    name: str


@dataclass(frozen=True)
class ToolCallArguments:
    """The next part of a call's arguments, which together are a JSON text."""

    index: int
    fragment: str


Event = Reasoning | Content | ToolCallBegin | ToolCallArguments


class _State(Enum):
    TEXT = auto()
    CALL_HEAD = auto()
    ARGUMENTS = auto()
    CALL_TAIL = auto()


class OutputParser:
    """`feed` takes text as it is generated and returns the events that are certain; `finish` returns the rest.

    `tool_names` are the functions the request offers; without any, everything is content.
    """

    def __init__(self, tool_names: frozenset[str] = frozenset()) -> None:
        self.num_calls = 0
        self._tool_names = tool_names
        self._state = _State.TEXT
        self._buffer = ""
        self._scanner = JSONValueScanner()

    def feed(self, text: str) -> list[Event]:
        if not self._tool_names:
            return [Content(text)] if text else []
        self._buffer += text
        events: list[Event] = []
        while self._step(events):
            pass
        return events

    def finish(self) -> list[Event]:
        """Return what is held back: the answer ended in the middle of what might have become a call."""
        events: list[Event] = []
        if self._state is _State.TEXT:
            self._add_content(events, self._buffer)
        elif self._state is _State.CALL_HEAD:
            self._add_whole_call(events, self._buffer, ending="")
        self._buffer = ""
        return events

    def _step(self, events: list[Event]) -> bool:
        """Take one decision about the buffer; False when more text is needed."""
        steps = {
            _State.TEXT: self._read_text,
            _State.CALL_HEAD: self._read_call_head,
            _State.ARGUMENTS: self._read_arguments,
            _State.CALL_TAIL: self._read_call_tail,
        }
        return steps[self._state](events)

    def _read_text(self, events: list[Event]) -> bool:
        before, tag, after = self._buffer.partition(CALL_BEGIN)
        if tag:
            self._add_content(events, before)
            self._buffer, self._state = after, _State.CALL_HEAD
            return True
        safe = len(self._buffer) - overlap(self._buffer, CALL_BEGIN)
        if self.num_calls and not self._buffer[:safe].strip():
            return False  # white space between two calls
        self._add_content(events, self._buffer[:safe])
        self._buffer = self._buffer[safe:]
        return False

    def _read_call_head(self, events: list[Event]) -> bool:
        head = CALL_HEAD.match(self._buffer)
        if head and head[1] in self._tool_names:
            self._begin_call(events, head[1])
            self._buffer = self._buffer[head.end() :]
            self._scanner, self._state = JSONValueScanner(), _State.ARGUMENTS
            return True
        body, tag, after = self._buffer.partition(CALL_END)
        if not tag:
            return False
        self._add_whole_call(events, body, CALL_END)
        self._buffer, self._state = after, _State.TEXT
        return True

    def _read_arguments(self, events: list[Event]) -> bool:
        length = self._scanner.feed(self._buffer)
        if length:
            events.append(ToolCallArguments(self.num_calls - 1, self._buffer[:length]))
            self._buffer = self._buffer[length:]
        if self._scanner.is_complete:
            self._state = _State.CALL_TAIL
        return self._scanner.is_complete

    def _read_call_tail(self, events: list[Event]) -> bool:
        """Skip the closing brace and tag; a model that forgets the tag may begin the next call at once."""
        tag = CALL_TAIL.search(self._buffer)
        if tag is None:
            return False
        self._state = _State.TEXT if tag[0] == CALL_END else _State.CALL_HEAD
        self._buffer = self._buffer[tag.end() :]
        return True

    def _begin_call(self, events: list[Event], name: str) -> None:
        events.append(ToolCallBegin(self.num_calls, f"call_{secrets.token_hex(12)}", name))
        self.num_calls += 1

    def _add_whole_call(self, events: list[Event], body: str, ending: str) -> None:
        """Read a call whose keys stand in another order; what is no call is content, tags and all."""
        try:
            call = json.loads(body)
            name, arguments = call["name"], call.get("arguments", call.get("parameters", {}))
        except (ValueError, KeyError, TypeError, AttributeError):
            name, arguments = None, None
        if not isinstance(name, str) or name not in self._tool_names or not isinstance(arguments, dict):
            self._add_content(events, CALL_BEGIN + body + ending)
            return
        self._begin_call(events, name)
        events.append(ToolCallArguments(self.num_calls - 1, json.dumps(arguments, ensure_ascii=False)))

    def _add_content(self, events: list[Event], text: str) -> None:
        if text and not (self.num_calls and not text.strip()):
            events.append(Content(text))
