"""Other ways to say the same conversation, for templates that do not take it as it is.

Each function takes normalised messages and returns new ones; what it does not change is shared with the old ones.
"""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from inference.chat.messages import Message, join, merge_neighbours

# How a call is written as text: from the function's name and its arguments.
WriteCall = Callable[[str, dict[str, Any]], str]

# Mistral's templates refuse all other ids.
SHORT_ID = re.compile(r"[a-zA-Z0-9]{9}")


def hermes_call(name: str, arguments: dict[str, Any]) -> str:
    """Return a call in the format that most models have seen, whatever they were trained on."""
    call = json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)
    return f"<tool_call>\n{call}\n</tool_call>"


def as_text(messages: list[Message], write_call: WriteCall = hermes_call) -> list[Message]:
    """Return system, user and assistant messages only: tool calls become content, and results what the user says."""
    return write_results(write_calls(messages, write_call))


def write_calls(messages: list[Message], write_call: WriteCall = hermes_call) -> list[Message]:
    """Move tool calls to the end of the content of their messages."""

    def write(message: Message) -> Message:
        functions = [call["function"] for call in message["tool_calls"]]
        calls = [write_call(function["name"], _as_object(function["arguments"])) for function in functions]
        rest = {key: value for key, value in message.items() if key != "tool_calls"}
        return {**rest, "content": join(message["content"], *calls, separator="\n")}

    return [write(message) if "tool_calls" in message else message for message in messages]


def write_results(messages: list[Message]) -> list[Message]:
    """Turn tool results into user messages."""

    def write(message: Message) -> Message:
        return {"role": "user", "content": f"<tool_response>\n{message['content']}\n</tool_response>"}

    return merge_neighbours([write(message) if message["role"] == "tool" else message for message in messages])


def gather_system(messages: list[Message]) -> list[Message]:
    """Join all system messages to one at the beginning."""
    system = [message["content"] for message in messages if message["role"] == "system"]
    rest = merge_neighbours([message for message in messages if message["role"] != "system"])
    return [{"role": "system", "content": join(*system)}, *rest] if system else messages


def fold_system(messages: list[Message]) -> list[Message]:
    """Let the user say what the system message says, for templates that know no system role."""
    if not messages or messages[0]["role"] != "system":
        return messages
    return merge_neighbours([{"role": "user", "content": messages[0]["content"]}, *messages[1:]])


def begin_with_user(messages: list[Message]) -> list[Message]:
    """Put an empty user message before an assistant that speaks first."""
    start = 1 if messages and messages[0]["role"] == "system" else 0
    if [message["role"] for message in messages[start : start + 1]] in ([], ["user"]):
        return messages
    return [*messages[:start], {"role": "user", "content": ""}, *messages[start:]]


def think_in_content(messages: list[Message]) -> list[Message]:
    """Put the reasoning of messages that call tools in front of their content."""

    def move(message: Message) -> Message:
        rest = {key: value for key, value in message.items() if key != "reasoning_content"}
        return {**rest, "content": join(message["reasoning_content"], message["content"])}

    return [move(message) if {"tool_calls", "reasoning_content"} <= set(message) else message for message in messages]


def take_turns(messages: list[Message], write_call: WriteCall = hermes_call) -> list[Message]:
    """Leave only a user and an assistant, who speak in turns; the user begins."""
    return begin_with_user(as_text(fold_system(gather_system(messages)), write_call))


def object_arguments(messages: list[Message]) -> list[Message]:
    """Wrap arguments that are no JSON object: of a call that was cut off, as a rule."""
    return on_calls(messages, lambda call: with_arguments(call, _as_object(call["function"]["arguments"])))


def short_call_ids(messages: list[Message]) -> list[Message]:
    """Give calls and their results ids of nine letters and digits."""

    def shorten(result: Message) -> Message:
        return {**result, "tool_call_id": _short_id(result["tool_call_id"])} if "tool_call_id" in result else result

    shortened = [shorten(message) for message in messages]
    return on_calls(shortened, lambda call: {**call, "id": _short_id(call["id"])})


def rename_reasoning(messages: list[Message], field: str) -> list[Message]:
    """Give the reasoning under the name a template knows; `content` means as a part of the content."""

    def rename(message: Message) -> Message:
        rest = {key: value for key, value in message.items() if key != "reasoning_content"}
        reasoning = message["reasoning_content"]
        if field != "content":
            return {**rest, field: reasoning}
        text = [{"type": "text", "text": message["content"]}] if message["content"] else []
        return {**rest, "content": [{"type": "thinking", "thinking": reasoning}, *text]}

    return [rename(message) if "reasoning_content" in message else message for message in messages]


def on_calls(messages: list[Message], change: Callable[[dict[str, Any]], dict[str, Any]]) -> list[Message]:
    return [
        {**message, "tool_calls": [change(call) for call in message["tool_calls"]]}
        if "tool_calls" in message
        else message
        for message in messages
    ]


def with_arguments(call: dict[str, Any], arguments: dict[str, Any] | str) -> dict[str, Any]:
    return {**call, "function": {**call["function"], "arguments": arguments}}


def _as_object(arguments: Any) -> dict[str, Any]:
    return arguments if isinstance(arguments, dict) else {"arguments": arguments}


def _short_id(call_id: str | None) -> str:
    if call_id and SHORT_ID.fullmatch(call_id):
        return call_id
    return hashlib.sha256((call_id or "").encode()).hexdigest()[:9]
