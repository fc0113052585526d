"""Holds what the official client has read against its own types, which it does not do by itself."""

import json
from typing import Any, TypeVar

from openai import BaseModel

Model = TypeVar("Model", bound=BaseModel)


def strictly(answer: Model, *extras: str) -> Model:
    """Raise if a field is missing or of another type, or if there are fields unknown to the client beside `extras`.

    An extra is a path without the numbers of lists, such as `choices.message.reasoning_content`.
    """
    checked = type(answer).model_validate_json(json.dumps(answer.to_dict()), strict=True)
    assert set(unknown_fields(checked)) == set(extras)
    return checked


def unknown_fields(value: Any, path: str = "") -> list[str]:
    """Return the paths of the fields that the client's types do not name."""
    if isinstance(value, list):
        return [found for item in value for found in unknown_fields(item, path)]
    if not isinstance(value, BaseModel):
        return []
    found = [f"{path}{name}" for name in value.model_extra or ()]
    for name in type(value).model_fields:
        found += unknown_fields(getattr(value, name), f"{path}{name}.")
    return found
