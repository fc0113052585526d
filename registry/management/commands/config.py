"""manage.py config"""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from llmsite.config import PROJECT_ROOT
from llmsite.config_report import Row, rows
from llmsite.config_schema import schema_text


class Command(BaseCommand):
    """Shows the configuration."""

    help = "Print every setting in effect and where it comes from; secrets are masked."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """The form of what is printed."""
        parser.add_argument("--format", choices=("text", "json"), default="text")
        parser.add_argument("--schema", action="store_true", help="print the JSON Schema of the file instead")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it."""
        if options["schema"]:
            self.stdout.write(schema_text(), ending="")
        elif options["format"] == "json":
            self.stdout.write(json.dumps(_as_dict(list(rows(settings.CONFIG))), indent=2, ensure_ascii=False))
        else:
            self._write_table(list(rows(settings.CONFIG)))

    def _write_table(self, found: list[Row]) -> None:
        self.stdout.write(f"files: {', '.join(_files()) or 'none'}\n\n")
        cells = [(row.key, row.origin, json.dumps(row.value, ensure_ascii=False)) for row in found]
        widths = [max(len(row[column]) for row in cells) for column in range(2)]
        for key, origin, value in cells:
            self.stdout.write(f"{key.ljust(widths[0])}  {origin.ljust(widths[1])}  {value}")


def _files() -> list[str]:
    """Return the files that were read, the one that wins first."""
    files = settings.CONFIG.layers.files
    return [str(file.relative_to(PROJECT_ROOT) if file.is_relative_to(PROJECT_ROOT) else file) for file in files]


def _as_dict(found: list[Row]) -> dict[str, Any]:
    return {"files": _files(), "settings": {row.key: {"value": row.value, "origin": row.origin} for row in found}}
