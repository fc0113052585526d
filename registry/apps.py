"""The application that knows which models may be served."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class RegistryConfig(AppConfig):
    """Registered models, their generation defaults, and the commands that fill them."""

    name = "registry"
    verbose_name = _("Model registry")

    def ready(self) -> None:
        """Register the system checks, and have the changes of the tables counted."""
        from registry import checks, enabled_models  # noqa: F401
        from registry.table_versions import install

        post_migrate.connect(install, sender=self)
