"""manage.py create_key"""

from argparse import ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from access.models import APIKey, Priority
from registry.models import Preset, RegisteredModel

LIMITS = ("requests_per_minute", "tokens_per_minute", "tokens_per_day", "max_concurrent")


class Command(BaseCommand):
    """Gives out keys on servers without a browser at hand."""

    help = "Make an API key and print it. It is shown only now."

    def add_arguments(self, parser: CommandParser) -> None:
        """Name the key's fields."""
        parser.add_argument("--name", required=True, help="who or what uses the key")
        parser.add_argument("--models", type=_names, metavar="A,B", help="models and presets it may use; else all")
        parser.add_argument("--admin", action="store_true", help="it may load and unload models")
        parser.add_argument("--expires", type=_moment, metavar="DATE", help="as in 2030-12-31 or 2030-12-31T18:00Z")
        parser.add_argument("--priority", choices=[each.name.lower() for each in Priority], default="normal")
        for limit in LIMITS:
            parser.add_argument(f"--{limit.replace('_', '-')}", type=int, metavar="N")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Save the key and print its text alone, so that scripts can take it."""
        models, presets = _chosen(options["models"] or [])
        key = APIKey(
            name=options["name"],
            is_admin=options["admin"],
            all_models=options["models"] is None,
            expires_at=options["expires"],
            priority=Priority[options["priority"].upper()],
            **{limit: options[limit] for limit in LIMITS},
        )
        text = key.renew()
        try:
            key.full_clean()
        except ValidationError as error:
            raise CommandError("; ".join(_problems(error))) from None
        key.save()
        key.allowed_models.set(models)
        key.allowed_presets.set(presets)
        self.stderr.write(f"{key.name}: this key is shown only now.")
        self.stdout.write(text)


def _problems(error: ValidationError) -> list[str]:
    return [f"--{field.replace('_', '-')}: {' '.join(texts)}" for field, texts in error.message_dict.items()]


def _chosen(names: list[str]) -> tuple[list[RegisteredModel], list[Preset]]:
    """Return the models and presets of these names; raise CommandError if there is none for one of them."""
    models = list(RegisteredModel.objects.filter(name__in=names))
    presets = list(Preset.objects.filter(name__in=names))
    unknown = set(names) - {each.name for each in (*models, *presets)}
    if unknown:
        raise CommandError(f"--models: no model or preset is named {', '.join(sorted(unknown))}")
    return models, presets


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise ArgumentTypeError(f"expected names separated by commas, got {text!r}")
    return names


def _moment(text: str) -> datetime:
    """Read a date, whose beginning (UTC) is meant, or a time."""
    try:
        day = parse_date(text)
        moment = datetime(day.year, day.month, day.day) if day else parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        raise ArgumentTypeError(f"expected a date like 2030-12-31 or a time like 2030-12-31T18:00Z, got {text!r}")
    moment = moment if timezone.is_aware(moment) else timezone.make_aware(moment)
    if moment <= timezone.now():
        raise ArgumentTypeError(f"{text} is over")
    return moment
