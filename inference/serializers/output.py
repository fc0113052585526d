"""What a request may say about the form of its answer."""

from typing import Any

from drf_spectacular.utils import extend_schema_field

from inference.serializers.fields import NON_EMPTY, InputField, refuse

MAX_ENUM = 1000
FORMAT_TYPES = ("text", "json_object", "json_schema")
# What `json_schema` may hold.
DESCRIBED = {
    "name": (str, "a string"),
    "description": (str, "a string"),
    "schema": (dict, "an object"),
    "strict": (bool, "true or false"),
}


@extend_schema_field(
    {
        "type": "object",
        "properties": {
            "type": {"type": "string", "enum": list(FORMAT_TYPES)},
            "schema": {"type": "object", "nullable": True},
            "json_schema": {
                "nullable": True,
                "type": "object",
                "properties": {
                    "name": {"type": "string", "nullable": True},
                    "description": {"type": "string", "nullable": True},
                    "schema": {"type": "object", "nullable": True},
                    "strict": {"type": "boolean", "nullable": True},
                },
            },
        },
        "required": ["type"],
    }
)
class ResponseFormatField(InputField):
    """OpenAI's `response_format`. `json_object` may bring a `schema`, as llama.cpp's server takes it."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict) or data.get("type") not in FORMAT_TYPES:
            raise refuse(data, f"an object whose `type` is one of {', '.join(FORMAT_TYPES)}")
        if data["type"] == "json_schema" or data.get("json_schema") is not None:
            self._check_schema(data.get("json_schema"))
        schema = data.get("schema")
        if schema is not None and not isinstance(schema, dict):
            raise refuse(schema, "an object as `schema`")
        return data

    @staticmethod
    def _check_schema(described: Any) -> None:
        if not isinstance(described, dict):
            raise refuse(described, "an object as `json_schema`")
        for name, (kind, noun) in DESCRIBED.items():
            value = described.get(name)
            if value is not None and not isinstance(value, kind):
                raise refuse(value, f"{noun} as `json_schema.{name}`")


@extend_schema_field({"type": "array", "items": NON_EMPTY, "minItems": 1, "maxItems": MAX_ENUM})
class EnumField(InputField):
    """The texts of which the answer is one."""

    def to_internal_value(self, data: Any) -> list[str]:
        is_list = isinstance(data, list) and 0 < len(data) <= MAX_ENUM
        if not is_list or not all(isinstance(text, str) and text for text in data):
            raise refuse(data, f"a list of 1 to {MAX_ENUM} non-empty strings")
        return data
