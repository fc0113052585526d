"""`manage.py librechat_config`: LibreChat's librechat.yaml for what is served here."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console.base_url import docker_url, is_url, needs_key
from console.librechat import KEY_VARIABLE, config_text, override_text
from registry.served_model import served_models


class Command(BaseCommand):
    """Prints what the page “LibreChat” of the admin shows."""

    help = "Print the librechat.yaml for the registered models and presets."

    def add_arguments(self, parser: ArgumentParser) -> None:
        text = "llmsite as LibreChat's server reaches it (default %(default)s)"
        parser.add_argument("--base-url", default=docker_url(), help=text)
        parser.add_argument("--with-key", action="store_true", help=f"take the key from {KEY_VARIABLE} in any case")
        parser.add_argument("--override", action="store_true", help="print docker-compose.override.yml instead")

    def handle(self, *, base_url: str, with_key: bool, override: bool, **options: Any) -> None:
        """Print the file."""
        if not is_url(base_url):
            raise CommandError(f"--base-url: found {base_url!r}; expected one like http://host.docker.internal:8000/v1")
        write = override_text if override else config_text
        self.stdout.write(write(served_models(), base_url, with_key or needs_key()), ending="")
