"""The body of `/v1/responses`."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from inference.serializers.base import RequestSerializer
from inference.serializers.chat import ChatCompletionRequestSerializer
from inference.serializers.fields import (
    InputField,
    StrictBooleanField,
    StrictCharField,
    StrictFloatField,
    StrictIntegerField,
    optional,
    optional_list,
    refuse,
)
from inference.serializers.response_items import InputItemsField
from inference.serializers.response_tools import (
    ReasoningSerializer,
    ResponseToolChoiceField,
    ResponseToolSerializer,
    TextSerializer,
)
from inference.specs import DEFAULTED, OPTIONAL

LOGPROBS = "message.output_text.logprobs"
# Of no use without OpenAI's own tools, and the thoughts of local models need no encryption.
WITHOUT_EFFECT = (
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
)
# Fields of the chat endpoint that the Responses API does not have, but this server's models do.
CHAT_FIELDS = (*DEFAULTED, *OPTIONAL, "stop", "reasoning_budget", "chat_template_kwargs", "keep_alive")
# Fields of the chat endpoint that have another name here.
MOVED = {
    "messages": "`input`",
    "max_tokens": "`max_output_tokens`",
    "max_completion_tokens": "`max_output_tokens`",
    "response_format": "`text.format`",
    "reasoning_effort": "`reasoning.effort`",
    "logprobs": f'`include: ["{LOGPROBS}"]`',
    "functions": "`tools`",
    "function_call": "`tool_choice`",
}
HONOURED = ("text.format", "reasoning.effort")
MAX_METADATA = 16


class ResponseStreamOptionsSerializer(serializers.Serializer):
    include_obfuscation = optional(StrictBooleanField, "Has no effect: nothing is padded.")


@extend_schema_field({"type": "array", "items": {"type": "string", "enum": [LOGPROBS, *WITHOUT_EFFECT]}})
class IncludeField(InputField):
    """What else the answer should hold."""

    def to_internal_value(self, data: Any) -> list[str]:
        if not isinstance(data, list):
            raise refuse(data, "a list")
        for name in data:
            if name not in (LOGPROBS, *WITHOUT_EFFECT):
                raise refuse(name, ", ".join((LOGPROBS, *WITHOUT_EFFECT)))
        return data


@extend_schema_field(
    {"type": "object", "additionalProperties": {"type": "string", "maxLength": 512}, "maxProperties": MAX_METADATA}
)
class MetadataField(InputField):
    """Pairs of strings that come back as they are."""

    def to_internal_value(self, data: Any) -> dict[str, str]:
        if not isinstance(data, dict):
            raise refuse(data, "an object")
        if len(data) > MAX_METADATA:
            raise refuse(len(data), f"at most {MAX_METADATA} pairs")
        for key, value in data.items():
            if len(key) > 64:
                raise refuse(key, "keys of at most 64 characters")
            if not isinstance(value, str) or len(value) > 512:
                raise refuse(value, f"a string of at most 512 characters as `{key}`")
        return data


class ResponseRequestSerializer(RequestSerializer):
    """The body of a request for a response. What is absent comes from the model's generation defaults."""

    UNSUPPORTED = {
        "n": (1,),
        "background": (False,),
        "conversation": (),
        "prompt": (),
        "moderation": (),
        "context_management": ([],),
    }
    ADVICE = {
        "background": "this server has no background mode; use `stream: true` to see the answer as it grows.",
        "conversation": "this server has no conversations; continue a response with `previous_response_id`.",
        "prompt": "this server has no stored prompts; send `instructions` and `input`.",
        "moderation": "this server has no moderation; leave it out.",
        "context_management": "this server compacts nothing; use `truncation`, or leave it out.",
    }
    NAMES = {
        "max_tokens": ("max_output_tokens",),
        "response_format": ("text.format",),
        "reasoning_effort": ("reasoning.effort",),
        "logprobs": (f"include.{LOGPROBS}", "top_logprobs"),
    }

    model = StrictCharField(help_text="The name of a model or a preset.")
    input = InputItemsField(help_text="A question, or the items of a conversation.")
    instructions = optional(StrictCharField, "A system message for this answer alone.", allow_blank=True)
    previous_response_id = optional(
        StrictCharField, "Continue this response: its input and output come before `input`."
    )
    store = optional(StrictBooleanField, "Keep the response, to read or continue it later.", default=True)
    stream = StrictBooleanField(required=False, allow_null=True, default=False)
    stream_options = ResponseStreamOptionsSerializer(required=False, allow_null=True)
    tools = optional_list(ResponseToolSerializer())
    tool_choice = ResponseToolChoiceField(required=False, allow_null=True)
    parallel_tool_calls = StrictBooleanField(required=False, allow_null=True)
    max_tool_calls = optional(StrictIntegerField, "Counts OpenAI's own tools, of which there are none.", min_value=1)
    text = TextSerializer(required=False, allow_null=True)
    reasoning = ReasoningSerializer(required=False, allow_null=True)
    max_output_tokens = StrictIntegerField(required=False, allow_null=True, min_value=1)
    temperature = StrictFloatField(required=False, allow_null=True, min_value=0, max_value=2)
    top_p = StrictFloatField(required=False, allow_null=True, min_value=0, max_value=1)
    include = IncludeField(required=False, allow_null=True)
    top_logprobs = optional(StrictIntegerField, f"Needs `include` with `{LOGPROBS}`.", min_value=0, max_value=20)
    truncation = optional(
        serializers.ChoiceField,
        "What happens to a conversation that does not fit the context: a 400, or its oldest turns go.",
        choices=["disabled", "auto"],
    )
    metadata = MetadataField(required=False, allow_null=True)
    user = StrictCharField(required=False, allow_null=True, allow_blank=True)

    def get_fields(self) -> dict[str, serializers.Field]:
        fields, chat = super().get_fields(), ChatCompletionRequestSerializer().get_fields()
        return {**{name: chat[name] for name in CHAT_FIELDS if name in chat}, **fields}

    def value_of(self, parameter: str, value: Any) -> Any:
        """Flatten a format with a schema; here it must have a name."""
        schema = value if parameter == "response_format" and isinstance(value, dict) else {}
        if schema.get("type") == "json_schema":
            return {"name": "answer", "schema": {}, **(schema.get("json_schema") or {}), "type": "json_schema"}
        if schema.get("type") == "json_object" and schema.get("schema"):
            return {"name": "answer", "schema": schema["schema"], "type": "json_schema"}
        return value

    def ignored(self, data: dict[str, Any]) -> list[str]:
        """Return the fields without effect as well, with their paths."""
        inner = [
            f"{name}.{key}"
            for name in ("text", "reasoning", "stream_options")
            for key, value in (data.get(name) or {}).items()
            if value and f"{name}.{key}" not in HONOURED
        ]
        included = [f"include.{name}" for name in data.get("include") or () if name != LOGPROBS]
        store = ["store"] if data.get("store") and not settings.RESPONSE_RETENTION_DAYS else []
        return sorted({*super().ignored(data), *inner, *included, *store})

    def to_internal_value(self, data: dict[str, Any]) -> dict[str, Any]:
        for name, place in MOVED.items():
            if data.get(name) is not None:
                raise serializers.ValidationError({name: f"belongs to chat completions; here it is {place}."})
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("top_logprobs") and LOGPROBS not in (attrs.get("include") or ()):
            raise serializers.ValidationError({"top_logprobs": f'needs `include: ["{LOGPROBS}"]`.'})
        return attrs


class InputItemsQuerySerializer(serializers.Serializer):
    """The query of a list of input items."""

    limit = serializers.IntegerField(default=20, min_value=1, max_value=100)
    order = serializers.ChoiceField(choices=["asc", "desc"], default="desc", help_text="`desc`: the last item first.")
    after = StrictCharField(required=False, help_text="The id of the item that the page begins after.")
