"""The body of `/v1/chat/completions`."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from inference.serializers.fields import (
    ContentField,
    InputField,
    ObjectField,
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    refuse,
)
from inference.serializers.sampling import GenerationRequestSerializer

ROLES = ("system", "developer", "user", "assistant", "tool", "function")


class FunctionCallSerializer(serializers.Serializer):
    name = StrictCharField(help_text="The function's name.")
    arguments = StrictCharField(
        allow_blank=True, required=False, default="{}", help_text="Its arguments, a JSON object as text."
    )


class ToolCallSerializer(serializers.Serializer):
    id = StrictCharField(help_text="Ties the tool message that answers to this call.")
    type = serializers.ChoiceField(choices=["function"], required=False, default="function")
    function = FunctionCallSerializer()


class MessageSerializer(serializers.Serializer):
    """One message of the conversation."""

    role = serializers.ChoiceField(choices=ROLES, help_text="Who speaks. `developer` means `system`.")
    content = ContentField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Text, or a list of text parts. Only an assistant message with tool calls may go without.",
    )
    name = StrictCharField(required=False, allow_null=True, allow_blank=True)
    tool_calls = ToolCallSerializer(many=True, required=False, allow_null=True)
    tool_call_id = StrictCharField(required=False, allow_null=True, help_text="Required for the role `tool`.")
    reasoning_content = StrictCharField(required=False, allow_null=True, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        role = attrs["role"]
        if attrs["content"] is None and not (role == "assistant" and attrs.get("tool_calls")):
            raise serializers.ValidationError({"content": f"is required for the role `{role}`."})
        if role == "tool" and not attrs.get("tool_call_id"):
            raise serializers.ValidationError({"tool_call_id": "is required for the role `tool`."})
        if role == "function" and not attrs.get("name"):
            raise serializers.ValidationError({"name": "is required for the role `function`."})
        return attrs


class FunctionSerializer(serializers.Serializer):
    name = serializers.RegexField(
        r"^[a-zA-Z0-9_.:-]{1,128}$",
        error_messages={"invalid": "may hold 1 to 128 letters, digits, `_`, `-`, `.`, `:`."},
    )
    description = StrictCharField(required=False, allow_null=True, allow_blank=True)
    parameters = ObjectField(required=False, allow_null=True, help_text="A JSON schema of the arguments.")
    strict = StrictBooleanField(required=False, allow_null=True)


class ToolSerializer(serializers.Serializer):
    type = serializers.ChoiceField(choices=["function"])
    function = FunctionSerializer()


@extend_schema_field({"oneOf": [{"type": "string", "enum": ["none", "auto"]}]})
class ToolChoiceField(InputField):
    """Whether the model may call tools. It cannot be forced to."""

    def to_internal_value(self, data: Any) -> str:
        if data not in ("none", "auto"):
            raise refuse(data, "`none` or `auto`; this server cannot force a tool call")
        return data


class ChatCompletionRequestSerializer(GenerationRequestSerializer):
    """The body of a chat completion request. What is absent comes from the model's generation defaults."""

    UNSUPPORTED = {
        "n": lambda value: value == 1,
        "response_format": lambda value: isinstance(value, dict) and value.get("type") == "text",
        "functions": lambda value: value == [],
        "function_call": lambda value: value in ("none", "auto"),
        "modalities": lambda value: value == ["text"],
        "audio": lambda value: False,
    }

    messages = MessageSerializer(many=True, allow_empty=False)
    max_completion_tokens = StrictIntegerField(
        required=False, allow_null=True, min_value=1, help_text="Wins over `max_tokens`."
    )
    logprobs = StrictBooleanField(
        required=False, allow_null=True, help_text="Report the log probability of every token."
    )
    top_logprobs = StrictIntegerField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=20,
        help_text="Also of so many of the likeliest tokens in its place; needs `logprobs`.",
    )
    tools = ToolSerializer(many=True, required=False, allow_null=True)
    tool_choice = ToolChoiceField(required=False, allow_null=True)
    chat_template_kwargs = ObjectField(
        required=False, allow_null=True, help_text="Variables for the chat template, such as `enable_thinking`."
    )
    reasoning_effort = StrictCharField(
        required=False, allow_null=True, help_text="Passed to the chat template, which may know it or not."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("top_logprobs") is not None and not attrs.get("logprobs"):
            raise serializers.ValidationError({"top_logprobs": "needs `logprobs: true`."})
        return attrs
