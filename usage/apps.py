"""The application that knows what was asked for and what it took."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UsageConfig(AppConfig):
    """The request log, its sums by the hour, metrics."""

    name = "usage"
    verbose_name = _("Usage")
