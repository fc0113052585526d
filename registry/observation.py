"""What has been found out about a model by running it."""

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class Observation(models.Model):
    """What a model took of the memory and what went wrong with it last; written by the server, one for each model.

    measured_with: a hash of the configuration and the file that the numbers belong to. measured_devices: bytes on each
    GPU. error: empty if the model has been loaded since.
    """

    model = models.OneToOneField("registry.RegisteredModel", on_delete=models.CASCADE, related_name="observation")
    measured_host = models.PositiveBigIntegerField(null=True)
    measured_devices = models.JSONField(default=list)
    measured_with = models.CharField(max_length=64, blank=True)
    measured_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    error_log = models.TextField(blank=True)
    error_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("observation")
        verbose_name_plural = _("observations")

    def __str__(self) -> str:
        return gettext("observation of %(model)s") % {"model": self.model_id}
