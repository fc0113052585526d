"""What a model has shown that it can do: one row for each run of the test set."""

from typing import Any

from django.db import models
from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext_lazy as _

MAX_RUNS = 20  # kept for each model


class TestState(models.TextChoices):
    """How a run has ended."""

    FINISHED = "finished", _("finished")
    CANCELLED = "cancelled", _("cancelled")
    UNLOADED = "unloaded", _("the model has left the memory")
    FAILED = "failed", _("the model could not be loaded")


class ModelTestQuerySet(models.QuerySet):
    """Questions about runs."""

    def prune(self, model_id: int) -> None:
        """Delete the oldest runs of a model, those beyond MAX_RUNS."""
        kept = self.filter(model_id=model_id).values_list("pk", flat=True)[:MAX_RUNS]
        self.filter(model_id=model_id).exclude(pk__in=list(kept)).delete()


class ModelTest(models.Model):
    """A run of the test set, written by the server when it has ended.

    steps: in their order, each `{name, passed, message, params, seconds}`; the message is to be translated and filled
    with params. capabilities: what the steps have shown, by name, as far as they came.
    settings: what the model ran with. settings_hash: tells whether it still would run so.
    """

    model = models.ForeignKey(
        "registry.RegisteredModel", verbose_name=_("model"), on_delete=models.CASCADE, related_name="tests"
    )
    started_at = models.DateTimeField(_("started"))
    seconds = models.FloatField(_("duration, s"))
    state = models.CharField(_("state"), max_length=16, choices=TestState.choices)
    steps = models.JSONField(_("steps"), default=list)
    capabilities = models.JSONField(_("capabilities"), default=dict)
    settings = models.JSONField(_("settings"), default=dict)
    settings_hash = models.CharField(max_length=64, blank=True)

    objects = ModelTestQuerySet.as_manager()

    class Meta:
        verbose_name = _("test run")
        verbose_name_plural = _("test runs")
        ordering = ["-started_at", "-pk"]
        indexes = [models.Index(fields=["model", "-started_at"], name="registry_test_newest")]

    def __str__(self) -> str:
        return f"{self.model_id}, {self.started_at:%Y-%m-%d %H:%M}"

    @property
    def num_passed(self) -> int:
        return sum(step["passed"] for step in self.steps)


def newest_capabilities() -> Subquery:
    """Return what the newest finished run of each model has shown, to annotate registrations with; None: never run."""
    finished = ModelTest.objects.filter(model=OuterRef("pk"), state=TestState.FINISHED)
    return Subquery(finished.values("capabilities")[:1])


def newest_test(model_id: Any) -> ModelTest | None:
    """Return the newest finished run of a model."""
    return ModelTest.objects.filter(model_id=model_id, state=TestState.FINISHED).first()
