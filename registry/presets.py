"""Further names for a registered model, each with its own way to generate, over the same loaded weights."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _

from llmsite.config_models import MODEL_NAME_MAX_LENGTH
from registry import generation_fields
from registry.change_history import ChangeHistory
from registry.generation_fields import OPEN
from registry.model_kinds import Kind
from registry.validators import (
    validate_field_names,
    validate_model_name,
    validate_parameters,
    validate_tool_names,
)

# Sent by `Preset.clean` with `instance`, so that whoever knows the parameters of requests can look at the rules.
# Receivers raise ValidationError. The values may be of any type.
rules_checked = Signal()

DEFAULTS = (
    *("temperature", "top_p", "top_k", "min_p", "presence_penalty", "frequency_penalty"),
    *("max_tokens", "seed", "stop"),
)
RULES = ("forced", "stripped", "allowed_tools", "reasoning")


class Reasoning(models.TextChoices):
    """How much a preset lets the model think, whatever the request says."""

    AS_REQUESTED = "", _("as requested")
    NONE = "none", _("off")
    LOW = "low", _("low")
    MEDIUM = "medium", _("medium")
    HIGH = "high", _("high")


class PresetQuerySet(models.QuerySet):
    """Questions about presets."""

    def for_api(self, name: str) -> "Preset | None":
        """Return the enabled preset `name` of an enabled model with all that belongs to it."""
        belongings = ("model__defaults", "model__observation")
        presets = self.filter(name=name, enabled=True, model__enabled=True).select_related(*belongings)
        return presets.prefetch_related("model__loras").first()


class Preset(models.Model):
    """A name in the API that is answered by a registered model, with defaults and rules of its own."""

    name = models.CharField(
        _("name"),
        max_length=MODEL_NAME_MAX_LENGTH,
        unique=True,
        validators=[validate_model_name],
        help_text=_("What clients send as “model”; no registered model may have it."),
    )
    model = models.ForeignKey(
        "RegisteredModel", verbose_name=_("model"), on_delete=models.CASCADE, related_name="presets"
    )
    enabled = models.BooleanField(_("enabled"), default=True, help_text=_("Only enabled presets appear in the API."))
    description = models.CharField(_("description"), max_length=255, blank=True)

    # What is empty here comes from the model's generation defaults.
    temperature = generation_fields.temperature(**OPEN)
    top_p = generation_fields.top_p(**OPEN)
    top_k = generation_fields.top_k(**OPEN)
    min_p = generation_fields.min_p(**OPEN)
    presence_penalty = generation_fields.presence_penalty(**OPEN)
    frequency_penalty = generation_fields.frequency_penalty(**OPEN)
    max_tokens = generation_fields.max_tokens()
    seed = generation_fields.seed()
    stop = generation_fields.stop(
        null=True, help_text=_("A JSON list of up to 16 strings. Empty: those of the model; [] for none.")
    )
    system_prompt = generation_fields.system_prompt()

    forced = models.JSONField(
        _("forced parameters"),
        default=dict,
        blank=True,
        validators=[validate_parameters],
        help_text=_('A JSON object of request parameters that hold whatever the request says: {"temperature": 0}.'),
    )
    stripped = models.JSONField(
        _("ignored parameters"),
        default=list,
        blank=True,
        validators=[validate_field_names],
        help_text=_('A JSON list of request parameters to take no notice of: ["seed", "logit_bias"].'),
    )
    allowed_tools = models.JSONField(
        _("allowed tools"),
        null=True,
        blank=True,
        validators=[validate_tool_names],
        help_text=_("A JSON list of the function names that requests may offer. Empty: any; [] for none."),
    )
    reasoning = models.CharField(
        _("reasoning"), max_length=8, choices=Reasoning.choices, default=Reasoning.AS_REQUESTED, blank=True
    )

    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = PresetQuerySet.as_manager()

    history = ChangeHistory(excluded_fields=["created_at", "updated_at"])

    class Meta:
        verbose_name = _("preset")
        verbose_name_plural = _("presets")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a model's name and rules that no request could follow; an emptied form field means no rule."""
        self.forced = self.forced or {}
        self.stripped = self.stripped or []
        self._check_name()
        self._check_kind()
        rules_checked.send(sender=type(self), instance=self)

    def defaults(self) -> dict[str, Any]:
        """Return the generation defaults that this preset sets, by name; the others are the model's."""
        values = {name: value for name in DEFAULTS if (value := getattr(self, name)) is not None}
        return {**values, "system_prompt": self.system_prompt} if self.system_prompt else values

    def rules(self) -> dict[str, Any]:
        """Return the rules that this preset sets, by name."""
        values = {name: getattr(self, name) for name in RULES}
        return {name: value for name, value in values.items() if value or (name == "allowed_tools" and value == [])}

    def _check_name(self) -> None:
        models_table = self._meta.get_field("model").related_model.objects
        if models_table.filter(name=self.name).exists():
            reason = _("“%(name)s” is the name of a registered model.")
            raise ValidationError({"name": ValidationError(reason, code="taken", params={"name": self.name})})

    def _check_kind(self) -> None:
        """Let presets of embedding and rerank models be nothing but further names."""
        names = [*self.defaults(), *self.rules()]
        if self.model_id is None or self.model.kind == Kind.CHAT or not names:
            return
        reason = _(
            "The model “%(model)s” generates nothing (%(kind)s), so its presets are names only: leave this empty."
        )
        error = ValidationError(reason, code="generates_nothing", params={"model": self.model, "kind": self.model.kind})
        raise ValidationError(dict.fromkeys(names, error))
