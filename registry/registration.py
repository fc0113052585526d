"""Registering models from commands, with the same checks as the admin's form."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import connection, models, transaction

from llmsite.config import PROJECT_ROOT
from registry.gguf import modified_at
from registry.models import LoraAdapter, RegisteredModel

FILES = ("path", "draft_model", "loras")
Outcome = Literal["created", "updated", "unchanged"]


class RegistrationError(Exception):
    """A model that was not registered; `problems` has one line for each field that is wrong."""

    def __init__(self, name: str, problems: list[str]) -> None:
        super().__init__("\n  ".join([f"The model {name!r} was not registered:", *problems]))
        self.problems = problems


def register(name: str, settings: dict[str, Any], defaults: dict[str, Any]) -> tuple[RegisteredModel, Outcome]:
    """Create or update the model `name`: `settings` are its fields, `defaults` those of its generation defaults.

    Among the settings, "loras" are the paths and scales of all its adapters, in order. Fields that are not given keep
    their values. Raises RegistrationError, with nothing written, if any is not allowed
    or the file cannot be served.
    """
    model = RegisteredModel.objects.filter(name=name).first() or RegisteredModel(name=name)
    is_new = model.pk is None
    fields = {key: value for key, value in settings.items() if key != "loras"}
    try:
        with transaction.atomic():
            is_changed = [_update_model(model, fields), _update(model.defaults, defaults)]
            is_changed.append(_update_loras(model, settings.get("loras")))
    except ValidationError as error:
        raise RegistrationError(name, _problems(error, {**settings, **defaults, "name": name})) from error
    return model, "created" if is_new else "updated" if any(is_changed) else "unchanged"


def portable_path(path: Path) -> str:
    """Return `path` as registrations keep it: relative to the project's folder if it is inside, else absolute."""
    absolute = Path(os.path.abspath(os.path.expanduser(path)))  # noqa: PTH100, PTH111 - resolve() follows links
    try:
        return str(absolute.relative_to(PROJECT_ROOT))
    except ValueError:
        return str(absolute)


def is_database_ready() -> bool:
    """Tell whether the registry's tables exist."""
    return RegisteredModel._meta.db_table in connection.introspection.table_names()


def _update_model(model: RegisteredModel, settings: dict[str, Any]) -> bool:
    """Update the model; a file that is gone is an error even if it was read before."""
    if modified_at(model.resolved_path) is None:
        model.inspected_path = None
    return _update(model, settings)


def _update_loras(model: RegisteredModel, loras: Sequence[tuple[str, float]] | None) -> bool:
    """Replace the model's adapters by `loras`; with None check those that it has, since its file may be another one."""
    kept = list(model.loras.all())
    if loras is None or [(lora.path, lora.scale) for lora in kept] == list(loras):
        adapters, is_changed = kept, False
    else:
        model.loras.all().delete()
        adapters = [LoraAdapter(model=model, path=path, scale=scale, order=i) for i, (path, scale) in enumerate(loras)]
        is_changed = True
    for adapter in adapters:
        _check_lora(adapter)
    if is_changed:
        for adapter in adapters:
            adapter.save()  # not bulk_create, which leaves no history
    return is_changed


def _check_lora(adapter: LoraAdapter) -> None:
    """Report a problem of any of its fields as one of "loras"."""
    try:
        adapter.full_clean()
    except ValidationError as error:
        raise ValidationError({"loras": error.messages}) from error


def _update(instance: models.Model, values: dict[str, Any]) -> bool:
    """Set, check and save `values`; return whether anything is different now."""
    before = _values(instance)
    for field, value in values.items():
        setattr(instance, field, value)
    instance.full_clean()
    if instance.pk and _values(instance) == before:
        return False
    instance.save()
    return True


def _values(instance: models.Model) -> dict[str, Any]:
    return {field.attname: getattr(instance, field.attname) for field in instance._meta.concrete_fields}


def _problems(error: ValidationError, values: dict[str, Any]) -> list[str]:
    return [" ".join([_label(field, values), *messages]).strip() for field, messages in error.message_dict.items()]


def _label(field: str, values: dict[str, Any]) -> str:
    """Return "ctx_size (12):", or "" for a problem of no single field; a path stands in its message already."""
    if field == NON_FIELD_ERRORS:
        return ""
    return f"{field} ({values[field]!r}):" if field in values and field not in FILES else f"{field}:"
