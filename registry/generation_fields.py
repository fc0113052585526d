"""The parameters of generation, defined once for models, which have a value for each, and presets, which may have one.

Each function takes further options of the field. `OPEN` are those of a field that may be empty.
"""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import FloatField, JSONField, PositiveBigIntegerField, PositiveIntegerField, TextField
from django.utils.translation import gettext_lazy as _

from llmsite.config_models import MAX_INTEGER
from registry.validators import between, validate_above_zero, validate_stop

OPEN: dict[str, Any] = {"null": True, "blank": True}


def temperature(**options: Any) -> FloatField:
    return FloatField(_("temperature"), validators=between(0, 2), **options)


def top_p(**options: Any) -> FloatField:
    return FloatField(_("top p"), validators=[*between(0, 1), validate_above_zero], **options)


def top_k(**options: Any) -> PositiveIntegerField:
    return PositiveIntegerField(_("top k"), validators=between(0, 1000), **options)


def min_p(**options: Any) -> FloatField:
    return FloatField(_("min p"), validators=between(0, 1), **options)


def presence_penalty(**options: Any) -> FloatField:
    return FloatField(_("presence penalty"), validators=between(-2, 2), **options)


def frequency_penalty(**options: Any) -> FloatField:
    return FloatField(_("frequency penalty"), validators=between(-2, 2), **options)


def max_tokens(**options: Any) -> PositiveIntegerField:
    bounds = [MinValueValidator(1), MaxValueValidator(MAX_INTEGER)]
    return PositiveIntegerField(_("max tokens"), validators=bounds, **OPEN, **options)


def seed(**options: Any) -> PositiveBigIntegerField:
    return PositiveBigIntegerField(_("seed"), validators=[MaxValueValidator(2**32 - 1)], **OPEN, **options)


def stop(**options: Any) -> JSONField:
    return JSONField(_("stop strings"), blank=True, validators=[validate_stop], **options)


def system_prompt() -> TextField:
    return TextField(_("system prompt"), blank=True, help_text=_("Put in front of conversations that bring none."))
