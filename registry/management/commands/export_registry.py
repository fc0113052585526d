"""manage.py export_registry"""

from pathlib import Path
from typing import Any

import yaml
from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.portable import exported
from registry.registration import is_database_ready

HEADING = """\
# The registry of llmsite: `python manage.py import_registry FILE` brings it back.
# Model files and API keys are not in it: keys are kept as hashes only and cannot be written down.
"""


class Command(BaseCommand):
    """Writes models and presets as YAML."""

    help = "Write all registered models and presets as YAML, to a file or to the standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to."""
        parser.add_argument("file", nargs="?", help="the file to write; without it, the YAML is printed")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write."""
        if not is_database_ready():
            raise CommandError("The database is not set up yet: run `python manage.py setup` first.")
        registry = exported()
        text = HEADING + yaml.safe_dump(registry, sort_keys=False, allow_unicode=True, width=120)
        if not options["file"]:
            self.stdout.write(text, ending="")
            return
        try:
            Path(options["file"]).write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}.") from error
        counts = f"{len(registry['models'])} models and {len(registry['presets'])} presets"
        self.stdout.write(f"exported {counts} to {options['file']}; API keys are not exported")
