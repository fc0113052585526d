"""Tools, the choice among them, and the format of the answer, in the flat shapes of the Responses API."""

from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from inference.serializers.base import shared
from inference.serializers.chat import FunctionSerializer
from inference.serializers.fields import InputField, ObjectField, StrictBooleanField, StrictCharField, refuse

# What users switch on in a chat front end, in their words.
WEB_SEARCH = 'this server has no web search. In LibreChat, switch off "Web search".'
FILE_SEARCH = 'this server cannot search files. In LibreChat, switch off "File Search".'
CODE = 'this server runs no code. In LibreChat, switch off "Code Interpreter".'
SHELL = "this server runs no commands; offer a function instead."
COMPUTER = "this server controls no computer."
HOSTED_TOOLS = {
    "web_search": WEB_SEARCH,
    "web_search_preview": WEB_SEARCH,
    "file_search": FILE_SEARCH,
    "code_interpreter": CODE,
    "image_generation": "this server makes no images.",
    "mcp": "this server calls no MCP servers. Let the client call them and offer their tools as functions.",
    "computer": COMPUTER,
    "computer_use": COMPUTER,
    "computer_use_preview": COMPUTER,
    "local_shell": SHELL,
    "shell": SHELL,
    "apply_patch": "this server changes no files; offer a function instead.",
    "custom": "this server knows functions only; offer a function with one string instead of a custom tool.",
}
FORMAT_NAME = r"^[a-zA-Z0-9_-]{1,64}\Z"


def refuse_hosted(kind: Any) -> None:
    """Refuse the tools that OpenAI's servers run, including their dated versions (`web_search_2025_08_26`)."""
    if not isinstance(kind, str) or kind == "function":
        return
    names = sorted((name for name in HOSTED_TOOLS if kind.startswith(name)), key=len)
    if names:
        raise serializers.ValidationError(HOSTED_TOOLS[names[-1]])


@extend_schema_field({"type": "string", "enum": ["function"]})
class ToolTypeField(InputField):
    """Only functions; the refusal of anything else says what to do."""

    def to_internal_value(self, data: Any) -> str:
        refuse_hosted(data)
        if data != "function":
            raise refuse(data, "`function`")
        return data


class ResponseToolSerializer(FunctionSerializer):
    """A function that the model may call."""

    type = ToolTypeField()

    def get_fields(self) -> dict[str, serializers.Field]:
        """The type first: of a tool that is no function nothing else matters."""
        fields = super().get_fields()
        return {"type": fields.pop("type"), **fields}


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "enum": ["none", "auto", "required"]},
            {
                "type": "object",
                "properties": {
                    "type": {"type": "string", "enum": ["function"]},
                    "name": {"type": "string", "minLength": 1},
                },
                "required": ["type", "name"],
            },
        ]
    }
)
class ResponseToolChoiceField(InputField):
    """Whether the model may, must or must not call functions, or which one it has to call."""

    def to_internal_value(self, data: Any) -> str | dict[str, str]:
        if isinstance(data, str) and data in ("none", "auto", "required"):
            return data
        if not isinstance(data, dict):
            raise refuse(data, '`none`, `auto`, `required` or {"type": "function", "name": …}')
        refuse_hosted(data.get("type"))
        if data.get("type") != "function":
            raise serializers.ValidationError({"type": refuse(data.get("type"), "`function`").detail})
        if not isinstance(data.get("name"), str) or not data["name"]:
            raise serializers.ValidationError({"name": refuse(data.get("name"), "the name of a function").detail})
        return {"type": "function", "name": data["name"]}


class FreeFormatSerializer(serializers.Serializer):
    type = serializers.ChoiceField(choices=["text", "json_object"])


class JSONSchemaFormatSerializer(serializers.Serializer):
    type = serializers.ChoiceField(choices=["json_schema"])
    name = StrictCharField(validators=[RegexValidator(FORMAT_NAME, "may hold 1 to 64 letters, digits, `_`, `-`.")])
    description = StrictCharField(required=False, allow_null=True, allow_blank=True)
    schema = ObjectField()
    strict = StrictBooleanField(required=False, allow_null=True)


@extend_schema_field(
    PolymorphicProxySerializer(
        "ResponseFormat", [FreeFormatSerializer, JSONSchemaFormatSerializer], resource_type_field_name=None
    )
)
class FormatField(InputField):
    """Text, any JSON object, or JSON of a schema."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise refuse(data, "an object")
        kind = data.get("type")
        if kind in ("text", "json_object"):
            return {"type": kind}
        if kind != "json_schema":
            raise serializers.ValidationError({"type": refuse(kind, "`text`, `json_object` or `json_schema`").detail})
        return shared(JSONSchemaFormatSerializer).run_validation(data)


@extend_schema_serializer(component_name="ResponseText")
class TextSerializer(serializers.Serializer):
    format = FormatField(required=False, allow_null=True, help_text="The form of the answer.")
    verbosity = serializers.ChoiceField(
        choices=["low", "medium", "high"], required=False, allow_null=True, help_text="Has no effect."
    )


@extend_schema_serializer(component_name="ResponseReasoning")
class ReasoningSerializer(serializers.Serializer):
    effort = StrictCharField(
        required=False, allow_null=True, help_text="Passed to the chat template, which may know it or not."
    )
    summary = serializers.ChoiceField(
        choices=["auto", "concise", "detailed"],
        required=False,
        allow_null=True,
        help_text="Has no effect: the model's thoughts themselves are in the answer.",
    )
