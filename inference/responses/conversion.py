"""From a request for a response to the parameters of a chat completion, and back for what is wrong with them."""

import re
from dataclasses import dataclass, field
from typing import Any

from rest_framework.exceptions import ValidationError

from inference.exceptions import APIError, InvalidRequest, from_validation
from inference.responses.items import Item, text_of
from inference.serializers.base import shared
from inference.serializers.chat import ChatCompletionRequestSerializer
from inference.serializers.responses import CHAT_FIELDS, LOGPROBS

SAME = ("model", "stream", "temperature", "top_p", "parallel_tool_calls")
# What the parameters of chat completions are called here, the longest names first.
NAMES = {
    "response_format.json_schema": "text.format",
    "response_format": "text.format",
    "max_completion_tokens": "max_output_tokens",
    "reasoning_effort": "reasoning.effort",
    "logprobs": "include",
}
TOOL = re.compile(r"^(tools\[\d+\])\.function\b")
TOOL_CHOICE = re.compile(r"^tool_choice\.function\b")
MESSAGE = re.compile(r"^messages(?:\[(\d+)\])?.*$")


@dataclass
class Conversation:
    """Chat messages, and for each of them the parameter that it comes from."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    origins: list[str] = field(default_factory=list)
    call_ids: set[str] = field(default_factory=set)

    def add(self, message: dict[str, Any], origin: str) -> None:
        self.messages.append(message)
        self.origins.append(origin)

    def add_item(self, item: Item, origin: str) -> None:
        """Append an item. What the assistant says in one go, thoughts and calls included, is one message."""
        kind = item["type"]
        if kind == "message" and item["role"] != "assistant":
            self.add({"role": item["role"], "content": text_of(item["content"])}, origin)
        elif kind == "function_call_output":
            self._add_output(item, origin)
        else:
            self._add_to_turn(item, origin)

    def _add_output(self, item: Item, origin: str) -> None:
        if item["call_id"] not in self.call_ids:
            param = f"{origin}.call_id"
            raise InvalidRequest(
                f"Invalid `{param}`: no tool call found for function call output with call_id `{item['call_id']}`.",
                param=param,
            )
        self.add({"role": "tool", "tool_call_id": item["call_id"], "content": text_of(item["output"])}, origin)

    def _add_to_turn(self, item: Item, origin: str) -> None:
        if not self.messages or self.messages[-1]["role"] != "assistant":
            self.add({"role": "assistant", "content": ""}, origin)
        turn = self.messages[-1]
        if item["type"] == "message":
            turn["content"] = "\n\n".join(filter(None, (turn["content"], text_of(item["content"]))))
        elif item["type"] == "reasoning":
            turn["reasoning_content"] = turn.get("reasoning_content", "") + _thoughts(item)
        else:
            function = {"name": item["name"], "arguments": item["arguments"]}
            call = {"id": item["call_id"], "type": "function", "function": function}
            turn["tool_calls"] = [*turn.get("tool_calls", ()), call]
            self.call_ids.add(item["call_id"])


def conversation(instructions: str | None, history: list[Item], items: list[Item]) -> Conversation:
    """Return all that the model reads. Raises InvalidRequest for the output of a call that nobody made."""
    result = Conversation()
    if instructions:
        result.add({"role": "system", "content": instructions}, "instructions")
    for item in history:
        result.add_item(item, "previous_response_id")
    for index, item in enumerate(items):
        result.add_item(item, f"input[{index}]")
    return result


def chat_parameters(body: dict[str, Any], talk: Conversation) -> dict[str, Any]:
    """Return a validated request's parameters as chat completions have them.

    They pass that endpoint's validation, too. Raises InvalidRequest, which names the parameter of the Responses API.
    """
    try:
        parameters = shared(ChatCompletionRequestSerializer).run_validation(_chat_body(body, talk.messages))
    except ValidationError as error:
        raise renamed(from_validation(error), talk.origins) from None
    extras = {name: body[name] for name in CHAT_FIELDS if body.get(name) is not None}
    return {**parameters, **extras}


def renamed(error: APIError, origins: list[str]) -> APIError:
    """Give an error about a parameter of chat completions the parameter's name here, in its message as well."""
    if error.param:
        name = _name_of(error.param, origins)
        error.message = error.message.replace(f"`{error.param}`", f"`{name}`")
        error.param = name
    return error


def _name_of(param: str, origins: list[str]) -> str:
    if match := MESSAGE.match(param):
        return origins[int(match[1])] if match[1] else "input"
    for name, here in NAMES.items():
        if param == name or param.startswith(f"{name}."):
            return here + param.removeprefix(name)
    return TOOL_CHOICE.sub("tool_choice", TOOL.sub(r"\1", param))


def _chat_body(body: dict[str, Any], messages: list[dict[str, Any]]) -> dict[str, Any]:
    wants_logprobs = LOGPROBS in (body.get("include") or ())
    chat = {
        **{name: body.get(name) for name in SAME},
        "messages": messages,
        "max_completion_tokens": body.get("max_output_tokens"),
        "tools": [_chat_tool(tool) for tool in body.get("tools") or ()],
        "tool_choice": _chat_tool_choice(body.get("tool_choice")),
        "response_format": _chat_format((body.get("text") or {}).get("format")),
        "reasoning_effort": (body.get("reasoning") or {}).get("effort"),
        "logprobs": wants_logprobs or None,
        "top_logprobs": body.get("top_logprobs") if wants_logprobs else None,
    }
    return {name: value for name, value in chat.items() if value is not None}


def _chat_tool(tool: dict[str, Any]) -> dict[str, Any]:
    function = {name: value for name, value in tool.items() if name != "type" and value is not None}
    return {"type": "function", "function": function}


def _chat_tool_choice(choice: str | dict[str, str] | None) -> Any:
    if isinstance(choice, dict):
        return {"type": "function", "function": {"name": choice["name"]}}
    return choice


def _chat_format(wanted: dict[str, Any] | None) -> dict[str, Any] | None:
    if not wanted or wanted["type"] != "json_schema":
        return wanted
    schema = {name: value for name, value in wanted.items() if name != "type" and value is not None}
    return {"type": "json_schema", "json_schema": schema}


def _thoughts(item: Item) -> str:
    return "".join(part["text"] for part in item.get("content") or item.get("summary") or ())
