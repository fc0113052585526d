"""The items of a Responses conversation: what `input` may hold."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from inference.serializers.base import shared
from inference.serializers.fields import InputField, StrictCharField, optional_list, read_content, refuse

ROLES = ("user", "assistant", "system", "developer")
STATUSES = ("in_progress", "completed", "incomplete")
# Parts of content that hold text, with the key of it.
TEXT_PARTS = {"input_text": "text", "output_text": "text", "refusal": "refusal"}
OTHER_PARTS = {"input_image": "an image", "input_file": "a file", "input_audio": "sound", "input_video": "a video"}

Item = dict[str, Any]


def _part_schema(kind: str, key: str) -> dict[str, Any]:
    properties = {"type": {"type": "string", "enum": [kind]}, key: {"type": "string"}}
    return {"type": "object", "properties": properties, "required": ["type", key]}


PARTS_SCHEMA = {"type": "array", "items": {"oneOf": [_part_schema(kind, key) for kind, key in TEXT_PARTS.items()]}}


@extend_schema_field({"oneOf": [{"type": "string"}, PARTS_SCHEMA]})
class ItemContentField(InputField):
    """A string, or a list of parts that hold text."""

    def to_internal_value(self, data: Any) -> str | list[dict[str, Any]]:
        return read_content(data, _check_part)


def _check_part(part: Any, index: int) -> None:
    if error := _part_error(part):
        raise serializers.ValidationError({index: error})


def _part_error(part: Any) -> Any:
    """Return the detail of what is wrong with a part of content, None if nothing is."""
    if not isinstance(part, dict):
        return refuse(part, "an object").detail
    kind = part.get("type")
    if isinstance(kind, str) and kind in OTHER_PARTS:
        return {"type": [f"this server's models read text only, and this is {OTHER_PARTS[kind]}."]}
    if not isinstance(kind, str) or kind not in TEXT_PARTS:
        return {"type": refuse(kind, ", ".join(TEXT_PARTS)).detail}
    key = TEXT_PARTS[kind]
    return None if isinstance(part.get(key), str) else {key: refuse(part.get(key), "a string").detail}


class _ItemSerializer(serializers.Serializer):
    id = StrictCharField(required=False, allow_null=True, max_length=256)
    status = serializers.ChoiceField(choices=STATUSES, required=False, allow_null=True)


class MessageItemSerializer(_ItemSerializer):
    type = serializers.ChoiceField(choices=["message"], required=False)
    role = serializers.ChoiceField(choices=ROLES)
    content = ItemContentField()


class FunctionCallItemSerializer(_ItemSerializer):
    type = serializers.ChoiceField(choices=["function_call"])
    call_id = StrictCharField(max_length=256)
    name = StrictCharField(max_length=256)
    arguments = StrictCharField(allow_blank=True)


class FunctionCallOutputItemSerializer(_ItemSerializer):
    type = serializers.ChoiceField(choices=["function_call_output"])
    call_id = StrictCharField(max_length=256)
    output = ItemContentField()


class TextPartSerializer(serializers.Serializer):
    type = StrictCharField()
    text = StrictCharField(allow_blank=True)


class ReasoningItemSerializer(_ItemSerializer):
    type = serializers.ChoiceField(choices=["reasoning"])
    summary = optional_list(TextPartSerializer())
    content = optional_list(TextPartSerializer())


class ItemReferenceSerializer(serializers.Serializer):
    type = serializers.ChoiceField(choices=["item_reference"], required=False, allow_null=True)
    id = StrictCharField(max_length=256)


ITEMS = {
    "message": MessageItemSerializer,
    "function_call": FunctionCallItemSerializer,
    "function_call_output": FunctionCallOutputItemSerializer,
    "reasoning": ReasoningItemSerializer,
    "item_reference": ItemReferenceSerializer,
}


class InputItemsField(InputField):
    """A text, which is a message of the user, or a list of items. A list of items with a `type` inside."""

    def to_internal_value(self, data: Any) -> list[Item]:
        if isinstance(data, str):
            return [{"type": "message", "role": "user", "content": data}]
        if not isinstance(data, list):
            raise refuse(data, "a string or a list of items")
        if not data:
            raise serializers.ValidationError("may not be empty.")
        return [_read_item(item, index) for index, item in enumerate(data)]


def _read_item(item: Any, index: int) -> Item:
    kind = _type_of(item, index)
    try:
        return {**shared(ITEMS[kind]).run_validation(item), "type": kind}
    except serializers.ValidationError as error:
        raise serializers.ValidationError({index: error.detail}) from None


def _type_of(item: Any, index: int) -> str:
    if not isinstance(item, dict):
        raise serializers.ValidationError({index: refuse(item, "an object").detail})
    kind = item.get("type")
    if kind is None:
        return "message" if "role" in item or "content" in item else "item_reference"
    if isinstance(kind, str) and kind in ITEMS:
        return kind
    if isinstance(kind, str) and kind.removesuffix("_output").endswith("_call"):
        detail = f"`{kind}` belongs to a tool that this server does not have; it knows functions only."
        raise serializers.ValidationError({index: {"type": [detail]}})
    raise serializers.ValidationError({index: {"type": refuse(kind, ", ".join(ITEMS)).detail}})
