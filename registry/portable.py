"""Registrations as plain values, for a YAML file: what `export_registry` writes and `import_registry` reads.

A model has its name and path and only those settings that differ from their defaults, so that a file stays readable
and a new version's defaults apply. What was read from the model's file or measured is not in it.
"""

from typing import Any

from django.db import models

from registry.models import Preset, RegisteredModel

VERSION = 1
MODEL_EXTRAS = ("defaults", "loras")
UNPORTABLE = ("id", "model", "created_at", "updated_at")


def portable_fields(table: type[models.Model]) -> dict[str, models.Field]:
    """Return the fields of a table that people set, by name."""
    fields = [field for field in table._meta.concrete_fields if field.editable and field.name not in UNPORTABLE]
    return {field.name: field for field in fields}


def exported() -> dict[str, Any]:
    """Return the whole registry."""
    registered = RegisteredModel.objects.select_related("defaults").prefetch_related("loras")
    presets = Preset.objects.select_related("model")
    return {
        "version": VERSION,
        "models": [model_values(model) for model in registered],
        "presets": [preset_values(preset) for preset in presets],
    }


def model_values(model: RegisteredModel) -> dict[str, Any]:
    """Return a registration with its generation defaults and adapters."""
    values = {"name": model.name, "path": model.path, **_changed(model)}
    if defaults := _changed(model.defaults):
        values["defaults"] = defaults
    if loras := [{"path": lora.path, "scale": lora.scale} for lora in model.loras.all()]:
        values["loras"] = loras
    return values


def preset_values(preset: Preset) -> dict[str, Any]:
    """Return a preset; its model by name."""
    return {"name": preset.name, "model": preset.model.name, **_changed(preset)}


def _changed(instance: models.Model) -> dict[str, Any]:
    """Return the settings that differ from their defaults."""
    fields = portable_fields(type(instance))
    values = {name: getattr(instance, name) for name in fields if name not in ("name", "path")}
    return {name: value for name, value in values.items() if value != fields[name].get_default()}


def defaults_of(table: type[models.Model]) -> dict[str, Any]:
    """Return what the settings of a table are where a file says nothing."""
    fields = portable_fields(table)
    return {name: field.get_default() for name, field in fields.items() if name not in ("name", "path")}
