"""The admin of the registry: what may be served and how."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from registry.formatting import human_bytes, human_count
from registry.model_kinds import Kind
from registry.models import GenerationDefaults, RegisteredModel

admin.site.site_header = admin.site.site_title = "llmsite"
admin.site.index_title = _("Administration")


class GenerationDefaultsFormSet(forms.BaseInlineFormSet):
    """Fills the defaults that saving a new model has already created, instead of adding a second row."""

    def save_new(self, form: forms.ModelForm, commit: bool = True) -> GenerationDefaults:
        """Save the form over the row that exists."""
        form.instance.pk = self.instance.defaults.pk
        form.instance._state.adding = False
        return super().save_new(form, commit)


class GenerationDefaultsInline(admin.StackedInline):
    """The one set of defaults of a model."""

    model = GenerationDefaults
    formset = GenerationDefaultsFormSet
    can_delete = False
    min_num = max_num = 1
    fields = [
        ("temperature", "top_p", "top_k", "min_p"),
        ("presence_penalty", "frequency_penalty"),
        ("max_tokens", "seed"),
        "stop",
        "system_prompt",
    ]


@admin.register(RegisteredModel)
class RegisteredModelAdmin(admin.ModelAdmin):
    """Registers GGUF files; saving reads the file, and a file that is no use is an error on its path."""

    list_display = ["name", "kind", "architecture", "parameters", "quantization", "context", "size", "enabled"]
    list_filter = ["enabled", "kind", "architecture", "quantization"]
    search_fields = ["name", "path", "display_name"]
    actions = ["enable", "disable"]
    inlines = [GenerationDefaultsInline]
    metadata_fields = [
        "display_name",
        "kind",
        "architecture",
        "parameters",
        "quantization",
        "trained_context",
        "layer_count",
        "embedding_length",
        "size",
        "bos_token",
        "eos_token",
        "chat_template",
        "file_mtime",
        "inspected_at",
    ]
    readonly_fields = metadata_fields
    fieldsets = [
        (None, {"fields": ["name", "path", "enabled"]}),
        (
            _("How it runs"),
            {"fields": [("ctx_size", "parallel"), ("gpu_layers", "threads"), "chat_template_override"]},
        ),
    ]
    metadata_fieldset = (_("Read from the file"), {"fields": metadata_fields})

    def get_fieldsets(self, request: HttpRequest, obj: RegisteredModel | None = None) -> list:
        """Show what was read from the file only once there is one."""
        fieldsets = [*super().get_fieldsets(request, obj)]
        return fieldsets if obj is None else [*fieldsets, self.metadata_fieldset]

    def get_inlines(self, request: HttpRequest, obj: RegisteredModel | None) -> list:
        """Show no generation defaults of a model that generates nothing."""
        return [] if obj and obj.kind != Kind.CHAT else self.inlines

    @admin.display(description=_("parameters"), ordering="parameter_count")
    def parameters(self, model: RegisteredModel) -> str:
        """Return the number of weights, for people."""
        return human_count(model.parameter_count)

    @admin.display(description=_("context"))
    def context(self, model: RegisteredModel) -> int:
        """Return the tokens one conversation, or one text to embed, may use."""
        return model.context_length

    @admin.display(description=_("size"), ordering="size_bytes")
    def size(self, model: RegisteredModel) -> str:
        """Return the bytes of all parts, for people."""
        return human_bytes(model.size_bytes)

    @admin.action(description=_("Enable selected models"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet) -> None:
        """Let the API serve the selected models."""
        count = self._set_enabled(request, queryset, True)
        text = ngettext("%d model is enabled now.", "%d models are enabled now.", count)
        self.message_user(request, text % count, messages.SUCCESS)

    @admin.action(description=_("Disable selected models"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet) -> None:
        """Hide the selected models from the API."""
        count = self._set_enabled(request, queryset, False)
        text = ngettext("%d model is disabled now.", "%d models are disabled now.", count)
        self.message_user(request, text % count, messages.SUCCESS)

    def _set_enabled(self, request: HttpRequest, queryset: QuerySet, enabled: bool) -> int:
        """Save each model on its own, so that signals and the history see it; return how many changed."""
        changed: list[Any] = list(queryset.exclude(enabled=enabled))
        for model in changed:
            model.enabled = enabled
            model.save(update_fields=["enabled", "updated_at"])
            self.log_change(request, model, [{"changed": {"fields": ["enabled"]}}])
        return len(changed)
