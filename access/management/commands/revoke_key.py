"""manage.py revoke_key"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from access.models import APIKey


class Command(BaseCommand):
    """Ends a key for good; a running server refuses it within a second."""

    help = "Revoke the API key that begins with PREFIX."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the key's readable part."""
        parser.add_argument("prefix", metavar="PREFIX", help="the key as list_keys shows it: sk- and 8 characters")

    def handle(self, *, prefix: str, **_: Any) -> None:
        """Revoke the one key that is meant; the whole text of a key will do as well."""
        readable = prefix[: APIKey._meta.get_field("prefix").max_length]
        keys = list(APIKey.objects.filter(prefix=readable))
        if not keys:
            raise CommandError(f"no API key begins with {readable}; `python manage.py list_keys` shows them")
        if len(keys) > 1:
            raise CommandError(f"{len(keys)} API keys begin with {readable}; revoke the one you mean in the admin")
        [key] = keys
        if key.revoked_at:
            raise CommandError(f"{key} is revoked already, since {key.revoked_at:%Y-%m-%d %H:%M} UTC")
        key.revoke()
        self.stdout.write(f"{key}: revoked")
