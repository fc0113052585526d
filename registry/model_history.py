"""The history of a model with that of what belongs to it: its generation defaults and adapters."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from registry.history_admin import HistoryAdmin
from registry.models import GenerationDefaults, LoraAdapter

SHOWN = 50  # changes of the defaults, and of the adapters


class PartAdmin(HistoryAdmin):
    """Something that is edited on its model's page; here are only the pages of its history."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show no item of its own."""
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Leave adding to the model's page."""
        return False


@admin.register(GenerationDefaults)
class GenerationDefaultsAdmin(PartAdmin):
    """The history of generation defaults."""

    exclude = ["model"]
    can_restore = False  # they go and come with their model


@admin.register(LoraAdapter)
class LoraAdapterAdmin(PartAdmin):
    """The history of adapters; a deleted one can be brought back."""

    fields = ["path", "scale", "order"]


class ModelHistoryMixin:
    """For the admin of models: shows the changes of its parts below its own."""

    object_history_template = "admin/registry/registeredmodel/object_history.html"

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict | None = None) -> HttpResponse:
        """List what was changed."""
        parts = [self._part(request, model, object_id) for model in (GenerationDefaults, LoraAdapter)]
        return super().history_view(request, object_id, {"parts": parts, **(extra_context or {})})

    def _part(self, request: HttpRequest, model: type, model_id: str) -> dict:
        """Return the title, the options and the last changes, each compared with the one before of the same row."""
        rows = (
            model.history.filter(model_id=model_id)
            .select_related("history_user")
            .order_by("-history_date", "-history_id")
        )
        by_row: dict[int, list] = {}
        records = list(rows[:SHOWN])
        for record in records:
            record.label = getattr(record, "path", "")  # which adapter
            by_row.setdefault(record.id, []).append(record)
        for same in by_row.values():
            self.admin_site.get_model_admin(model).set_history_delta_changes(request, same)
        return {"title": model._meta.verbose_name_plural, "opts": model._meta, "records": records}
