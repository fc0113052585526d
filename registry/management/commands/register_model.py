"""manage.py register_model"""

import os
from argparse import SUPPRESS, ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import models

from registry.models import GenerationDefaults, RegisteredModel
from registry.registration import RegistrationError, is_database_ready, portable_path, register
from registry.residency import Residency
from registry.runtime_settings import RuntimeSettings

RUNTIME_FIELDS = tuple(field.name for base in (RuntimeSettings, Residency) for field in base._meta.get_fields())
DEFAULT_FIELDS = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "presence_penalty",
    "frequency_penalty",
    "max_tokens",
    "seed",
    "system_prompt",
)


class Command(BaseCommand):
    """Registers one GGUF file."""

    help = "Register a GGUF file under a name, or update the model of that name; options not given stay as they are."

    def add_arguments(self, parser: CommandParser) -> None:
        """Make one option of each field, described by the field itself."""
        parser.add_argument("path", help="the GGUF file; of a split model the first part")
        parser.add_argument("--name", required=True, help="what clients send as “model”")
        for model, names in ((RegisteredModel, RUNTIME_FIELDS), (GenerationDefaults, DEFAULT_FIELDS)):
            for name in names:
                field = model._meta.get_field(name)
                option = f"--{name.replace('_', '-')}"
                parser.add_argument(option, type=_parser_of(field), default=SUPPRESS, help=str(field.help_text))
        parser.add_argument(
            "--lora",
            action="append",
            dest="loras",
            metavar="PATH[=SCALE]",
            type=_lora,
            default=SUPPRESS,
            help="a LoRA adapter; may be given several times, and then replaces all that the model had",
        )
        parser.add_argument(
            "--stop", action="append", default=SUPPRESS, help="a stop string; may be given several times"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Register and say what happened."""
        if not is_database_ready():
            raise CommandError("The database is not set up yet: run `python manage.py setup` first.")
        settings = {name: options[name] for name in (*RUNTIME_FIELDS, "loras") if name in options}
        if settings.get("draft_model"):
            settings["draft_model"] = _path(settings["draft_model"])
        defaults = {name: options[name] for name in (*DEFAULT_FIELDS, "stop") if name in options}
        try:
            model, outcome = register(options["name"], {"path": _path(options["path"]), **settings}, defaults)
        except RegistrationError as error:
            raise CommandError(str(error)) from error
        details = f"{model.kind}, {model.architecture}, context {model.context_length}"
        self.stdout.write(f"model {model.name}: {outcome} ({details})")


def _path(given: str) -> str:
    """Take a path from where the command was called, if there is a file, else as it stands."""
    return portable_path(Path(given)) if Path(os.path.expanduser(given)).exists() else given  # noqa: PTH111


def _lora(given: str) -> tuple[str, float]:
    """Return an adapter's path and scale; an = whose right side is no number belongs to the path."""
    path, _, scale = given.rpartition("=")
    try:
        return _path(path), float(scale)
    except ValueError:
        return _path(given), 1.0


def _parser_of(field: models.Field) -> Callable[[str], Any]:
    """Return what turns an option's text into a value of `field`; "auto" is None where the field may be empty."""

    def parse(text: str) -> Any:
        if field.null and text == "auto":
            return None
        is_flag = isinstance(field, models.BooleanField)
        try:
            return field.to_python(text.title() if is_flag else text)
        except ValidationError:
            word = "true or false" if is_flag else "a number"
            allowed = f"auto or {word}" if field.null else word
            raise ArgumentTypeError(f"{text!r} is not allowed, expected {allowed}") from None

    return parse
