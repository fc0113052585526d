"""LoRA adapters: small files of changes to a model's weights, which are applied when it is loaded."""

from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from gguf import Keys

from llmsite.config import resolve_path
from registry.change_history import ChangeHistory
from registry.gguf import GGUFError, read_part
from registry.validators import validate_finite

ADAPTER = "adapter"
LORA = "lora"


class LoraAdapter(models.Model):
    """An adapter of one registration; its other adapters are applied with it."""

    model = models.ForeignKey(
        "registry.RegisteredModel", on_delete=models.CASCADE, related_name="loras", verbose_name=_("model")
    )
    path = models.CharField(
        _("file"),
        max_length=1024,
        help_text=_("Path of the adapter's GGUF file on the server; a relative one starts in the project's folder."),
    )
    scale = models.FloatField(
        _("scale"),
        default=1.0,
        validators=[validate_finite],
        help_text=_("How strongly it changes the model: 1 as it was trained, 0 not at all."),
    )
    order = models.PositiveSmallIntegerField(_("order"), default=0, help_text=_("Lower numbers come first."))

    history = ChangeHistory()

    class Meta:
        ordering = ["order", "pk"]
        verbose_name = _("LoRA adapter")
        verbose_name_plural = _("LoRA adapters")

    def __str__(self) -> str:
        return f"{self.path} × {self.scale:g}"

    def clean(self) -> None:
        """Refuse a file that is no adapter, or one for another architecture."""
        if not self.path:
            return
        try:
            refuse_unfit_adapter(self.resolved_path, self.model.architecture)
        except GGUFError as error:
            raise ValidationError({"path": str(error)}) from error

    @property
    def resolved_path(self) -> Path:
        """The file as an absolute path."""
        return resolve_path(self.path)


def refuse_unfit_adapter(path: Path, architecture: str) -> None:
    """Raise GGUFError if `path` is no LoRA adapter for models of this architecture ("": one that is not known)."""
    fields = read_part(path).fields
    kind = fields.get(Keys.General.TYPE, "model")
    if kind != ADAPTER:
        raise GGUFError(f"{path} is no adapter: its {Keys.General.TYPE} is {kind!r}, expected {ADAPTER!r}.")
    _refuse_value(path, fields, Keys.Adapter.TYPE, LORA)
    if architecture:
        _refuse_value(path, fields, Keys.General.ARCHITECTURE, architecture)


def _refuse_value(path: Path, fields: dict[str, Any], key: str, expected: str) -> None:
    if fields.get(key) != expected:
        raise GGUFError(f"{path} does not fit this model: its {key} is {fields.get(key)!r}, expected {expected!r}.")
