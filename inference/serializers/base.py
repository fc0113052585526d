"""The base of all request bodies."""

from typing import Any

from rest_framework import serializers

# They change no answer anywhere: who asks, and what OpenAI's platform keeps.
WITHOUT_EFFECT = frozenset({"user", "metadata", "store"})


class RequestSerializer(serializers.Serializer):
    """A request body.

    `UNSUPPORTED`: parameters of OpenAI's API that this endpoint does not implement, each with the values
    that change nothing; any other is refused. `ADVICE`: what to say then, if there is more to say.
    """

    UNSUPPORTED: dict[str, tuple[Any, ...]] = {}
    ADVICE: dict[str, str] = {}

    def ignored(self) -> list[str]:
        """Return the fields of the body that this server does not know, sorted; those of objects with their paths."""
        unknown = set(self.initial_data) - set(self.fields) - set(self.UNSUPPORTED) - WITHOUT_EFFECT
        inner = {
            f"{name}.{key}"
            for name, field in self.fields.items()
            if isinstance(field, serializers.Serializer)
            for key in set(self.initial_data.get(name) or ()) - set(field.fields)
        }
        return sorted(unknown | inner)

    def to_internal_value(self, data: dict[str, Any]) -> dict[str, Any]:
        for name, harmless in self.UNSUPPORTED.items():
            value = data.get(name)
            if value is not None and value not in harmless:
                advice = self.ADVICE.get(name, "this server does not support it; leave it out.")
                raise serializers.ValidationError({name: advice})
        return super().to_internal_value(data)
