"""manage.py download_model"""

from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.download_progress import progress_for
from registry.download_sources import DownloadError, resolve_source
from registry.downloads import FileDownload, target_for
from registry.models import Preset
from registry.registration import RegistrationError, is_database_ready, portable_path, register
from registry.validators import validate_model_name


class Command(BaseCommand):
    """Downloads a model."""

    help = "Download a GGUF file, going on where an interrupted download stopped."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Where from, where to, and what to do then."""
        parser.add_argument("--model-url", required=True, help="https://…, http://… or hf:owner/repo[@revision]/file")
        parser.add_argument("--output-path", required=True, help="the file to write, or a folder to write it to")
        parser.add_argument("--sha256", help="the expected sha256 (of hub files it is known anyway)")
        parser.add_argument("--register", metavar="NAME", help="register the model under this name afterwards")
        parser.add_argument("--force", action="store_true", help="replace an existing file that is another one")

    def handle(self, *args: Any, **options: Any) -> None:
        """Download and perhaps register."""
        if options["register"]:
            self._check_registrable(options["register"])
        target = self._download(options)
        if options["register"]:
            self._register(options["register"], target)

    def _download(self, options: dict[str, Any]) -> Path:
        download = None
        try:
            source = resolve_source(options["model_url"], options["sha256"])
            target = target_for(options["output_path"], source)
            download = FileDownload(source, target, progress_for(self.stdout))
            download.run(force=options["force"])
        except DownloadError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.filename or options['output_path']}: {error.strerror}.") from error
        except KeyboardInterrupt:
            raise CommandError(f"Interrupted. {download.how_to_resume() if download else ''}", returncode=130) from None
        self.stdout.write(f"downloaded: {target}")
        return target

    def _check_registrable(self, name: str) -> None:
        """Find out before the gigabytes, not after."""
        try:
            validate_model_name(name)
        except ValidationError as error:
            raise CommandError(error.messages[0]) from error
        if not is_database_ready():
            raise CommandError("The database is not set up yet: run `python manage.py setup` first.")
        if Preset.objects.filter(name=name).exists():
            raise CommandError(f"{name!r} is the name of a preset: choose another one.")

    def _register(self, name: str, path: Path) -> None:
        try:
            _, outcome = register(name, {"path": portable_path(path)}, {})
        except RegistrationError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"model {name}: {outcome}")
