"""manage.py setup"""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from registry.setup import apply_config, create_admin_user, migrate_database, register_demo


class Command(BaseCommand):
    """Prepares everything that must be there before the service starts."""

    help = "Create or update the database, register the models of the configuration and create the admin user."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Do every step, even if one fails; exit with 1 if one did."""
        migrate_database(self.stdout.write)
        failures = [
            *apply_config(settings.CONFIG, self.stdout.write),
            *register_demo(settings.CONFIG, self.stdout.write),
            *create_admin_user(os.environ, self.stdout.write),
        ]
        if failures:
            raise CommandError("\n".join(["Setup is not complete.", *failures]))
