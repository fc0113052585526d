"""What may be served, how each model runs, and how it generates when a request says nothing."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from llmsite.config import resolve_path
from llmsite.config_models import MODEL_NAME_MAX_LENGTH
from registry import generation_fields
from registry.adapters import LoraAdapter
from registry.change_history import ChangeHistory
from registry.download_jobs import Download
from registry.draft_models import refuse_unfit_draft
from registry.gguf import GGUFError, modified_at, read_metadata
from registry.model_kinds import DIFFUSERS, Kind
from registry.model_tests import ModelTest
from registry.observation import Observation
from registry.presets import Preset
from registry.residency import Residency
from registry.runtime_settings import RuntimeSettings
from registry.table_versions import TableVersion
from registry.validators import (
    validate_chat_template,
    validate_model_name,
)

FROM_FILE = (
    *("kind", "architecture", "display_name", "parameter_count", "quantization", "trained_context", "layer_count"),
    *("embedding_length", "size_bytes", "chat_template", "bos_token", "eos_token", "file_mtime", "inspected_at"),
)
AUTO_CONTEXT_LIMIT = 8192
# Diffusion models have the logits of every token of a text in memory, twice: half a megabyte each for a vocabulary of
# 126,000, and they compute the whole text in each step.
DIFFUSION_CONTEXT_LIMIT = 2048
UNKNOWN_TRAINED_CONTEXT = 4096

__all__ = [
    "Download",
    "GenerationDefaults",
    "LoraAdapter",
    "ModelTest",
    "Observation",
    "Preset",
    "RegisteredModel",
    "TableVersion",
]


class RegisteredModelQuerySet(models.QuerySet):
    """Questions about registrations."""

    def enabled(self) -> "RegisteredModelQuerySet":
        """Return those that the API may serve."""
        return self.filter(enabled=True)

    def for_api(self, name: str) -> "RegisteredModel":
        """Return the enabled model `name` with all that belongs to it; raise RegisteredModel.DoesNotExist if none.

        Everything is fetched at once: what uses it may run where the database cannot be asked.
        """
        return self.enabled().select_related("defaults", "observation").prefetch_related("loras").get(name=name)


class RegisteredModel(RuntimeSettings, Residency):
    """A GGUF file with the name the API gives it and the settings it runs with."""

    name = models.CharField(
        _("name"),
        max_length=MODEL_NAME_MAX_LENGTH,
        unique=True,
        validators=[validate_model_name],
        help_text=_("What clients send as “model”: letters, digits and _.:/@+-, the first one a letter or a digit."),
    )
    path = models.CharField(
        _("file"),
        max_length=1024,
        help_text=_(
            "Path of the GGUF file on the server; a relative one starts in the project's folder. "
            "Of a split model give the first part."
        ),
    )
    enabled = models.BooleanField(_("enabled"), default=True, help_text=_("Only enabled models appear in the API."))

    chat_template_override = models.TextField(
        _("chat template override"),
        blank=True,
        validators=[validate_chat_template],
        help_text=_("A Jinja2 template to use instead of the one in the file."),
    )

    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices, default=Kind.CHAT, editable=False)
    architecture = models.CharField(_("architecture"), max_length=64, blank=True, editable=False)
    display_name = models.CharField(_("name in the file"), max_length=255, blank=True, editable=False)
    parameter_count = models.PositiveBigIntegerField(_("parameters"), null=True, editable=False)
    quantization = models.CharField(_("quantization"), max_length=32, blank=True, editable=False)
    trained_context = models.PositiveIntegerField(_("trained context"), null=True, editable=False)
    layer_count = models.PositiveIntegerField(_("layers"), null=True, editable=False)
    embedding_length = models.PositiveIntegerField(_("embedding length"), null=True, editable=False)
    size_bytes = models.PositiveBigIntegerField(_("size"), null=True, editable=False)
    chat_template = models.TextField(_("chat template"), blank=True, editable=False)
    bos_token = models.TextField(_("first token"), blank=True, editable=False)
    eos_token = models.TextField(_("end token"), blank=True, editable=False)
    file_mtime = models.DateTimeField(_("file changed"), null=True, editable=False)
    inspected_at = models.DateTimeField(_("file read"), null=True, editable=False)

    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = RegisteredModelQuerySet.as_manager()
    # Not what is read from the file: it follows from the path.
    history = ChangeHistory(excluded_fields=[*FROM_FILE, "created_at", "updated_at"])

    class Meta:
        ordering = ["name"]
        verbose_name = _("model")
        verbose_name_plural = _("models")
        permissions = [("load_registeredmodel", "Can load and unload models")]

    inspected_path: str | None = None

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and give a new model its generation defaults."""
        with transaction.atomic():
            super().save(*args, **kwargs)
            GenerationDefaults.objects.get_or_create(model=self)

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> "RegisteredModel":
        """Remember which path the stored metadata was read from."""
        instance = super().from_db(*args, **kwargs)
        if instance.__dict__.get("inspected_at"):
            instance.inspected_path = instance.__dict__.get("path")
        return instance

    def clean(self) -> None:
        """Read the file when needed; refuse one that cannot be served, and settings that do not fit it."""
        self._check_name()
        if self.path and self.needs_inspection:
            try:
                self.inspect()
            except GGUFError as error:
                raise ValidationError({"path": str(error)}) from error
        self._check_context()
        if self.kind == Kind.CHAT:
            self.check_settings(self.context_length)
            self._check_draft_model()

    def _check_name(self) -> None:
        if Preset.objects.filter(name=self.name).exists():
            reason = _("“%(name)s” is the name of a preset.")
            raise ValidationError({"name": ValidationError(reason, code="taken", params={"name": self.name})})

    def _check_context(self) -> None:
        if self.ctx_size and self.trained_context and self.ctx_size > self.trained_context:
            reason = _("%(ctx_size)d is more than the %(trained)d tokens that the model was trained for.")
            params = {"ctx_size": self.ctx_size, "trained": self.trained_context}
            raise ValidationError({"ctx_size": ValidationError(reason, code="over_trained_context", params=params)})

    def _check_draft_model(self) -> None:
        """Compare the draft model's vocabulary with the model's; nothing can be compared with a file that is gone."""
        if not self.draft_model or modified_at(self.resolved_path) is None:
            return
        try:
            refuse_unfit_draft(self.resolved_path, resolve_path(self.draft_model))
        except GGUFError as error:
            raise ValidationError({"draft_model": str(error)}) from error

    def inspect(self) -> None:
        """Read the file's metadata into this object, unsaved; raise GGUFError and change nothing if it is no use."""
        for field, value in asdict(read_metadata(self.resolved_path)).items():
            setattr(self, field, value)
        self.inspected_at = timezone.now()
        self.inspected_path = self.path

    @property
    def needs_inspection(self) -> bool:
        """Whether what is known was read from another path or from an older file (a missing file is no reason)."""
        return self.inspected_path != self.path or modified_at(self.resolved_path) not in (None, self.file_mtime)

    @property
    def resolved_path(self) -> Path:
        """The file as an absolute path."""
        return resolve_path(self.path)

    @property
    def effective_chat_template(self) -> str:
        """The template to render with: the override, else the file's, else ""."""
        return self.chat_template_override or self.chat_template

    @property
    def context_length(self) -> int:
        """Tokens that one conversation, or one text to embed, may use."""
        return self.ctx_size or min(self.trained_context or UNKNOWN_TRAINED_CONTEXT, self.auto_context_limit)

    @property
    def auto_context_limit(self) -> int:
        """The most tokens of context that a model gets without being given more."""
        return DIFFUSION_CONTEXT_LIMIT if self.is_diffusion else AUTO_CONTEXT_LIMIT

    @property
    def is_diffusion(self) -> bool:
        """Whether it fills in a whole answer instead of writing token after token."""
        return self.architecture in DIFFUSERS


