"""Functions as OpenAI had them before tools: `functions`, `function_call`, and the role `function`.

They are answered in their own form: at most one call, in `function_call` of the message.
"""

from typing import Any


def is_legacy(parameters: dict[str, Any]) -> bool:
    return bool(parameters.get("functions"))


def modernize(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the same request with tools. Others come back with their messages' older calls made tool calls."""
    messages = [_modern_message(message, number) for number, message in enumerate(parameters["messages"])]
    if not is_legacy(parameters):
        return {**parameters, "messages": messages}
    choice = parameters.get("function_call") or "auto"
    return {
        **parameters,
        "messages": messages,
        "tools": [{"type": "function", "function": function} for function in parameters["functions"]],
        "tool_choice": {"type": "function", "function": choice} if isinstance(choice, dict) else choice,
        "parallel_tool_calls": False,
    }


def legacy_choice(choice: dict[str, Any]) -> dict[str, Any]:
    """Return a choice of a whole answer in the older form."""
    message = dict(choice["message"])
    calls = message.pop("tool_calls", None)
    if calls:
        message["function_call"] = calls[0]["function"]
    return {**choice, "message": message, "finish_reason": legacy_reason(choice["finish_reason"])}


def legacy_delta(delta: dict[str, Any]) -> dict[str, Any]:
    """Return the delta of a chunk in the older form."""
    calls = delta.get("tool_calls")
    return {"function_call": calls[0]["function"]} if calls else delta


def legacy_reason(finish_reason: str | None) -> str | None:
    return "function_call" if finish_reason == "tool_calls" else finish_reason


def _modern_message(message: dict[str, Any], number: int) -> dict[str, Any]:
    call = message.get("function_call")
    if not call or message.get("tool_calls"):
        return message
    rest = {key: value for key, value in message.items() if key != "function_call"}
    return {**rest, "tool_calls": [{"id": f"call{number:05}", "type": "function", "function": call}]}
