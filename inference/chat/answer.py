"""How generated text becomes the parts of an answer: thinking, content and tool calls."""

from collections.abc import Mapping
from typing import Any, Protocol

from inference.chat.events import Event, Reasoning
from inference.chat.formats import HARMONY, HERMES, ToolFormat
from inference.chat.harmony import HarmonyReader
from inference.chat.parser import OutputParser
from inference.chat.reasoning import ReasoningSplitter


class AnswerReader(Protocol):
    """`feed` takes text as it is generated and returns the events that are certain; `finish` returns the rest."""

    num_calls: int

    @property
    def is_reasoning(self) -> bool: ...

    def feed(self, text: str) -> list[Event]: ...

    def finish(self) -> list[Event]: ...


def new_reader(prompt: str, tools: Mapping[str, dict[str, Any]], tool_format: ToolFormat | None) -> AnswerReader:
    """Return the reader of one answer. `tools`: the offered functions with the schemas of their arguments."""
    if tool_format is HARMONY:
        return HarmonyReader(tools, prompt)
    return PlainReader(ReasoningSplitter(prompt), OutputParser(tools, tool_format or HERMES))


class PlainReader:
    """Thinking between tags, then content and calls."""

    def __init__(self, splitter: ReasoningSplitter, parser: OutputParser) -> None:
        self._splitter = splitter
        self._parser = parser

    @property
    def num_calls(self) -> int:
        return self._parser.num_calls

    @property
    def is_reasoning(self) -> bool:
        return self._splitter.is_reasoning

    def feed(self, text: str) -> list[Event]:
        return self._parse(*self._splitter.feed(text))

    def finish(self) -> list[Event]:
        return self._parse(*self._splitter.finish()) + self._parser.finish()

    def _parse(self, reasoning: str, content: str) -> list[Event]:
        thoughts: list[Event] = [Reasoning(reasoning)] if reasoning else []
        return thoughts + self._parser.feed(content)
