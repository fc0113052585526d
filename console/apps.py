"""The application whose pages an operator works with, beside the admin's own lists and forms."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConsoleConfig(AppConfig):
    """Dashboard, playground, LibreChat page; the look of the admin."""

    name = "console"
    verbose_name = _("Console")
