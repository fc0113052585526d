"""Serializer fields as strict as OpenAI's API: a wrong type is an error, never converted."""

import math
import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from inference.engine.messages import SAMPLERS

LIMITS = settings.CONFIG.limits
MAX_STOP = LIMITS.stop_strings
DURATION = r"(-?)((?:[0-9]+(?:\.[0-9]+)?(?:ms|h|m|s))+|[0-9]+(?:\.[0-9]+)?)"
MAX_SECONDS = 100 * 365 * 86400  # what a clock can still add to the time
UNITS = {"h": 3600, "m": 60, "s": 1, "ms": 0.001}  # seconds

NON_EMPTY = {"type": "string", "minLength": 1}
TEXT_PARTS = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"type": {"type": "string", "enum": ["text"]}, "text": {"type": "string"}},
        "required": ["type", "text"],
    },
}


def refuse(value: Any, expected: str) -> serializers.ValidationError:
    """Return the error that names what was found and what is allowed.

    Objects are not shown: clients such as LibreChat take the first one in a message for the error itself.
    """
    shown = "an object" if isinstance(value, dict) else repr(value)
    shown = "a list of objects" if isinstance(value, list) and "{" in shown else shown
    return serializers.ValidationError(f"expected {expected}, got {shown if len(shown) <= 80 else shown[:77] + '...'}.")


def check_length(num_chars: int, what: str) -> None:
    """Refuse more text than one prompt may have."""
    if num_chars > LIMITS.prompt_chars:
        limit = f"at most {LIMITS.prompt_chars} characters as the {what} (limits.prompt_chars)"
        raise refuse(num_chars, limit)


def optional(field: type[serializers.Field], help_text: str, **options: Any) -> serializers.Field:
    """Return a field that may be absent or null, which mean the same."""
    return field(required=False, allow_null=True, help_text=help_text, **options)


def optional_list(item: serializers.Serializer, help_text: str = "") -> serializers.ListSerializer:
    """Return a list that may be absent or null. With `many=True`, its items could be null as well."""
    return serializers.ListSerializer(child=item, required=False, allow_null=True, help_text=help_text or None)


class InputField(serializers.Field):
    """A field of request bodies, which are only read."""

    def to_representation(self, value: Any) -> Any:
        return value


class _StrictNumber:
    """Mixin for REST framework's number fields, which keep `min_value` and `max_value` for the schema."""

    types: tuple[type, ...]
    noun: str

    def to_internal_value(self, data: Any) -> Any:
        is_number = isinstance(data, self.types) and not isinstance(data, bool)
        if not is_number or not self._in_range(data):
            raise refuse(data, f"{self.noun}{self._range()}")
        return data

    def _in_range(self, value: float) -> bool:
        above = self.min_value is None or value >= self.min_value
        return above and (self.max_value is None or value <= self.max_value)

    def _range(self) -> str:
        if self.max_value is None:
            return "" if self.min_value is None else f" of at least {self.min_value}"
        return f" between {self.min_value} and {self.max_value}"


class StrictFloatField(_StrictNumber, serializers.FloatField):
    types, noun = (int, float), "a number"


class StrictIntegerField(_StrictNumber, serializers.IntegerField):
    types, noun = (int,), "an integer"


