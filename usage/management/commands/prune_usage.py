"""`manage.py prune_usage`: delete old rows of the request log now."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from usage.retention import prune

NAMES = {
    "requests": "rows of the request log",
    "captured": "captured requests",
    "captures": "captures",
    "hours": "sums by the hour",
}


class Command(BaseCommand):
    help = "Delete what was kept long enough: rows of the request log, captured bodies. The server does it by itself."

    def add_arguments(self, parser: ArgumentParser) -> None:
        days = settings.CONFIG.usage.retention_days
        parser.add_argument("--days", type=int, help=f"keep the request log for so many days (configured: {days})")

    def handle(self, *, days: int | None, **_: Any) -> None:
        if days is not None and not 0 <= days <= 36500:
            raise CommandError(f"--days: found {days}; expected 0 to 36500")
        for name, count in prune(days=days).items():
            self.stdout.write(f"{NAMES[name]}: {count} deleted")
