"""The admin of the registry: what may be served and how."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.admin import StackedInline, TabularInline
from unfold.decorators import display
from unfold.forms import PaginationInlineFormSet

from registry.clone_action import CloneActionMixin
from registry.cloning import clone_registration
from registry.enable_actions import EnableActionsMixin
from registry.formatting import human_bytes, human_count
from registry.history_admin import HistoryAdmin
from registry.model_history import ModelHistoryMixin
from registry.model_kinds import Kind
from registry.models import GenerationDefaults, LoraAdapter, RegisteredModel
from registry.path_fields import AdapterPathForm, ModelPathsForm
from registry.preset_admin import PresetAdmin
from registry.preset_links import PresetLinksMixin
from registry.strict_actions import StrictActionsMixin

__all__ = ["PresetAdmin", "RegisteredModelAdmin"]

admin.site.index_title = _("Administration")


class GenerationDefaultsFormSet(PaginationInlineFormSet):
    """Fills the defaults that saving a new model has already created, instead of adding a second row."""

    def save_new(self, form: forms.ModelForm, commit: bool = True) -> GenerationDefaults:
        """Save the form over the row that exists."""
        form.instance.pk = self.instance.defaults.pk
        form.instance._state.adding = False
        return super().save_new(form, commit)


class GenerationDefaultsInline(StackedInline):
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


class LoraAdapterInline(TabularInline):
    """The adapters of a model; they are checked against its architecture."""

    model = LoraAdapter
    form = AdapterPathForm
    fields = ["path", "scale", "order"]
    extra = 0
    verbose_name_plural = _("Adapters")
    collapsible = True


def _collapsed(title: str, *fields: str | tuple[str, ...]) -> tuple[str, dict]:
    return title, {"fields": list(fields), "classes": ["collapse"]}


@admin.register(RegisteredModel)
class RegisteredModelAdmin(
    ModelHistoryMixin, StrictActionsMixin, PresetLinksMixin, EnableActionsMixin, CloneActionMixin, HistoryAdmin
):
    """Registers GGUF files; saving reads the file, and a file that is no use is an error on its path."""

    form = ModelPathsForm
    list_display = ["name", "kind", "weights", "context", "enabled"]
    list_filter = ["enabled", "kind", "architecture", "quantization"]
    search_fields = ["name", "path", "display_name"]
    make_clone = clone_registration
    actions = ["enable", "disable", "clone"]
    inlines = [GenerationDefaultsInline, LoraAdapterInline]
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
    readonly_fields = [*metadata_fields, "preset_links"]
    fieldsets = [
        (None, {"fields": ["name", "path", "enabled"]}),
        (
            _("How it runs"),
            {"fields": [("ctx_size", "parallel"), "chat_template_override"]},
        ),
        (_("In memory"), {"fields": [("preload", "pinned"), "idle_timeout"]}),
        _collapsed(
            _("Memory"),
            ("kv_layout", "kv_cells"),
            ("kv_type_k", "kv_type_v"),
            "host_cache_mb",
            ("use_mmap", "use_mlock"),
        ),
        _collapsed(
            _("Speed"),
            ("threads", "threads_batch"),
            ("n_batch", "n_ubatch"),
            ("flash_attention", "step_target_ms"),
        ),
        _collapsed(_("GPU"), ("gpu_layers", "cpu_moe_layers"), ("split_mode", "main_gpu"), "tensor_split"),
        _collapsed(_("Speculative decoding"), ("speculation", "draft_max"), "draft_model"),
    ]
    # Of models that write nothing, or keep nothing of what they have computed, these would change nothing.
    chat_fields = (
        *("kv_layout", "kv_cells", "host_cache_mb", "n_ubatch", "step_target_ms"),
        *("speculation", "draft_max", "draft_model"),
    )
    memory_fields = ("n_batch", "kv_type_k", "kv_type_v")  # nor would these of the latter
    metadata_fieldset = (_("Read from the file"), {"fields": metadata_fields})

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Lead to the pages that help to choose a file; the form with all settings is behind ?plain=1."""
        is_asked_for = request.method != "GET" or "plain" in request.GET or "_popup" in request.GET
        if is_asked_for or not self.has_add_permission(request):
            return super().add_view(request, *args, **kwargs)
        return HttpResponseRedirect(reverse("add_model:choose"))

    def get_fieldsets(self, request: HttpRequest, obj: RegisteredModel | None = None) -> list:
        """Show what was read from the file only once there is one, and of a model only what it can use."""
        fieldsets = [*super().get_fieldsets(request, obj)]
        if obj is None:
            return fieldsets
        fieldsets = [kept for fieldset in fieldsets if (kept := _without(fieldset, self._unused_fields(obj)))]
        return [*fieldsets, *self.preset_fieldsets(request, obj), self.metadata_fieldset]

    def _unused_fields(self, model: RegisteredModel) -> Collection[str]:
        if model.is_diffusion:
            return (*self.chat_fields, *self.memory_fields)
        return () if model.kind == Kind.CHAT else self.chat_fields

    def get_inlines(self, request: HttpRequest, obj: RegisteredModel | None) -> list:
        """Show no generation defaults of a model that generates nothing."""
        is_other = obj is not None and obj.kind != Kind.CHAT
        return [inline for inline in self.inlines if not (is_other and inline is GenerationDefaultsInline)]

    @display(description=_("weights"), ordering="size_bytes")
    def weights(self, model: RegisteredModel) -> str:
        """Return what the file has in a few words; a column for each of them would not fit beside the others."""
        lines = (
            (model.architecture, self.parameters(model)),
            (model.quantization, self.size(model)),
        )
        words = ((" · ".join(filter(None, line)),) for line in lines)
        return format_html_join("", '<span class="console-line">{}</span>', words)

    @display(description=_("parameters"))
    def parameters(self, model: RegisteredModel) -> str:
        """Return the number of weights, for people."""
        return human_count(model.parameter_count)

    @display(description=_("context"))
    def context(self, model: RegisteredModel) -> int:
        """Return the tokens one conversation, or one text to embed, may use."""
        return model.context_length

    @display(description=_("size"))
    def size(self, model: RegisteredModel) -> str:
        """Return the bytes of all parts, for people."""
        return human_bytes(model.size_bytes)


def _without(fieldset: tuple[str, dict], names: Collection[str]) -> tuple[str, dict] | None:
    """Return the fieldset with fewer fields, None if none is left."""
    title, options = fieldset
    rows = [(row,) if isinstance(row, str) else row for row in options["fields"]]
    kept = [tuple(name for name in row if name not in names) for row in rows]
    fields = [row for row in kept if row]
    return (title, {**options, "fields": fields}) if fields else None
