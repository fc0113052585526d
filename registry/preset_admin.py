"""The admin of presets: what each changes of its model, with the model's own values beside it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Field, JSONField
from django.http import HttpRequest, JsonResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _

from registry.clone_action import CloneActionMixin
from registry.cloning import clone_preset
from registry.enable_actions import EnableActionsMixin
from registry.history_admin import HistoryAdmin
from registry.models import GenerationDefaults
from registry.preset_changes import changes_of, shortened
from registry.presets import DEFAULTS, Preset
from registry.strict_actions import StrictActionsMixin

MAX_PLACEHOLDER = 500  # characters of the model's value in an empty field


class OpenJSONField(forms.JSONField):
    """A JSON field in which nothing is shown as nothing, rather than as `null`."""

    def prepare_value(self, value: Any) -> str:
        """Return the text for the box."""
        return "" if value is None else super().prepare_value(value)


class PresetForm(forms.ModelForm):
    """Shows what the model does where the preset says nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, text in placeholders(self.instance.model_id or self.initial.get("model")).items():
            if name in self.fields:
                self.fields[name].widget.attrs["placeholder"] = text


def placeholders(key: object) -> dict[str, str]:
    """Return a model's generation defaults as texts for empty fields, by name; empty ones if there is no such model."""
    defaults = GenerationDefaults.objects.filter(model=key).first() if str(key).isdecimal() else None
    names = (*DEFAULTS, "system_prompt")
    return {name: shortened(getattr(defaults, name), MAX_PLACEHOLDER) if defaults else "" for name in names}


@admin.register(Preset)
class PresetAdmin(StrictActionsMixin, EnableActionsMixin, CloneActionMixin, HistoryAdmin):
    """Further names for models; what is empty comes from the model."""

    class Media:
        js = ["registry/preset_defaults.js"]

    form = PresetForm
    make_clone = clone_preset
    list_display = ["name", "model", "changes", "enabled"]
    list_filter = ["enabled", "reasoning"]
    list_select_related = ["model"]
    search_fields = ["name", "model__name", "description"]
    autocomplete_fields = ["model"]
    actions = ["enable", "disable", "clone"]
    fieldsets = [
        (None, {"fields": ["name", "model", "enabled", "description"]}),
        (
            _("Where the request says nothing"),
            {
                "fields": [
                    ("temperature", "top_p"),
                    ("top_k", "min_p"),
                    ("presence_penalty", "frequency_penalty"),
                    ("max_tokens", "seed"),
                    "stop",
                    "system_prompt",
                ],
                "description": _("Leave a field empty for the model's own value, which it shows in grey."),
            },
        ),
        (
            _("Whatever the request says"),
            {
                "fields": ["forced", "stripped", "allowed_tools", "reasoning"],
                "description": _("Parameters have the names that chat completions give them."),
            },
        ),
    ]

    def formfield_for_dbfield(self, db_field: Field, request: HttpRequest, **kwargs: Any) -> forms.Field | None:
        """Show an absent list or object as an empty box; they are short."""
        if not isinstance(db_field, JSONField):
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        field = super().formfield_for_dbfield(db_field, request, form_class=OpenJSONField, **kwargs)
        field.widget.attrs["rows"] = 3
        return field

    def formfield_for_foreignkey(self, db_field: Field, request: HttpRequest, **kwargs: Any) -> forms.Field:
        """Tell the page's script where it learns of another model's values."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        field.widget.attrs["data-defaults"] = reverse("admin:registry_preset_defaults")
        return field

    def get_urls(self) -> list:
        """Add the values that a model has for what a preset leaves empty."""
        view = self.admin_site.admin_view(self.model_defaults)
        return [path("defaults/", view, name="registry_preset_defaults"), *super().get_urls()]

    def model_defaults(self, request: HttpRequest) -> JsonResponse:
        """Return them of the model in the query string."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return JsonResponse(placeholders(request.GET.get("model", "")))

    @admin.display(description=_("changes"))
    def changes(self, preset: Preset) -> str:
        """Return what is different from the model, for people: `temperature 0, seed ignored`."""
        return changes_of(preset)