class GenerationDefaults(models.Model):
    """How a model generates where a request says nothing; every model has exactly one."""

    model = models.OneToOneField(RegisteredModel, on_delete=models.CASCADE, related_name="defaults")
    temperature = generation_fields.temperature(default=0.8, help_text=_("0 always takes the likeliest token."))
    top_p = generation_fields.top_p(
        default=0.95, help_text=_("Keep the likeliest tokens that together reach this probability; 1 keeps all.")
    )
    top_k = generation_fields.top_k(default=40, help_text=_("Keep this many tokens; 0 keeps all."))
    min_p = generation_fields.min_p(
        default=0.05, help_text=_("Drop tokens less likely than this part of the likeliest one; 0 keeps all.")
    )
    presence_penalty = generation_fields.presence_penalty(default=0)
    frequency_penalty = generation_fields.frequency_penalty(default=0)
    max_tokens = generation_fields.max_tokens(
        help_text=_("Length limit of an answer. Empty: until the context is full.")
    )
    stop = generation_fields.stop(default=list, help_text=_("A JSON list of up to 16 strings at which an answer ends."))
    seed = generation_fields.seed(help_text=_("Empty: a different one for every request."))
    system_prompt = generation_fields.system_prompt()

    history = ChangeHistory()

    class Meta:
        verbose_name = _("generation defaults")
        verbose_name_plural = _("generation defaults")

    def __str__(self) -> str:
        return gettext("defaults of %(name)s") % {"name": self.model}

    def overlaid(self, values: dict[str, Any]) -> "GenerationDefaults":
        """Return a copy with other values in the place of its own, which is no row of the database."""
        fields = {field.attname: getattr(self, field.attname) for field in self._meta.concrete_fields}
        return GenerationDefaults(**{**fields, "id": None, **values})

    def clean(self) -> None:
        """An emptied form field means no stop strings, not null."""
        self.stop = self.stop or []
