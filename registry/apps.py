"""The application that knows which models may be served."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RegistryConfig(AppConfig):
    """Registered models, their generation defaults, and the commands that fill them."""

    name = "registry"
    verbose_name = _("Model registry")

    def ready(self) -> None:
        """Register the system checks."""
        from registry import checks  # noqa: F401
