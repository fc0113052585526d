"""The body of `/v1/chat/completions`."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from inference.serializers.base import RequestSerializer
from inference.serializers.fields import (
    BreakersField,
    ContentField,
    InputField,
    LogitBiasField,
    ObjectField,
    SamplersField,
    StopField,
    StrictBooleanField,
    StrictCharField,
    StrictFloatField,
    StrictIntegerField,
    refuse,
)

ROLES = ("system", "developer", "user", "assistant", "tool", "function")
MAX_SEED = 2**63 - 1
MAX_INT = 2**31 - 1


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


class StreamOptionsSerializer(serializers.Serializer):
    include_usage = StrictBooleanField(
        required=False, default=False, help_text="Send the usage in a chunk of its own, after the last choice."
    )


@extend_schema_field({"oneOf": [{"type": "string", "enum": ["none", "auto"]}]})
class ToolChoiceField(InputField):
    """Whether the model may call tools. It cannot be forced to."""

    def to_internal_value(self, data: Any) -> str:
        if data not in ("none", "auto"):
            raise refuse(data, "`none` or `auto`; this server cannot force a tool call")
        return data


class ChatCompletionRequestSerializer(RequestSerializer):
    """The body of a chat completion request. What is absent comes from the model's generation defaults."""

    UNSUPPORTED = {
        "n": lambda value: value == 1,
        "response_format": lambda value: isinstance(value, dict) and value.get("type") == "text",
        "functions": lambda value: value == [],
        "function_call": lambda value: value in ("none", "auto"),
        "modalities": lambda value: value == ["text"],
        "audio": lambda value: False,
    }

    model = StrictCharField(help_text="The name of a registered model.")
    messages = MessageSerializer(many=True, allow_empty=False)
    stream = StrictBooleanField(required=False, allow_null=True, default=False)
    stream_options = StreamOptionsSerializer(required=False, allow_null=True)
    temperature = StrictFloatField(required=False, allow_null=True, min_value=0, max_value=2)
    top_p = StrictFloatField(required=False, allow_null=True, min_value=0, max_value=1)
    top_k = StrictIntegerField(
        required=False, allow_null=True, min_value=0, max_value=1_000_000, help_text="0 switches the filter off."
    )
    min_p = StrictFloatField(required=False, allow_null=True, min_value=0, max_value=1)
    presence_penalty = StrictFloatField(required=False, allow_null=True, min_value=-2, max_value=2)
    frequency_penalty = StrictFloatField(required=False, allow_null=True, min_value=-2, max_value=2)
    max_tokens = StrictIntegerField(required=False, allow_null=True, min_value=1)
    max_completion_tokens = StrictIntegerField(
        required=False, allow_null=True, min_value=1, help_text="Wins over `max_tokens`."
    )
    stop = StopField(required=False, allow_null=True, help_text="Up to 16 strings that end the answer.")
    seed = StrictIntegerField(required=False, allow_null=True, min_value=-MAX_SEED, max_value=MAX_SEED)
    ignore_eos = StrictBooleanField(
        required=False, allow_null=True, help_text="Generate up to the length limit; for benchmarks."
    )
    logit_bias = LogitBiasField(
        required=False,
        allow_null=True,
        help_text="What is added to tokens' logits, by token id or text: -100 bans, 100 forces.",
    )
    typical_p = StrictFloatField(
        required=False, allow_null=True, min_value=0, max_value=1, help_text="Locally typical sampling; 1 is off."
    )
    top_n_sigma = StrictFloatField(
        required=False, allow_null=True, min_value=0, max_value=100, help_text="Keep logits within n sigma; 0 is off."
    )
    repeat_penalty = StrictFloatField(
        required=False, allow_null=True, min_value=0.1, max_value=10, help_text="Over prompt and answer; 1 is off."
    )
    repeat_last_n = StrictIntegerField(
        required=False, allow_null=True, min_value=-1, help_text="Tokens the repeat penalty looks back; -1 is all."
    )
    dry_multiplier = StrictFloatField(
        required=False, allow_null=True, min_value=0, max_value=100, help_text="Strength of DRY; 0 is off."
    )
    dry_base = StrictFloatField(required=False, allow_null=True, min_value=1, max_value=10)
    dry_allowed_length = StrictIntegerField(required=False, allow_null=True, min_value=0, max_value=MAX_INT)
    dry_penalty_last_n = StrictIntegerField(
        required=False, allow_null=True, min_value=-1, help_text="Tokens DRY looks back; -1 is all."
    )
    dry_sequence_breakers = BreakersField(required=False, allow_null=True)
    xtc_probability = StrictFloatField(
        required=False, allow_null=True, min_value=0, max_value=1, help_text="How often XTC cuts; 0 is off."
    )
    xtc_threshold = StrictFloatField(required=False, allow_null=True, min_value=0, max_value=1)
    mirostat = StrictIntegerField(
        required=False, allow_null=True, min_value=0, max_value=2, help_text="1 or 2 takes the place of the filters."
    )
    mirostat_tau = StrictFloatField(required=False, allow_null=True, min_value=0, max_value=100)
    mirostat_eta = StrictFloatField(required=False, allow_null=True, min_value=0, max_value=10)
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
    samplers = SamplersField(
        required=False, allow_null=True, help_text="The filters to use, in this order; others are left out."
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
