"""Bringing a registry's YAML file into the database: all of it or nothing."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from django.core.exceptions import ValidationError
from django.db import models, transaction

from registry.models import GenerationDefaults, Preset, RegisteredModel
from registry.portable import MODEL_EXTRAS, VERSION, defaults_of, model_values, portable_fields, preset_values
from registry.registration import RegistrationError, register

TOP_KEYS = ("version", "models", "presets")
LORA_KEYS = ("path", "scale")


class ImportFailed(Exception):
    """Nothing was imported; `problems` has one line for each thing that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n  ".join(["Nothing was imported:", *problems]))
        self.problems = problems


class _DryRun(Exception):
    """Takes everything back."""


@dataclass(frozen=True)
class Change:
    """What became of one entry. diff: the lines of its YAML before and after, as `diff -u` shows them."""

    kind: str
    name: str
    outcome: str
    diff: str


def import_registry(raw: Any, *, dry_run: bool = False) -> list[Change]:
    """Make models and presets as the file says, and return what became of each; what it does not name stays.

    raw: what the YAML file holds. A setting that an entry leaves out becomes its default.
    dry_run: take everything back. Raises ImportFailed, with nothing changed.
    """
    _check_shape(raw)
    problems: list[str] = []
    changes: list[Change] = []
    try:
        with transaction.atomic():
            for entry in raw.get("models") or []:
                _collect(changes, problems, _import_model, entry)
            for entry in raw.get("presets") or []:
                _collect(changes, problems, _import_preset, entry)
            if problems:
                raise ImportFailed(problems)
            if dry_run:
                raise _DryRun
    except _DryRun:
        pass
    return changes


def _check_shape(raw: Any) -> None:
    problems = list(_shape_problems(raw))
    if problems:
        raise ImportFailed(problems)


def _shape_problems(raw: Any) -> Iterator[str]:
    if not isinstance(raw, dict):
        yield f"the file: expected keys and values: {', '.join(TOP_KEYS)}"
        return
    yield from _unknown(raw, TOP_KEYS, "")
    if raw.get("version") != VERSION:
        yield f"version: found {raw.get('version')!r}; expected {VERSION}"
    for kind, table, extras in (("models", RegisteredModel, MODEL_EXTRAS), ("presets", Preset, ("model",))):
        entries = raw.get(kind) or []
        if not isinstance(entries, list):
            yield f"{kind}: found {entries!r}; expected a list"
            continue
        required = ("name", "path") if table is RegisteredModel else ("name", "model")
        for index, entry in enumerate(entries):
            yield from _entry_problems(entry, f"{kind}[{index}]", [*portable_fields(table), *extras], required)
        names = [entry["name"] for entry in entries if isinstance(entry, dict) and "name" in entry]
        yield from (
            f"{kind}: {name!r} stands twice" for name in sorted({n for n in names if names.count(n) > 1}, key=str)
        )


def _entry_problems(entry: Any, where: str, known: list[str], required: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield f"{where}: found {entry!r}; expected keys and values"
        return
    yield from _unknown(entry, known, f"{where}.")
    for key in required:
        if not isinstance(entry.get(key), str):
            yield f"{where}.{key}: found {entry.get(key)!r}; expected a text"
    if "defaults" in known:
        defaults = entry.get("defaults") or {}
        if isinstance(defaults, dict):
            yield from _unknown(defaults, list(portable_fields(GenerationDefaults)), f"{where}.defaults.")
        else:
            yield f"{where}.defaults: found {defaults!r}; expected keys and values"
        yield from _lora_problems(entry.get("loras") or [], where)


def _lora_problems(loras: Any, where: str) -> Iterator[str]:
    listed = loras if isinstance(loras, list) else [None]
    for lora in listed:
        is_lora = isinstance(lora, dict) and {"path"} <= set(lora) <= set(LORA_KEYS)
        if not is_lora or not isinstance(lora["path"], str) or not isinstance(lora.get("scale", 1.0), (int, float)):
            yield f"{where}.loras: found {loras!r}; expected a list of {{path: …, scale: a number}}"
            return


def _unknown(mapping: dict, known: Any, prefix: str) -> Iterator[str]:
    for key in mapping:
        if key not in known:
            nearest = difflib.get_close_matches(str(key), known, n=1)
            hint = f"; did you mean {nearest[0]}?" if nearest else f"; known keys: {', '.join(known)}"
            yield f"{prefix}{key}: unknown key{hint}"


def _collect(changes: list[Change], problems: list[str], bring_in: Any, entry: dict[str, Any]) -> None:
    try:
        changes.append(bring_in(entry))
    except RegistrationError as error:
        problems.extend(f"model {entry['name']!r}: {problem}" for problem in error.problems)
    except ValidationError as error:
        problems.extend(_labelled(entry["name"], error))


def _import_model(entry: dict[str, Any]) -> Change:
    before = _registered(entry["name"])
    values = {key: value for key, value in entry.items() if key not in ("name", *MODEL_EXTRAS)}
    loras = [(lora["path"], float(lora.get("scale", 1.0))) for lora in entry.get("loras") or []]
    settings = {**defaults_of(RegisteredModel), **values, "loras": loras}
    register(entry["name"], settings, {**defaults_of(GenerationDefaults), **(entry.get("defaults") or {})})
    return _change("model", entry["name"], before, _registered(entry["name"]))


def _registered(name: str) -> dict[str, Any] | None:
    model = RegisteredModel.objects.filter(name=name).first()
    return model and model_values(model)


def _import_preset(entry: dict[str, Any]) -> Change:
    model = RegisteredModel.objects.filter(name=entry["model"]).first()
    if model is None:
        raise ValidationError({"model": f"there is no model {entry['model']!r}, neither in the file nor registered"})
    preset = Preset.objects.filter(name=entry["name"]).select_related("model").first()
    before = preset and preset_values(preset)
    preset = preset or Preset(name=entry["name"])
    values = {key: value for key, value in entry.items() if key not in ("name", "model")}
    _assign(preset, {**defaults_of(Preset), **values, "model": model})
    if preset_values(preset) != before:
        preset.full_clean()
        preset.save()
    return _change("preset", entry["name"], before, preset_values(preset))


def _assign(instance: models.Model, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(instance, name, value)


def _change(kind: str, name: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> Change:
    outcome = "created" if before is None else "unchanged" if before == after else "updated"
    lines = [_as_yaml(values) for values in (before, after)]
    diff = difflib.unified_diff(*lines, f"{kind} {name}: registered", f"{kind} {name}: in the file", lineterm="")
    return Change(kind, name, outcome, "\n".join(diff))


def _as_yaml(values: dict[str, Any] | None) -> list[str]:
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True).splitlines() if values else []


def _labelled(name: str, error: ValidationError) -> list[str]:
    return [f"preset {name!r}: {field}: {' '.join(messages)}" for field, messages in error.message_dict.items()]
