"""How long a model stays in memory: fields of a registration that can change while it is loaded."""

from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from llmsite.config_models import MAX_INTEGER


class Residency(models.Model):
    """When a model is loaded and unloaded; no change of it reloads the model."""

    preload = models.BooleanField(
        _("load at start"), default=False, help_text=_("Load when the server starts, not on the first request.")
    )
    pinned = models.BooleanField(
        _("pinned"),
        default=False,
        help_text=_("Once loaded, never unload to make room for others or because nobody asks."),
    )
    idle_timeout = models.PositiveIntegerField(
        _("idle timeout"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(MAX_INTEGER)],
        help_text=_(
            "Seconds without a request after which the model is unloaded; 0: at once. "
            "Empty: as the configuration says (pool.idle_timeout)."
        ),
    )

    class Meta:
        abstract = True
