"""The ways in which templates want assistant messages that call tools."""

import json
from dataclasses import dataclass
from typing import Any

from inference.chat.messages import Message
from inference.chat.rewriting import on_calls, with_arguments


@dataclass(frozen=True)
class CallStyle:
    """What a template does not take as OpenAI's clients send it. All False: content, several calls, objects."""

    speaks_before: bool = False
    one_by_one: bool = False
    text_arguments: bool = False
    null_content: bool = False

    def apply(self, messages: list[Message]) -> list[Message]:
        """Return the messages in this style."""
        if self.speaks_before:
            messages = speak_before_calls(messages)
        if self.one_by_one:
            messages = call_one_by_one(messages)
        if self.text_arguments:
            messages = text_arguments(messages)
        return null_content(messages) if self.null_content else messages


def call_one_by_one(messages: list[Message]) -> list[Message]:
    """Make each call a message of its own, followed by its result."""
    result: list[Message] = []
    for message in messages:
        if message["role"] == "tool":
            result.insert(_place_of(message, result), message)
        else:
            result += _single_calls(message) or [message]
    return result


def speak_before_calls(messages: list[Message]) -> list[Message]:
    """Make what the assistant says before it calls a message of its own."""
    result: list[Message] = []
    for message in messages:
        if "tool_calls" in message and message["content"]:
            result.append({key: value for key, value in message.items() if key != "tool_calls"})
            result.append({"role": "assistant", "content": "", "tool_calls": message["tool_calls"]})
        else:
            result.append(message)
    return result


def text_arguments(messages: list[Message]) -> list[Message]:
    """Give arguments as JSON text."""

    def write(call: dict[str, Any]) -> dict[str, Any]:
        arguments = call["function"]["arguments"]
        is_text = isinstance(arguments, str)
        return with_arguments(call, arguments if is_text else json.dumps(arguments, ensure_ascii=False))

    return on_calls(messages, write)


def null_content(messages: list[Message]) -> list[Message]:
    """Give None as the content of messages that only call tools."""
    return [
        {**message, "content": None} if "tool_calls" in message and not message["content"] else message
        for message in messages
    ]


def _place_of(result: Message, messages: list[Message]) -> int:
    """Return the index behind the call that a result answers and the results that stand there; else the end."""
    call_id = result.get("tool_call_id")
    for index in reversed(range(len(messages))):
        if any(call["id"] == call_id for call in messages[index].get("tool_calls", ())):
            following = (n for n in range(index + 1, len(messages)) if messages[n]["role"] != "tool")
            return next(following, len(messages))
    return len(messages)


def _single_calls(message: Message) -> list[Message]:
    """Return a message for each of the calls; the first says what the whole one says."""
    calls = message.get("tool_calls", [])
    first = [{**message, "tool_calls": calls[:1]}] if calls else []
    return first + [{"role": "assistant", "content": "", "tool_calls": [call]} for call in calls[1:]]
