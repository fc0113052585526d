"""From OpenAI's messages to the few shapes that chat templates understand."""

import json
from contextlib import suppress
from typing import Any

Message = dict[str, Any]

ROLES = {"developer": "system", "function": "tool"}


def normalize(messages: list[Message], system_prompt: str = "") -> list[Message]:
    """Return messages with the roles system, user, assistant and tool, and text as content.

    Adjacent messages of one role are merged, since many templates insist on alternation (LibreChat sends several
    user messages in a row after a summary). `system_prompt` is put in front if there is no system message.
    """
    result: list[Message] = []
    for message in map(_simplify, messages):
        if result and _can_merge(result[-1], message):
            _merge(result[-1], message)
        else:
            result.append(message)
    if system_prompt and not any(message["role"] == "system" for message in result):
        result.insert(0, {"role": "system", "content": system_prompt})
    _name_tool_results(result)
    return result


def fold_system(messages: list[Message]) -> list[Message]:
    """Move the system message to the front of the first user message, for templates that know no system role."""
    if not messages or messages[0]["role"] != "system":
        return messages
    system, *rest = messages
    for index, message in enumerate(rest):
        if message["role"] == "user":
            rest[index] = {**message, "content": _join(system["content"], message["content"])}
            return rest
    return [{**system, "role": "user"}, *rest]


def _simplify(message: Message) -> Message:
    role = message["role"]
    simple: Message = {"role": ROLES.get(role, role), "content": _text(message.get("content"))}
    for key in ("name", "tool_call_id", "reasoning_content"):
        if message.get(key):
            simple[key] = message[key]
    if message.get("tool_calls"):
        simple["tool_calls"] = [_simplify_call(call) for call in message["tool_calls"]]
    return simple


def _simplify_call(call: dict[str, Any]) -> dict[str, Any]:
    """Parse the arguments: templates write them with their own JSON style, as the model was trained on."""
    function = call["function"]
    arguments = function.get("arguments") or "{}"
    with suppress(ValueError):  # a call that was cut off stays text
        arguments = json.loads(arguments)
    return {
        "id": call.get("id"),
        "type": "function",
        "function": {"name": function["name"], "arguments": arguments},
    }


def _text(content: str | list[dict[str, Any]] | None) -> str:
    if isinstance(content, list):
        return "\n".join(part["text"] for part in content)
    return content or ""


def _can_merge(first: Message, second: Message) -> bool:
    return first["role"] == second["role"] != "tool"


def _merge(target: Message, message: Message) -> None:
    target["content"] = _join(target["content"], message["content"])
    if "tool_calls" in message:
        target["tool_calls"] = target.get("tool_calls", []) + message["tool_calls"]


def _join(first: str, second: str) -> str:
    return "\n\n".join(filter(None, (first, second)))


def _name_tool_results(messages: list[Message]) -> None:
    """Give each tool result the name of the function it answers, which some templates print."""
    names: dict[str, str] = {}
    for message in messages:
        for call in message.get("tool_calls", ()):
            names[call["id"]] = call["function"]["name"]
        if message["role"] == "tool" and "name" not in message:
            message["name"] = names.get(message.get("tool_call_id"), "")
