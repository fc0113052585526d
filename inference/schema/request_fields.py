"""What drf-spectacular cannot read off the serializers' own fields."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction

from inference.serializers.response_items import ITEMS


class StrictCharExtension(OpenApiSerializerFieldExtension):
    """A text that may not be blank has a character at least."""

    target_class = "inference.serializers.fields.StrictCharField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        schema = auto_schema._map_serializer_field(self.target, direction, bypass_extensions=True)
        return schema if self.target.allow_blank else {**schema, "minLength": 1}


class InputItemsExtension(OpenApiSerializerFieldExtension):
    """`input` of `/v1/responses`: a text, or items that are each what one of the serializers reads."""

    target_class = "inference.serializers.response_items.InputItemsField"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        items = [auto_schema.resolve_serializer(item, direction).ref for item in ITEMS.values()]
        return {"oneOf": [{"type": "string"}, {"type": "array", "items": {"anyOf": items}, "minItems": 1}]}
