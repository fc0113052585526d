"""manage.py list_models"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.formatting import human_bytes, human_count
from registry.models import Preset, RegisteredModel
from registry.preset_changes import changes_of
from registry.registration import is_database_ready

PRESET_HEADINGS = ("PRESET", "MODEL", "ENABLED", "CHANGES")
HEADINGS = ("NAME", "KIND", "ARCHITECTURE", "PARAMETERS", "QUANTIZATION", "CONTEXT", "SIZE", "ENABLED", "PATH")


class Command(BaseCommand):
    """Shows what is registered."""

    help = "List the registered models and their presets."

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer JSON for scripts."""
        parser.add_argument("--json", action="store_true", help="print a JSON list instead of a table")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the table or the JSON list."""
        if not is_database_ready():
            raise CommandError("The database is not set up yet: run `python manage.py setup` first.")
        models = RegisteredModel.objects.prefetch_related("presets")
        if options["json"]:
            self.stdout.write(json.dumps([_as_dict(model) for model in models], indent=2, ensure_ascii=False))
        elif not models:
            self.stdout.write("No models are registered: see `python manage.py register_model --help`.")
        else:
            self._write_table([HEADINGS, *map(_as_row, models)])
            self._write_presets([preset for model in models for preset in model.presets.all()])

    def _write_presets(self, presets: list[Preset]) -> None:
        if presets:
            self.stdout.write()
            self._write_table([PRESET_HEADINGS, *map(_as_preset_row, presets)])

    def _write_table(self, rows: list[tuple[str, ...]]) -> None:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())


def _as_row(model: RegisteredModel) -> tuple[str, ...]:
    return (
        model.name,
        model.kind,
        model.architecture,
        human_count(model.parameter_count),
        model.quantization,
        str(model.context_length),
        human_bytes(model.size_bytes),
        "yes" if model.enabled else "no",
        model.path,
    )


def _as_preset_row(preset: Preset) -> tuple[str, ...]:
    return (preset.name, preset.model.name, "yes" if preset.enabled else "no", changes_of(preset))


def _as_dict(model: RegisteredModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "path": model.path,
        "enabled": model.enabled,
        "kind": model.kind,
        "architecture": model.architecture,
        "parameter_count": model.parameter_count,
        "quantization": model.quantization,
        "context_length": model.context_length,
        "trained_context": model.trained_context,
        "embedding_length": model.embedding_length,
        "size_bytes": model.size_bytes,
        "parallel": model.parallel,
        "gpu_layers": model.gpu_layers,
        "threads": model.threads,
        "presets": list(map(_as_preset_dict, model.presets.all())),
    }


def _as_preset_dict(preset: Preset) -> dict[str, Any]:
    return {
        "name": preset.name,
        "enabled": preset.enabled,
        "description": preset.description,
        "defaults": preset.defaults(),
        **preset.rules(),
    }
