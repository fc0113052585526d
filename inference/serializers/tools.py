"""Tools in a chat request: functions, and how they may be called."""

from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from inference.serializers.fields import InputField, ObjectField, StrictBooleanField, StrictCharField, refuse

TOOL_CHOICES = ("none", "auto", "required")
NAMED_CHOICE = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "enum": ["function"]},
        "function": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
    },
    "required": ["type", "function"],
}


class FunctionSerializer(serializers.Serializer):
    name = StrictCharField(
        validators=[
            RegexValidator(r"^[a-zA-Z0-9_.:-]{1,128}\Z", "may hold 1 to 128 letters, digits, `_`, `-`, `.`, `:`.")
        ]
    )
    description = StrictCharField(required=False, allow_null=True, allow_blank=True)
    parameters = ObjectField(required=False, allow_null=True, help_text="A JSON schema of the arguments.")
    strict = StrictBooleanField(
        required=False,
        allow_null=True,
        help_text="Refuse a schema that cannot be enforced whole. Otherwise as much of it is enforced as can be.",
    )


class ToolSerializer(serializers.Serializer):
    type = serializers.ChoiceField(choices=["function"])
    function = FunctionSerializer()


@extend_schema_field({"oneOf": [{"type": "string", "enum": list(TOOL_CHOICES)}, NAMED_CHOICE]})
class ToolChoiceField(InputField):
    """Whether the model may call tools, must call one, or must call a certain one."""

    def to_internal_value(self, data: Any) -> str | dict[str, Any]:
        if isinstance(data, str) and data in TOOL_CHOICES:
            return data
        function = data.get("function") if isinstance(data, dict) and data.get("type") == "function" else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            named = "an object with `type` function and a `function` that has a `name`"
            raise refuse(data, f"one of {', '.join(TOOL_CHOICES)}, or {named}")
        return data


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "enum": ["none", "auto"]},
            {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
        ]
    }
)
class FunctionChoiceField(InputField):
    """`tool_choice` as it was before there were tools."""

    def to_internal_value(self, data: Any) -> str | dict[str, Any]:
        is_named = isinstance(data, dict) and isinstance(data.get("name"), str)
        if not is_named and data not in ("none", "auto"):
            raise refuse(data, "one of none, auto, or an object with a `name`")
        return data


def check_choice(choice: Any, names: list[str], field: str) -> None:
    """Raise ValidationError for a choice that the offered functions do not allow."""
    if choice in (None, "none", "auto"):
        return
    if not names:
        needed = "tools" if field == "tool_choice" else "functions"
        raise serializers.ValidationError({field: f"needs `{needed}`, of which there are none."})
    name = None if choice == "required" else choice.get("function", choice)["name"]
    if name is not None and name not in names:
        raise serializers.ValidationError({field: f"names the function `{name}`, which is not among the tools."})
