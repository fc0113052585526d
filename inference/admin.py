"""The registry's admin with what only a running server knows: which models are loaded. And the stored responses."""

import json
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from inference.engine.architectures import sequence_limit
from inference.engine.messages import EngineInfo
from inference.engine_table import render_engine
from inference.live_state import state_of, states
from inference.model_buttons import ModelButtonsMixin
from inference.model_tests_admin import ModelTestsMixin
from inference.models import StoredResponse
from inference.pool import pool
from inference.pool_events import on_every_change
from inference.specs import model_spec
from inference.streaming import event_stream
from registry.admin import PresetAdmin, RegisteredModelAdmin
from registry.model_kinds import Kind
from registry.models import Preset, RegisteredModel
from registry.queries import without_connection

admin.site.unregister([RegisteredModel, Preset])


class RunFilter(admin.SimpleListFilter):
    """Those that are in memory, and those that died or could not be loaded when they were last tried."""

    title = _("run")
    parameter_name = "run"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("loaded", _("loaded")), ("failed", _("failed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        keys = {"loaded": pool.status, "failed": pool.failed_keys}.get(self.value())
        return queryset.filter(pk__in=list(keys())) if keys else queryset


@admin.register(RegisteredModel)
class LiveModelAdmin(ModelTestsMixin, ModelButtonsMixin, RegisteredModelAdmin):
    """Adds the state column, the actions that load, unload and test, and what a loaded engine runs with."""

    change_list_template = "admin/registry/registeredmodel/change_list.html"
    change_form_before_template = "console/add_model/change_form_estimate.html"
    list_display = ["name", "state", *RegisteredModelAdmin.list_display[1:], "abilities"]
    list_filter = [RunFilter, *RegisteredModelAdmin.list_filter]
    actions = [*RegisteredModelAdmin.actions, "load", "unload", "test"]
    readonly_fields = [*RegisteredModelAdmin.readonly_fields, "engine", "last_error", "tests"]
    error_fieldset = (_("What went wrong last"), {"fields": ["last_error"]})
    engine_fieldset = (_("What this engine runs with"), {"fields": ["engine"]})

    def get_fieldsets(self, request: HttpRequest, obj: RegisteredModel | None = None) -> list:
        """Show what went wrong last, and what the engine runs with while there is one."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is not None and obj.kind == Kind.CHAT:
            fieldsets = [*fieldsets, self.tests_fieldset]
        if obj is not None and _has_failed(obj):
            fieldsets = [*fieldsets, self.error_fieldset]
        return fieldsets if obj is None or _info(obj) is None else [*fieldsets, self.engine_fieldset]

    def save_model(self, request: HttpRequest, obj: RegisteredModel, form: ModelForm, change: bool) -> None:
        """Save, and say if the model will not run with what was asked for."""
        super().save_model(request, obj, form, change)
        reason = sequence_limit(obj.architecture)
        if reason and obj.parallel > 1:
            text = _("The model “%(name)s” answers one request at a time: %(reason)s.")
            self.message_user(request, text % {"name": obj.name, "reason": reason}, messages.WARNING)

    @display(description=_("engine"))
    def engine(self, model: RegisteredModel) -> str:
        """Return the table of the engine's settings; it may have ended since the page was begun."""
        status = pool.status().get(model.pk)
        return render_engine(status.info, status.stats) if status and status.info else ""

    @display(description=_("state"))
    def state(self, model: RegisteredModel) -> str:
        """Say in a few words whether the model is in memory and what it does."""
        return format_html('<span data-model="{}">{}</span>', model.pk, state_of(model.pk))

    @display(description=_("last error"))
    def last_error(self, model: RegisteredModel) -> str:
        """Return what went wrong last, and the end of the engine's log."""
        observation = model.observation
        log = format_html('<pre class="console-log">{}</pre>', observation.error_log) if observation.error_log else ""
        return format_html("<p><strong>{}</strong> ({})</p>{}", observation.error, _when(observation.error_at), log)

    def get_urls(self) -> list:
        """Add the events that keep the state column up to date."""
        live = path("live/", self.admin_site.admin_view(self.live), name="registry_registeredmodel_live")
        return [live, *self.button_urls(), *super().get_urls()]

    def live(self, request: HttpRequest) -> StreamingHttpResponse:
        """Send the models' states as server-sent events."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        language = get_language()

        async def body() -> dict[str, Any]:
            return states(language)

        return event_stream(without_connection(on_every_change(body)))

    @action(description=_("Load selected models"), permissions=["load"])
    def load(self, request: HttpRequest, queryset: QuerySet) -> None:
        """Start loading; the page does not wait for it."""
        if not self._is_running(request):
            return
        models = list(queryset.enabled())
        for model in models:
            spec = model_spec(model)
            if victims := pool.run(pool.victims_of(spec)).result():
                names = {"name": model.name, "victims": ", ".join(victims)}
                text = _("Loading %(name)s will unload %(victims)s.") % names
                self.message_user(request, text, messages.WARNING)
            pool.run(pool.load(spec, insist=True))
        self._report(request, ngettext("%d model is loading.", "%d models are loading.", len(models)), len(models))
        if skipped := queryset.count() - len(models):
            text = ngettext("%d disabled model was skipped.", "%d disabled models were skipped.", skipped)
            self._report(request, text, skipped, messages.WARNING)

    @action(description=_("Unload selected models"), permissions=["load"])
    def unload(self, request: HttpRequest, queryset: QuerySet) -> None:
        """Free the models' memory; their open requests end with an error."""
        if not self._is_running(request):
            return
        unloaded = sum(pool.run(pool.unload(model.pk)).result() for model in queryset)
        self._report(request, ngettext("%d model was unloaded.", "%d models were unloaded.", unloaded), unloaded)

    def _is_running(self, request: HttpRequest) -> bool:
        if not pool.is_running:
            self.message_user(request, _("Models can only be loaded in the running server."), messages.ERROR)
        return pool.is_running

    def _report(self, request: HttpRequest, text: str, count: int, level: int = messages.SUCCESS) -> None:
        self.message_user(request, text % count, level)


@admin.register(Preset)
class LivePresetAdmin(PresetAdmin):
    """Adds the state of the model that answers."""

    list_display = ["name", "model", "state", *PresetAdmin.list_display[2:]]

    @admin.display(description=_("state"))
    def state(self, preset: Preset) -> str:
        """Say whether the preset's model is in memory and what it does."""
        return state_of(preset.model_id)


@admin.register(StoredResponse)
class StoredResponseAdmin(ModelAdmin):
    """Shows what the Responses API has kept. It can be deleted, but not changed."""

    list_display = ["id", "model", "created_at", "expires_at"]
    list_filter = ["model", "created_at"]
    search_fields = ["id", "previous_response_id"]
    readonly_fields = ["id", "model", "created_at", "expires_at", "previous_response_id", "input_json", "body_json"]
    fields = readonly_fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only the API adds responses."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: StoredResponse | None = None) -> bool:
        """Nobody rewrites what was said."""
        return False

    @display(description=_("input"))
    def input_json(self, response: StoredResponse) -> str:
        """Return the input items, indented."""
        return _indented(response.input_items)

    @display(description=_("answer"))
    def body_json(self, response: StoredResponse) -> str:
        """Return the response's body, indented."""
        return _indented(response.body)


def _has_failed(model: RegisteredModel) -> bool:
    observation = getattr(model, "observation", None)
    return observation is not None and bool(observation.error)


def _when(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT")


def _info(model: RegisteredModel) -> EngineInfo | None:
    status = pool.status().get(model.pk)
    return status.info if status else None


def _indented(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return format_html('<pre class="console-log">{}</pre>', text)
