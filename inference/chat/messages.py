"""From OpenAI's messages to the few shapes that chat templates understand."""

import json
from contextlib import suppress
from itertools import groupby
from typing import Any

Message = dict[str, Any]

ROLES = {"developer": "system", "function": "tool"}


def normalize(messages: list[Message], system_prompt: str = "") -> list[Message]:
    """Return messages with the roles system, user, assistant and tool, and text as content.

    Adjacent messages of one role are merged, since many templates insist on alternation (LibreChat sends several
    user messages in a row after a summary). Tool results stand in the order of their calls. `system_prompt` is put in
    front if there is no system message.
    """
    result = merge_neighbours([_simplify(message) for message in messages])
    if system_prompt and not any(message["role"] == "system" for message in result):
        result.insert(0, {"role": "system", "content": system_prompt})
    return _link_results(result)


def merge_neighbours(messages: list[Message]) -> list[Message]:
    """Return one message for each run of messages of one role. Tool results stay apart."""
    result: list[Message] = []
    for message in messages:
        if result and result[-1]["role"] == message["role"] != "tool":
            result[-1] = _merge(result[-1], message)
        else:
            result.append(message)
    return result


def join(*texts: str, separator: str = "\n\n") -> str:
    """Return the texts that are not empty, one after the other."""
    return separator.join(filter(None, texts))


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


def _merge(first: Message, second: Message) -> Message:
    merged = {**first, "content": join(first["content"], second["content"])}
    if "reasoning_content" in second:
        merged["reasoning_content"] = join(first.get("reasoning_content", ""), second["reasoning_content"])
    if "tool_calls" in second:
        merged["tool_calls"] = first.get("tool_calls", []) + second["tool_calls"]
    return merged


def _link_results(messages: list[Message]) -> list[Message]:
    """Tie tool results to their calls, by name, id and order: templates print or count on any of them."""
    linked: list[Message] = []
    calls: dict[str, str] = {}  # name by id, in the order of the calls
    open_calls: dict[str, str] = {}
    for is_results, group in groupby(messages, key=lambda message: message["role"] == "tool"):
        run = list(group)
        if is_results:
            run = [_link(result, calls, open_calls) for result in run]
            order = {call_id: number for number, call_id in enumerate(calls)}
            run.sort(key=lambda result: order.get(result.get("tool_call_id"), len(order)))
        else:
            open_calls = _names(run)
            # An id that comes again (some clients number the calls of each turn) counts from its last place.
            calls = {**{key: name for key, name in calls.items() if key not in open_calls}, **open_calls}
        linked += run
    return linked


def _names(messages: list[Message]) -> dict[str, str]:
    return {call["id"]: call["function"]["name"] for message in messages for call in message.get("tool_calls", ())}


def _link(result: Message, calls: dict[str, str], open_calls: dict[str, str]) -> Message:
    """Return a result with its function's name and its call's id. `open_calls` loses the call."""
    call_id, name = result.get("tool_call_id"), result.get("name")
    if call_id is None:  # of the role `function`, which has a name only
        call_id = next((key for key, known in open_calls.items() if known == name), None)
    open_calls.pop(call_id, None)
    identity = {"tool_call_id": call_id} if call_id else {}
    return {**result, **identity, "name": name or calls.get(call_id, "")}
