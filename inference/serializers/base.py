"""The base of all request bodies."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from rest_framework import serializers

from inference.serializers.fields import StrictCharField

# They change no answer anywhere: who asks, and what OpenAI's platform keeps.
WITHOUT_EFFECT = frozenset({"user", "metadata", "store"})


@cache
def shared(serializer_class: type[serializers.Serializer]) -> serializers.Serializer:
    """Return the one instance whose `run_validation` is used for all requests; it keeps nothing of them.

    An instance for each request would copy all of its fields, which takes longer than to validate with them.
    """
    return serializer_class()


class RequestSerializer(serializers.Serializer):
    """A request body.

    `UNSUPPORTED`: parameters of OpenAI's API that this endpoint does not implement, each with the values
    that change nothing; any other is refused. `ADVICE`: what to say then, if there is more to say. `NAMES`: what this
    endpoint calls parameters of chat completions where it does not call them the same.
    """

    UNSUPPORTED: dict[str, tuple[Any, ...]] = {}
    ADVICE: dict[str, str] = {}
    NAMES: dict[str, tuple[str, ...]] = {}

    def names_of(self, parameter: str) -> tuple[str, ...]:
        """Return the paths of all fields that say what chat completions call `parameter`, the usual one first."""
        return self.NAMES.get(parameter, (parameter,) if parameter in self.fields else ())

    def value_of(self, parameter: str, value: Any) -> Any:
        """Return a value of chat completions' `parameter` as this body has it."""
        return value

    def ignored(self, data: dict[str, Any]) -> list[str]:
        """Return the fields of a valid body that this server does not know, sorted; inner ones with their paths."""
        return sorted(set(_unknown(data, self)) - set(self.UNSUPPORTED) - WITHOUT_EFFECT)

    def to_internal_value(self, data: dict[str, Any]) -> dict[str, Any]:
        for name, harmless in self.UNSUPPORTED.items():
            value = data.get(name)
            if value is not None and value not in harmless:
                advice = self.ADVICE.get(name, "this server does not support it; leave it out.")
                raise serializers.ValidationError({name: advice})
        return super().to_internal_value(data)


class ModelNameSerializer(serializers.Serializer):
    """What all bodies have in common: it is read first, since a preset has a say in how the rest is read."""

    model = StrictCharField()


def _unknown(data: Any, serializer: serializers.BaseSerializer, path: str = "") -> Iterator[str]:
    """Yield the paths of what an object brings that its serializer does not know; null means absent."""
    if isinstance(serializer, serializers.ListSerializer):
        for item in data:
            yield from _unknown(item, serializer.child, f"{path}[]")
        return
    for key, value in data.items():
        field = serializer.fields.get(key)
        name = f"{path}.{key}" if path else key
        if field is None and value is not None:
            yield name
        elif isinstance(field, serializers.BaseSerializer) and value:
            yield from _unknown(value, field, name)
