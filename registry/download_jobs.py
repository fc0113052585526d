"""Downloads that somebody has begun in the admin."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from llmsite.config import resolve_path
from registry.download_sources import without_secrets


class State(models.TextChoices):
    """What becomes of a download."""

    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    PAUSED = "paused", _("paused")
    FAILED = "failed", _("failed")
    DONE = "done", _("done")
    CANCELLED = "cancelled", _("cancelled")


UNFINISHED = (State.QUEUED, State.RUNNING, State.PAUSED)


class DownloadQuerySet(models.QuerySet):
    """Moves downloads from one state to another; each tells how many were in a state that allows it."""

    def claim(self) -> int:
        """Begin what waits."""
        return self.filter(state=State.QUEUED).update(state=State.RUNNING, error="", started_at=timezone.now())

    def requeue(self, *states: State) -> int:
        """Let those in `states` wait for their turn again. Raises IntegrityError if another one has their file."""
        return self.filter(state__in=states).update(state=State.QUEUED, error="", speed=None)

    def settle(self, state: State, *states: State, **fields: Any) -> int:
        """Take those in `states` out of the queue."""
        return self.filter(state__in=states).update(state=state, speed=None, **fields)


class Download(models.Model):
    """One model on its way, which may have several files."""

    source = models.CharField(_("source"), max_length=1024, editable=False)
    # Of each file, in order: {"source": what resolve_source takes, "name", "size" and "sha256" if they are known}.
    parts = models.JSONField(_("files"), default=list, editable=False)
    target = models.CharField(_("file"), max_length=1024, editable=False)  # of the first part; all go to its folder
    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=State.QUEUED, editable=False)
    done_bytes = models.PositiveBigIntegerField(_("arrived"), default=0, editable=False)
    total_bytes = models.PositiveBigIntegerField(_("size"), null=True, editable=False)
    speed = models.PositiveBigIntegerField(_("speed"), null=True, editable=False)  # bytes a second
    error = models.TextField(_("error"), blank=True, editable=False)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("begun by"),
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True, editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)

    objects = DownloadQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("download")
        verbose_name_plural = _("downloads")
        constraints = [
            models.UniqueConstraint(
                fields=["target"], condition=Q(state__in=UNFINISHED), name="one_unfinished_download_of_a_file"
            )
        ]
        indexes = [models.Index(fields=["state"], name="download_state")]

    def __str__(self) -> str:
        return self.shown_source

    @property
    def shown_source(self) -> str:
        """Where it comes from, without what may be secret."""
        return without_secrets(self.source)

    @property
    def targets(self) -> list[Path]:
        """The file of each part."""
        folder = resolve_path(self.target).parent
        return [folder / part["name"] for part in self.parts]

    @property
    def known_size(self) -> int | None:
        """The bytes of all parts, None if those of one are not known."""
        sizes = [part.get("size") for part in self.parts]
        return None if None in sizes else sum(sizes)