class StrictBooleanField(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise refuse(data, "true or false")
        return data


class StrictCharField(serializers.CharField):
    """A string, taken as it is."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not serializers.empty and data is not None and not isinstance(data, str):
            raise refuse(data, "a string")
        return super().run_validation(data)


class TextField(StrictCharField):
    """A string that a model reads."""

    def to_internal_value(self, data: str) -> str:
        text = super().to_internal_value(data)
        check_length(len(text), self.field_name)
        return text


@extend_schema_field({"oneOf": [NON_EMPTY, {"type": "array", "items": NON_EMPTY, "maxItems": MAX_STOP}]})
class StopField(InputField):
    """One string or a list of them; always a list inside."""

    def to_internal_value(self, data: Any) -> list[str]:
        stops = [data] if isinstance(data, str) else data
        if not isinstance(stops, list) or not all(isinstance(stop, str) and stop for stop in stops):
            raise refuse(data, "a non-empty string or a list of them")
        if len(stops) > MAX_STOP:
            raise refuse(len(stops), f"at most {MAX_STOP} stop strings (limits.stop_strings)")
        return stops


@extend_schema_field({"type": "array", "items": {"type": "string", "enum": list(SAMPLERS)}, "uniqueItems": True})
class SamplersField(InputField):
    """The samplers to use, in this order."""

    def to_internal_value(self, data: Any) -> tuple[str, ...]:
        if not isinstance(data, list) or not all(isinstance(name, str) and name in SAMPLERS for name in data):
            raise refuse(data, f"a list of {', '.join(SAMPLERS)}")
        if len(set(data)) < len(data):
            raise refuse(data, "each sampler at most once")
        return tuple(data)


@extend_schema_field({"type": "array", "items": NON_EMPTY, "maxItems": MAX_STOP})
class BreakersField(InputField):
    """Strings over which a repetition does not reach."""

    def to_internal_value(self, data: Any) -> tuple[str, ...]:
        is_list = isinstance(data, list) and len(data) <= MAX_STOP
        if not is_list or not all(isinstance(text, str) and text and "\0" not in text for text in data):
            raise refuse(data, f"a list of up to {MAX_STOP} non-empty strings")
        return tuple(data)


TOKEN_ID = re.compile("[0-9]{1,18}")  # with more digits it is no token of any model, and a text like any other
# OpenAPI 3.0 cannot tell a list's first item from its second.
BANNED = {"type": "boolean", "enum": [False]}
BIAS = {"oneOf": [{"type": "number", "minimum": -100, "maximum": 100}, BANNED]}
BIAS_PAIR = {
    "type": "array",
    "items": {"oneOf": [NON_EMPTY, {"type": "number"}, BANNED]},
    "minItems": 2,
    "maxItems": 2,
}


@extend_schema_field(
    {
        "oneOf": [
            {"type": "object", "additionalProperties": BIAS},
            {"type": "array", "items": BIAS_PAIR},
        ]
    }
)
class LogitBiasField(InputField):
    """Pairs of a token and what is added to its logit: OpenAI's object of token ids, or llama.cpp's list of pairs.

    A key that is no number is a text, all of whose tokens are meant. `false` bans the token.
    """

    def to_internal_value(self, data: Any) -> tuple[tuple[int | str, float], ...]:
        if isinstance(data, dict):
            return tuple((self._key(key), self._bias(value)) for key, value in data.items())
        if not isinstance(data, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in data):
            raise refuse(data, "an object of token ids and numbers, or a list of pairs")
        return tuple((self._key(key), self._bias(value)) for key, value in data)

    @staticmethod
    def _key(key: Any) -> int | str:
        if isinstance(key, str) and key:
            return int(key) if TOKEN_ID.fullmatch(key) else key
        if isinstance(key, int) and not isinstance(key, bool):
            return key
        raise refuse(key, "a token id or a text")

    @staticmethod
    def _bias(value: Any) -> float:
        if value is False:
            return -math.inf
        if isinstance(value, (int, float)) and not isinstance(value, bool) and -100 <= value <= 100:
            return float(value)
        raise refuse(value, "a number between -100 and 100")


def read_content(data: Any, check_part: Callable[[Any, int], None]) -> str | list[dict[str, Any]]:
    """Return a string, or a list of parts; `check_part` refuses one that cannot be read, given its index."""
    if isinstance(data, str):
        return data
    if not isinstance(data, list):
        raise refuse(data, "a string or a list of content parts")
    for index, part in enumerate(data):
        check_part(part, index)
    return data


@extend_schema_field({"oneOf": [{"type": "string"}, TEXT_PARTS], "nullable": True})
class ContentField(InputField):
    """A message's content: a string, or a list of text parts."""

    def to_internal_value(self, data: Any) -> str | list[dict[str, Any]]:
        return read_content(data, _check_text_part)


def _check_text_part(part: Any, index: int) -> None:
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        raise refuse(part, f"an object with a `type` as part {index}")
    kind = part["type"]
    if kind in ("image_url", "input_audio", "file", "video_url"):
        raise serializers.ValidationError(f"this model reads text only, and part {index} is of type `{kind}`.")
    if kind != "text":
        raise refuse(kind, f"`text` as the type of part {index}")
    if not isinstance(part.get("text"), str):
        raise refuse(part.get("text"), f"a string as the `text` of part {index}")


@extend_schema_field(
    {"oneOf": [{"type": "number", "maximum": MAX_SECONDS}, {"type": "string", "pattern": f"^{DURATION}$"}]}
)
class KeepAliveField(InputField):
    """How long a model stays in memory, as Ollama takes it: seconds, or a text such as "5m" or "1h30m".

    Seconds inside; anything below 0 is for ever, which is infinity.
    """

    def to_internal_value(self, data: Any) -> float:
        seconds = data if isinstance(data, (int, float)) and not isinstance(data, bool) else _duration(data)
        if seconds is None or seconds > MAX_SECONDS:
            raise refuse(data, 'seconds or a duration such as "5m" or "1h30m", at most 100 years; below 0 is for ever')
        return math.inf if seconds < 0 else float(seconds)


def _duration(text: Any) -> float | None:
    """Return the seconds of a text as Go writes durations; None if it is none."""
    if not isinstance(text, str):
        return None
    match = re.fullmatch(DURATION, text)
    if not match:
        return None
    parts = re.findall(r"([0-9.]+)(ms|h|m|s)", match[2]) or [(match[2], "s")]
    return float(f"{match[1]}1") * sum(float(number) * UNITS[unit] for number, unit in parts)


@extend_schema_field({"type": "object", "additionalProperties": True})
class ObjectField(InputField):
    """Any JSON object."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise refuse(data, "an object")
        return data


@extend_schema_field({"type": "array", "items": {"type": "integer", "minimum": 0}})
class TokensField(InputField):
    """Token ids. Whether the model's vocabulary has them is the engine's to judge."""

    def to_internal_value(self, data: Any) -> tuple[int, ...]:
        if not is_token_list(data):
            raise refuse(data, "a list of token ids")
        return tuple(data)


def is_token_list(data: Any) -> bool:
    return isinstance(data, list) and all(type(item) is int for item in data)
