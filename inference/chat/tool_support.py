"""What a chat template knows of tools, found by rendering a conversation with it rather than by the model's name."""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from inference.chat.events import ToolCallArguments
from inference.chat.formats import FORMATS, ToolFormat
from inference.chat.parser import OutputParser
from inference.chat.template import CHATML, TemplateRefused, render_prompt
from inference.chat.traits import template_traits

FUNCTION = "probe_of_function"
ARGUMENTS = {"probe_key": "probe text", "probe_number": 41}
TOOL = {
    "type": "function",
    "function": {
        "name": FUNCTION,
        "description": "A probe.",
        "parameters": {
            "type": "object",
            "properties": {
                "probe_key": {"type": "string", "description": "A text."},
                "probe_number": {"type": "integer", "description": "A number."},
            },
            "required": ["probe_key"],
        },
    },
}
CALL_ID = "call00000"  # as formats write it, in the shape that Mistral's templates insist on
QUESTION = {"role": "user", "content": "A probing question."}
CALL = {
    "role": "assistant",
    "content": "",
    "tool_calls": [{"id": CALL_ID, "type": "function", "function": {"name": FUNCTION, "arguments": ARGUMENTS}}],
}
RESULT = {"role": "tool", "content": "A probing result.", "tool_call_id": CALL_ID, "name": FUNCTION}


@dataclass(frozen=True)
class ToolSupport:
    """lists_tools: the template tells the model which tools there are. format: how it writes calls, if we know it."""

    lists_tools: bool
    format: ToolFormat | None

    @property
    def is_native(self) -> bool:
        """Whether the template can be left to it; otherwise tools are described in the system message."""
        return self.lists_tools and self.format is not None


@lru_cache(maxsize=256)
def tool_support(template: str) -> ToolSupport:
    """Probe a template."""
    template = template or CHATML
    traits = template_traits(template)
    listing = _render(template, [QUESTION], [TOOL])
    conversation = _render(template, [QUESTION, CALL, RESULT], [TOOL]) if traits.renders_calls else ""
    tool_format = _written(conversation) or _read(conversation) or _named(listing) or _named(template)
    return ToolSupport(traits.renders_tools, tool_format)


def _written(text: str) -> ToolFormat | None:
    """Return the format in which a rendered conversation has the probing call."""
    for tool_format in FORMATS:
        if any(text_of_call.strip() in text for text_of_call in tool_format.write_variants(FUNCTION, ARGUMENTS)):
            return tool_format
    return None


def _read(text: str) -> ToolFormat | None:
    """Return the format whose parser finds the probing call, where the template's white space is not as ours."""
    for tool_format in FORMATS:
        parser = OutputParser({FUNCTION: TOOL["function"]["parameters"]}, tool_format)
        events = parser.feed(text) + parser.finish()
        written = "".join(event.fragment for event in events if isinstance(event, ToolCallArguments))
        if parser.num_calls == 1 and _is_json(written, ARGUMENTS):
            return tool_format
    return None


def _is_json(text: str, value: Any) -> bool:
    try:
        return json.loads(text) == value
    except ValueError:
        return False


def _named(text: str) -> ToolFormat | None:
    """Return the format whose marker a text speaks of, where the template leaves past calls out."""
    return next((each for each in FORMATS if _marker(each) and _marker(each) in text), None)


@lru_cache(maxsize=len(FORMATS))
def _marker(tool_format: ToolFormat) -> str:
    """Return what a format alone begins with; empty where others have it, too."""
    marker = tool_format.triggers[0] if tool_format.is_section else tool_format.call.partition("$name")[0].rstrip('"')
    others = [each for each in FORMATS if each is not tool_format]
    is_shared = any(marker in text for each in others for text in (each.opening, *each.calls))
    return "" if is_shared or tool_format.only_first else marker


def _render(template: str, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
    try:
        return render_prompt(template, messages, tools)
    except TemplateRefused:
        return ""
