"""manage.py import_registry"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from llmsite.yaml_file import ConfigError, read_yaml
from registry.importing import ImportFailed, import_registry
from registry.registration import is_database_ready


class Command(BaseCommand):
    """Reads models and presets from YAML."""

    help = "Create or update models and presets as a file of export_registry says: all of them, or none."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where from, and whether in earnest."""
        parser.add_argument("file", help="the YAML file")
        parser.add_argument("--dry-run", action="store_true", help="change nothing, show what would be different")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import and say what became of each entry."""
        if not is_database_ready():
            raise CommandError("The database is not set up yet: run `python manage.py setup` first.")
        try:
            changes = import_registry(read_yaml(Path(options["file"]))[0], dry_run=options["dry_run"])
        except (ConfigError, ImportFailed) as error:
            raise CommandError(str(error)) from error
        for change in changes:
            self.stdout.write(f"{change.kind} {change.name}: {change.outcome}")
            if options["dry_run"] and change.diff:
                self.stdout.write(change.diff)
        if options["dry_run"]:
            self.stdout.write("Nothing was changed: this was a dry run.")
