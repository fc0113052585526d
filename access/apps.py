"""The application that knows who may use the API, and how much."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccessConfig(AppConfig):
    """API keys, their limits, and the roles of the admin's users."""

    name = "access"
    verbose_name = _("Access")

    def ready(self) -> None:
        """Listen for changes, and keep the groups of the roles."""
        from access import signals  # noqa: F401 - models must be there first
        from access.roles import update_roles

        post_migrate.connect(update_roles, sender=self)
