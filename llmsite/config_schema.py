"""The JSON Schema of the configuration file, made of the declarations: editors complete and check with it."""

import json
from dataclasses import MISSING, Field
from typing import Any

from llmsite.config import SECTIONS
from llmsite.config_layers import EXTENDS
from llmsite.config_models import ModelEntry
from llmsite.config_values import settings_of

DIALECT = "http://json-schema.org/draft-07/schema#"


def config_schema() -> dict[str, Any]:
    """Return the schema (https://json-schema.org/draft-07)."""
    model = _section(ModelEntry)
    below = {"type": "string", "description": "a file, relative to this one, over which this one lies"}
    sections = {name: {"anyOf": [_section(kind), {"type": "null"}]} for name, kind in SECTIONS.items()}
    return {
        "$schema": DIALECT,
        "title": "The configuration of llmsite",
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {
            EXTENDS: below,
            **sections,
            "model": {"anyOf": [{"$ref": "#/definitions/model"}, {"type": "null"}]},
            "models": {"type": ["array", "null"], "items": {"$ref": "#/definitions/model"}},
        },
        "definitions": {"model": model},
    }


def schema_text() -> str:
    """Return the schema as config/config.schema.json has it."""
    return json.dumps(config_schema(), indent=2, ensure_ascii=False) + "\n"


def _section(section: type) -> dict[str, Any]:
    return {
        "type": "object",
        "description": section.__doc__.splitlines()[0],
        "additionalProperties": False,
        "properties": {name: _property(item) for name, item in settings_of(section).items()},
    }


def _property(item: Field) -> dict[str, Any]:
    """Describe a key. None of them is required, not even a model's path: another layer may give it."""
    kind = item.metadata["kind"]
    default = {} if item.default is MISSING else {"default": item.default}
    return {"description": kind.allowed, **default, **kind.schema}
