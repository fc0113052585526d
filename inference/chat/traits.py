"""What a chat template can do, found out by rendering small conversations and looking for what was put in.

Never by the names of models or the text of templates: there are too many of both.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from inference.chat.call_style import CallStyle
from inference.chat.context import template_context
from inference.chat.messages import Message
from inference.chat.rewriting import (
    WriteCall,
    begin_with_user,
    fold_system,
    gather_system,
    rename_reasoning,
    write_calls,
    write_results,
)
from inference.chat.sandbox import MAX_SECONDS, Limits, TemplateRefused, render

# What no template writes by itself.
FUNCTION, ARGUMENT = "zqfunction", "zqargument"
SYSTEM, LATER_SYSTEM, PREFACE, REASONING = "zqsystem", "zqlater", "zqpreface", "zqreasoning"
VALUES, RESULTS = ("zqrome", "zqparis"), ("zqsunny", "zqrainy")

# The names under which templates expect what an assistant message's author thought; `content` means a part of it.
REASONING_FIELDS = ("reasoning_content", "reasoning", "thinking", "thought", "content")

# A template that knows no parts of a content writes them as Python or JSON does.
IS_RAW_PART = re.compile(r"""['"]thinking['"]""")

# Fewest changes first.
CALL_STYLES = tuple(CallStyle(*flags) for flags in sorted(product((False, True), repeat=4), key=sum))

TOOL = {
    "type": "function",
    "function": {
        "name": FUNCTION,
        "description": "Weather.",
        "parameters": {
            "type": "object",
            "properties": {ARGUMENT: {"type": "string", "description": "City."}},
            "required": [ARGUMENT],
        },
    },
}
# Nine letters and digits, for Mistral.
CALLS = [
    {"id": f"zqcall00{n}", "type": "function", "function": {"name": FUNCTION, "arguments": {ARGUMENT: value}}}
    for n, value in enumerate(VALUES)
]
SYSTEM_MESSAGE: Message = {"role": "system", "content": SYSTEM}
USER: Message = {"role": "user", "content": "Hello."}
ANSWER: Message = {"role": "assistant", "content": "Hello!"}
CALLING: Message = {"role": "assistant", "content": PREFACE, "tool_calls": CALLS}
TOOL_RESULTS: list[Message] = [
    {"role": "tool", "content": result, "tool_call_id": call["id"], "name": FUNCTION}
    for call, result in zip(CALLS, RESULTS, strict=True)
]


@dataclass(frozen=True)
class TemplateTraits:
    """What of a conversation appears in the prompt. A template that refuses something does not render it."""

    renders_tools: bool
    renders_calls: bool
    renders_results: bool
    renders_system: bool
    renders_system_in_tool_use: bool
    renders_later_system: bool
    renders_opening_calls: bool
    call_style: CallStyle
    reasoning_field: str | None

    def adapt(self, messages: list[Message], write_call: WriteCall) -> list[Message]:
        """Return the messages in such a way that nothing of them is dropped in silence, as far as that is possible."""
        if not self.renders_calls:
            messages = write_calls(messages, write_call)
        if not self.renders_results:
            messages = write_results(messages)
        if not self.renders_later_system:
            messages = gather_system(messages)
        is_users_turn = [message["role"] for message in messages[-1:]] == ["user"]
        if not (self.renders_system if is_users_turn else self.renders_system_in_tool_use):
            messages = fold_system(messages)
        if not self.renders_opening_calls and any("tool_calls" in message for message in messages):
            messages = begin_with_user(messages)
        messages = self.call_style.apply(messages)
        return rename_reasoning(messages, self.reasoning_field) if self.reasoning_field else messages


def template_traits(source: str, max_seconds: float = MAX_SECONDS) -> TemplateTraits:
    """Return what the template can do. Raises nothing: a template that never ends can do nothing."""
    return _find_traits(source, max_seconds)


@lru_cache(maxsize=64)
def _find_traits(source: str, max_seconds: float) -> TemplateTraits:
    probe = _Probe(source, Limits(max_seconds))
    style = max(CALL_STYLES, key=probe.count_seen)  # the first of equals
    tool_use = style.apply([USER, CALLING, *TOOL_RESULTS])
    text = probe.render(tool_use)
    return TemplateTraits(
        renders_tools=probe.shows_tools(),
        renders_calls=_shows_calls(text),
        renders_results=all(result in text for result in RESULTS),
        renders_system=SYSTEM in probe.render([SYSTEM_MESSAGE, USER]),
        renders_system_in_tool_use=SYSTEM in probe.render([SYSTEM_MESSAGE, *tool_use]),
        renders_later_system=probe.shows_later_system(),
        renders_opening_calls=probe.shows_opening_calls(style),
        call_style=style,
        reasoning_field=next((field for field in REASONING_FIELDS if probe.shows_reasoning(field, style)), None),
    )


class _Probe:
    """Renders conversations with one template, within a time for all of them together."""

    def __init__(self, source: str, limits: Limits) -> None:
        self._source = source
        self._limits = limits

    def render(self, messages: list[Message]) -> str:
        """Return the prompt, or nothing where the template refuses."""
        try:
            return render(self._source, template_context(self._source, messages, [TOOL]), self._limits)
        except TemplateRefused:
            return ""

    def count_seen(self, style: CallStyle) -> int:
        """Return how much of a call and its results a template shows, in the middle of tool use and after it."""
        during = self.render(style.apply([USER, CALLING, *TOOL_RESULTS]))
        after = self.render(style.apply([USER, CALLING, *TOOL_RESULTS, ANSWER, USER]))
        return (PREFACE in during) + sum(
            _shows_calls(text) * len(RESULTS) + sum(result in text for result in RESULTS) for text in (during, after)
        )

    def shows_tools(self) -> bool:
        texts = (self.render([USER]), self.render([SYSTEM_MESSAGE, USER]))
        return any(FUNCTION in text and ARGUMENT in text for text in texts)

    def shows_opening_calls(self, style: CallStyle) -> bool:
        """Say whether calls appear that no user message comes before."""
        return _shows_calls(self.render(style.apply([{**CALLING, "content": ""}, *TOOL_RESULTS, USER])))

    def shows_later_system(self) -> bool:
        later = {"role": "system", "content": LATER_SYSTEM}
        text = self.render([SYSTEM_MESSAGE, USER, ANSWER, later, USER])
        return SYSTEM in text and LATER_SYSTEM in text

    def shows_reasoning(self, field: str, style: CallStyle) -> bool:
        """Say whether reasoning appears while tools are used, or in an answer that came before."""
        thought: dict[str, Any] = {"reasoning_content": REASONING}
        conversations = (
            style.apply([USER, {**CALLING, **thought, "content": ""}, *TOOL_RESULTS]),
            [USER, {**ANSWER, **thought}, USER],
        )
        texts = [self.render(rename_reasoning(messages, field)) for messages in conversations]
        return any(REASONING in text and not IS_RAW_PART.search(text) for text in texts)


def _shows_calls(text: str) -> bool:
    """Say whether all calls are there, and not as Python writes a dictionary."""
    is_repr = f"'{ARGUMENT}': '{VALUES[0]}'" in text
    return FUNCTION in text and all(value in text for value in VALUES) and not is_repr
