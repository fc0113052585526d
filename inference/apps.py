from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InferenceConfig(AppConfig):
    """The engines, the pool that holds them, and the API in front."""

    name = "inference"
    verbose_name = _("Inference")

    def ready(self) -> None:
        from inference import preset_checks, signals  # noqa: F401 - connects the receivers
