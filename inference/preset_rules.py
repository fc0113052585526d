"""What a preset does to the body of a request, and which rules it may have.

Presets name parameters as chat completions do. A serializer knows what they are called in its own body
(`RequestSerializer.names_of`), so that a rule means the same at every endpoint. Where it has no name, nothing is ruled.
"""

from collections.abc import Iterable
from typing import Any

from inference.exceptions import InvalidRequest
from inference.serializers.base import RequestSerializer
from inference.specs import DEFAULTED, OPTIONAL
from registry.presets import Preset

FORCEABLE = (
    *DEFAULTED,
    *OPTIONAL,
    *("max_tokens", "stop", "response_format", "reasoning_budget", "chat_template_kwargs"),
    *("parallel_tool_calls", "keep_alive"),
)
STRIPPABLE = (*FORCEABLE, "reasoning_effort", "logprobs", "n")
# Variables with which requests tell templates to think or not.
THINKING = ("enable_thinking", "thinking", "reasoning_effort")


class RuledBody:
    """A copy of a request's body while rules are applied. `dropped`: what the request said in vain, with paths."""

    def __init__(self, body: dict[str, Any], serializer: RequestSerializer) -> None:
        self.body = dict(body)
        self.dropped: list[str] = []
        self._serializer = serializer

    def remove(self, parameter: str) -> None:
        """Take out all by which the request may have said this."""
        for name in self._serializer.names_of(parameter):
            self.take(name)

    def force(self, parameter: str, value: Any) -> None:
        """Say this whatever the request has said; what was the same is not dropped."""
        names = self._serializer.names_of(parameter)
        if not names:
            return
        value = self._serializer.value_of(parameter, value)
        for name in names:
            self.take(name, unless=value)
        self._put(names[0], value)

    def take(self, name: str, unless: Any = None) -> None:
        """Take out a field, or what is in one: a key of an object, a member of a list; null means absent."""
        parent, _, rest = name.partition(".")
        whole = self.body.get(parent)
        found = whole
        if rest and isinstance(whole, dict):
            found = whole.get(rest)
            self.body[parent] = {key: value for key, value in whole.items() if key != rest}
        elif rest and isinstance(whole, list):
            found = rest if rest in whole else None
            self.body[parent] = [member for member in whole if member != rest]
        elif rest:
            return
        else:
            self.body.pop(parent, None)
        if found is not None and found != unless:
            self.dropped.append(name)

    def _put(self, name: str, value: Any) -> None:
        """Set a field, or a key of one; what should be an object and is not, the serializer refuses."""
        parent, _, rest = name.partition(".")
        whole = self.body.get(parent) or {}
        if not rest:
            self.body[parent] = value
        elif isinstance(whole, dict):
            self.body[parent] = {**whole, rest: value}


def apply_rules(
    preset: Preset | None, serializer: RequestSerializer, body: dict[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Return the body to validate, and the names of what the request said in vain."""
    if preset is None:
        return body, []
    ruled = RuledBody(body, serializer)
    for parameter in preset.stripped:
        ruled.remove(parameter)
    if preset.reasoning:
        _force_reasoning(ruled, preset.reasoning)
    for parameter, value in preset.forced.items():
        ruled.force(parameter, value)
    return ruled.body, ruled.dropped


def check_tools(preset: Preset | None, parameters: dict[str, Any]) -> None:
    """Raise InvalidRequest if a validated request offers a tool that the preset does not allow."""
    if preset is None or preset.allowed_tools is None:
        return
    for path, name in _offered(parameters):
        if name not in preset.allowed_tools:
            allowed = f"only {_listed(preset.allowed_tools)}" if preset.allowed_tools else "no tools"
            message = f"Invalid `{path}`: the model `{preset.name}` allows {allowed}, got `{name}`."
            raise InvalidRequest(message, param=path, code="tool_not_allowed")


def _force_reasoning(ruled: RuledBody, effort: str) -> None:
    ruled.remove("reasoning_budget")
    for variable in THINKING:
        ruled.take(f"chat_template_kwargs.{variable}")
    ruled.force("reasoning_effort", effort)


def _offered(parameters: dict[str, Any]) -> Iterable[tuple[str, str]]:
    """Yield the path and the value of each tool's name, in the shapes of chat completions and of responses."""
    for number, tool in enumerate(parameters.get("tools") or ()):
        is_nested = "function" in tool
        path = f"tools[{number}].function.name" if is_nested else f"tools[{number}].name"
        yield path, (tool["function"] if is_nested else tool)["name"]
    for number, function in enumerate(parameters.get("functions") or ()):
        yield f"functions[{number}].name", function["name"]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
