"""manage.py list_keys"""

from typing import Any

from django.core.management.base import BaseCommand

from access.describe import limits_of, models_of
from access.models import APIKey

HEADINGS = ("KEY", "NAME", "STATE", "MODELS", "LIMITS", "LAST USED")


class Command(BaseCommand):
    """Shows who may use the API. The keys themselves are not known to anybody here."""

    help = "List the API keys."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a table."""
        keys = APIKey.objects.prefetch_related("allowed_models", "allowed_presets")
        if not keys:
            self.stdout.write("There are no API keys: see `python manage.py create_key --help`.")
            return
        rows = [HEADINGS, *map(_row, keys)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            self.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _row(key: APIKey) -> tuple[str, ...]:
    used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never"
    name = f"{key.name} (admin)" if key.is_admin else key.name
    return key.prefix, name, str(key.state.label), models_of(key), limits_of(key) or "-", used
