"""The admin of what has a history: who changed what, and the way back."""

from itertools import pairwise
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.text import capfirst
from simple_history.admin import SimpleHistoryAdmin
from simple_history.utils import get_m2m_reverse_field_name
from unfold.admin import ModelAdmin


class HistoryAdmin(SimpleHistoryAdmin, ModelAdmin):
    """Rolls back through the form, so that an old state is checked like any other.

    never_reverted: fields that keep their present values. can_restore: whether what was deleted may come back.
    """

    object_history_form_template = "console/history_form.html"
    never_reverted: tuple[str, ...] = ()
    can_restore = True

    def set_history_delta_changes(self, request: HttpRequest, historical_records: Any, **kwargs: Any) -> None:
        """Tell each record what it changed; the library compares only what forms can change."""
        records = list(historical_records)
        super().set_history_delta_changes(request, records, **kwargs)
        for new, old in pairwise(records):
            new.history_delta_changes += [
                _change(new, old, name) for name in self.never_reverted if _differ(new, old, name)
            ]

    def revert_disabled(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Tell whether the user may only look at the past."""
        is_gone = obj is not None and not self.can_restore and not self.model.objects.filter(pk=obj.pk).exists()
        return is_gone or super().revert_disabled(request, obj)

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict | None = None
    ) -> HttpResponse:
        """Show an old state, or go back to it."""
        record = get_object_or_404(self.model.history.model, history_id=version_id, id=object_id)
        if request.method == "POST" and self.revert_disabled(request, record.instance):
            raise PermissionDenied  # the library only hides the button
        request.history_record = record
        return super().history_form_view(request, object_id, version_id, extra_context)

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> type:
        """Fill the choices of an old state, too: an instance only knows the present ones."""
        form = super().get_form(request, obj, change, **kwargs)
        record = getattr(request, "history_record", None)
        return _filled(form, record) if record else form

    def save_model(self, request: HttpRequest, obj: Model, form: forms.ModelForm, change: bool) -> None:
        """Save; what never goes back is taken from the present row."""
        if change and self.never_reverted:
            present = self.model.objects.filter(pk=obj.pk).values(*self.never_reverted).first() or {}
            for name, value in present.items():
                setattr(obj, name, value)
        super().save_model(request, obj, form, change)


def _differ(new: Model, old: Model, name: str) -> bool:
    return getattr(new, name) != getattr(old, name)


def _change(new: Model, old: Model, name: str) -> dict[str, Any]:
    title = capfirst(new._meta.get_field(name).verbose_name)
    return {"field": title, "old": getattr(old, name), "new": getattr(new, name)}


def _filled(form: type[forms.ModelForm], record: Model) -> type[forms.ModelForm]:
    """Return the form with the record's many-to-many relations as its first values."""
    chosen = {field.name: _chosen(record, field) for field in record._history_m2m_fields}

    class FilledForm(form):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **{**kwargs, "initial": {**chosen, **kwargs.get("initial", {})}})

    return FilledForm


def _chosen(record: Model, field: Any) -> list[int]:
    name = get_m2m_reverse_field_name(field)
    return list(getattr(record, field.name).values_list(f"{name}_id", flat=True))
