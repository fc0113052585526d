"""The answers of gpt-oss: messages with a header that names a channel and sometimes a recipient.

    <|channel|>analysis<|message|>…<|end|><|start|>assistant<|channel|>final<|message|>…<|return|>

Format: https://cookbook.openai.com/articles/openai-harmony. What opens the first message, `<|start|>assistant`, stands
in the prompt already, and the token that ends the answer is not part of the text.
"""

import re
from collections.abc import Mapping
from typing import Any

from inference.chat.events import Content, Event, Reasoning, ToolCallArguments, ToolCallBegin, new_call_id
from inference.engine.detokenizer import overlap

MESSAGE = "<|message|>"
ENDS = ("<|end|>", "<|start|>", "<|channel|>", "<|call|>", "<|return|>")
MARKER = re.compile(r"^\s*<\|(?:start|channel)\|>")
TERMINATOR = re.compile(r"^<\|(?:end|call|return)\|>")
CHANNEL = re.compile(r"<\|channel\|>\s*(\w+)")
RECIPIENT = re.compile(r"to=(?:functions\.)?([\w.:-]+)")
HEADER_BEGINS = ("<|start|>", "<|channel|>", "to=", "assistant")
LONGEST_HEADER = 200  # characters; longer ones are no headers


class HarmonyReader:
    """`feed` takes text as it is generated and returns the events that are certain; `finish` returns the rest.

    A call to a function that is not among `tools` comes through as content, as does text without any header.
    """

    def __init__(self, tools: Mapping[str, dict[str, Any]] | None = None, prompt: str = "") -> None:
        self.num_calls = 0
        self._tools = tools or {}
        self._buffer = prompt[prompt.rfind("<|start|>assistant") :] if _is_continued(prompt) else ""
        self._channel: str | None = None  # of the message whose text comes; None in a header
        self._call: int | None = None

    @property
    def is_reasoning(self) -> bool:
        return self._channel == "analysis"

    def feed(self, text: str) -> list[Event]:
        self._buffer += text
        events: list[Event] = []
        while self._read_header(events) if self._channel is None else self._read_body(events):
            pass
        return events

    def finish(self) -> list[Event]:
        held, self._buffer = self._buffer, ""
        if self._channel is None and held.lstrip().startswith(HEADER_BEGINS):
            return []  # a header that was cut off
        return self._events(held)

    def _read_header(self, events: list[Event]) -> bool:
        header, message, rest = self._buffer.partition(MESSAGE)
        if not _is_header(header.lstrip(), is_whole=bool(message)):
            # Beginning with a marker it is an endless header, in whose place the text takes what follows.
            self._channel, self._buffer = "final", MARKER.sub("", self._buffer)
            return True
        if message:
            self._open(events, header)
            self._buffer = rest
        return bool(message)

    def _open(self, events: list[Event], header: str) -> None:
        channel, recipient = CHANNEL.search(header), RECIPIENT.search(header)
        self._channel = channel[1] if channel else "final"
        self._call = None
        if recipient and recipient[1] in self._tools:
            self._channel, self._call = "call", self.num_calls
            self.num_calls += 1
            events.append(ToolCallBegin(self._call, new_call_id(), recipient[1]))

    def _read_body(self, events: list[Event]) -> bool:
        found = [index for index in map(self._buffer.find, ENDS) if index >= 0]
        if found:
            events += self._events(self._buffer[: min(found)])
            self._buffer, self._channel = TERMINATOR.sub("", self._buffer[min(found) :]), None
            return True
        safe = len(self._buffer) - max(overlap(self._buffer, end) for end in ENDS)
        events += self._events(self._buffer[:safe])
        self._buffer = self._buffer[safe:]
        return False

    def _events(self, text: str) -> list[Event]:
        if not text:
            return []
        if self._channel == "call":
            return [ToolCallArguments(self._call, text)]
        return [Reasoning(text) if self.is_reasoning else Content(text)]


def _is_header(start: str, *, is_whole: bool) -> bool:
    """Say whether this is a header, or may become one; a model may answer without."""
    if len(start) > LONGEST_HEADER:
        return False
    if start.startswith(HEADER_BEGINS) or not start:
        return True
    return not is_whole and any(begin.startswith(start) for begin in (*HEADER_BEGINS, MESSAGE))


def _is_continued(prompt: str) -> bool:
    """Whether the prompt ends in the middle of the answer's first message, rather than before its header."""
    return not prompt.rstrip().endswith("<|start|>assistant") and "<|start|>assistant" in prompt[-LONGEST_HEADER:]
