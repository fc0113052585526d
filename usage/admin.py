"""The request log, and the bodies that were captured beside it."""

import json
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from usage import capture
from usage.capture_form import CaptureForm
from usage.formatting import human_ms
from usage.log_filters import KeyFilter, ModelFilter, SlowFilter, StatusFilter, TimeFilter
from usage.models import Capture, CapturedExchange, RequestLog


class ReadOnlyAdmin(ModelAdmin):
    """Shows what the server has written. Its lists say at the top if bodies are being captured."""

    list_before_template = "admin/usage/capture_banner.html"

    class Media:
        css = {"all": ["usage/captured.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only the server adds rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody rewrites what has been."""
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Say whether bodies are being captured."""
        return super().changelist_view(request, {**(extra_context or {}), "running_capture": capture.active()})


class FoundById:
    """Searches for one request. Part of an id would mean reading the whole log."""

    search_fields = ["request_id"]
    search_help_text = _("The whole request id, as in the header x-request-id")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, term: str) -> tuple[QuerySet, bool]:
        """Return the requests of exactly that id."""
        return (queryset.filter(request_id=term.strip()) if term.strip() else queryset), False


@admin.register(RequestLog)
class RequestLogAdmin(FoundById, ReadOnlyAdmin):
    """A row for each request. No query of the list counts or reads all rows."""

    list_display = ["at", "endpoint", "model", "key_name", "outcome", "tokens", "first_token", "total"]
    list_filter = [TimeFilter, StatusFilter, ModelFilter, KeyFilter, SlowFilter]
    list_select_related = ["key"]
    list_filter_submit = True
    list_fullwidth = True
    list_per_page = 50
    show_full_result_count = False
    paginator = InfinitePaginator
    fieldsets = [
        (None, {"fields": ["at", "request_id", "endpoint", "model", "key_name"]}),
        (_("Outcome"), {"fields": ["status", "finish_reason", "streamed", "error_code", "error"]}),
        (_("Tokens"), {"fields": ["prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens"]}),
        (_("Times"), {"fields": ["queued", "first_token", "total"]}),
    ]
    bodies_fieldset = (_("Captured bodies"), {"fields": ["bodies"]})

    def get_fieldsets(self, request: HttpRequest, obj: RequestLog | None = None) -> list:
        """Show the bodies to those who may see them, if they were captured."""
        fieldsets = [*super().get_fieldsets(request, obj)]
        may_see = request.user.has_perm("usage.view_capturedexchange")
        return [*fieldsets, self.bodies_fieldset] if may_see and obj and _exchange_of(obj) else fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: RequestLog | None = None) -> list[str]:
        """All of them."""
        return [name for _title, options in self.get_fieldsets(request, obj) for name in options["fields"]]

    def has_delete_permission(self, request: HttpRequest, obj: RequestLog | None = None) -> bool:
        """Rows go when their time is over (usage.log_retention_days)."""
        return False

    @admin.display(description=_("API key"))
    def key_name(self, row: RequestLog) -> str:
        """Return the key as it is called, or what is left of it."""
        return str(row.key) if row.key else row.key_prefix

    @display(description=_("status"), ordering="status", label={"ok": "success", "left": "warning", "error": "danger"})
    def outcome(self, row: RequestLog) -> tuple[str, str]:
        """Return the kind of the outcome and what is shown of it."""
        if row.error_code:
            return "error", f"{row.status} {row.error_code}"
        return ("ok" if row.status < 400 else "left"), str(row.status)

    @admin.display(description=_("tokens"))
    def tokens(self, row: RequestLog) -> str:
        """Return those of the prompt and of the answer."""
        return f"{row.prompt_tokens} + {row.completion_tokens}"

    @admin.display(description=_("queued"))
    def queued(self, row: RequestLog) -> str:
        """Return how long it waited for its place."""
        return human_ms(row.queue_ms)

    @admin.display(description=_("first token"))
    def first_token(self, row: RequestLog) -> str:
        """Return the time to the first token."""
        return human_ms(row.first_token_ms)

    @admin.display(description=_("total"), ordering="total_ms")
    def total(self, row: RequestLog) -> str:
        """Return how long the whole request took."""
        return human_ms(row.total_ms)

    @admin.display(description=_("bodies"))
    def bodies(self, row: RequestLog) -> str:
        """Return the request and the answer as they went over the wire."""
        return _rendered(_exchange_of(row))


@admin.register(CapturedExchange)
class CapturedExchangeAdmin(FoundById, ReadOnlyAdmin):
    """What was captured. It can be deleted before it expires."""

    list_display = ["request_id", "at", "model", "key_prefix", "expires_at"]
    list_per_page = 50
    show_full_result_count = False
    paginator = InfinitePaginator
    fields = readonly_fields = ["request_id", "at", "model", "key_prefix", "expires_at", "bodies"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Leave out what has expired and waits to be deleted."""
        return super().get_queryset(request).filter(expires_at__gt=timezone.now())

    @admin.display(description=_("bodies"))
    def bodies(self, exchange: CapturedExchange) -> str:
        """Return the request and the answer as they went over the wire."""
        return _rendered(exchange)


@admin.register(Capture)
class CaptureAdmin(ReadOnlyAdmin):
    """Switches capture on and off."""

    form = CaptureForm
    list_display = ["started_at", "until", "model_name", "key", "is_running"]
    list_select_related = ["key"]
    actions = ["stop", "forget"]
    change_form_before_template = "admin/usage/capture_warning.html"
    readonly_fields = ["started_at", "until", "model_name", "key", "is_running"]
    fieldsets = [(None, {"fields": readonly_fields})]
    add_fieldsets = [(None, {"fields": ["minutes", "model", "key"]})]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether the user may switch it on, and so also off."""
        return request.user.has_perm("usage.add_capture")

    def has_delete_permission(self, request: HttpRequest, obj: Capture | None = None) -> bool:
        """What was captured when stays known."""
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Capture | None = None) -> list:
        """Ask for minutes, show times."""
        return self.fieldsets if obj else self.add_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Capture | None = None) -> list[str]:
        """All of a capture that was started."""
        return self.readonly_fields if obj else []

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict | None = None) -> HttpResponse:
        """Say beforehand what will be stored, and for how long."""
        return super().add_view(request, form_url, {"capture_hours": settings.CONFIG.usage.capture_hours})

    def save_model(self, request: HttpRequest, obj: Capture, form: ModelForm, change: bool) -> None:
        """Start capturing."""
        data = form.cleaned_data
        started = capture.start(data["minutes"], data["model"], data["key"])
        obj.__dict__.update(started.__dict__)

    @admin.display(description=_("model"))
    def model_name(self, row: Capture) -> str:
        """Return whose requests are kept."""
        return row.model or _("all models")

    @admin.display(description=_("running"), boolean=True)
    def is_running(self, row: Capture) -> bool:
        """Say whether its time is not over."""
        return row.until > timezone.now()

    @admin.action(description=_("Stop capturing now"), permissions=["add"])
    def stop(self, request: HttpRequest, queryset: QuerySet) -> None:
        """End what is running, whatever was selected: there is only one."""
        capture.stop()
        self.message_user(request, _("Bodies are not captured any more."), messages.SUCCESS)

    @admin.action(description=_("Delete all captured bodies"), permissions=["forget"])
    def forget(self, request: HttpRequest, queryset: QuerySet) -> None:
        """Delete what all captures have kept."""
        text = _("%(count)d captured requests were deleted.") % {"count": capture.forget()}
        self.message_user(request, text, messages.SUCCESS)

    def has_forget_permission(self, request: HttpRequest) -> bool:
        """Whether the user may delete what was captured."""
        return request.user.has_perm("usage.delete_capturedexchange")


def _exchange_of(row: RequestLog) -> CapturedExchange | None:
    found = CapturedExchange.objects.filter(request_id=row.request_id, at=row.at, expires_at__gt=timezone.now())
    return found.first()


def _rendered(exchange: CapturedExchange) -> str:
    bodies = (
        (_("Request"), exchange.request_body, exchange.request_is_cut),
        (_("Answer"), exchange.response_body, exchange.response_is_cut),
    )
    cut = _("Only the beginning was kept.")
    rows = ((title, _indented(text), cut if is_cut else "") for title, text, is_cut in bodies)
    return format_html_join("", '<h3>{}</h3><pre class="captured-body" tabindex="0">{}</pre>{}', rows)


def _indented(text: str) -> str:
    """Return JSON as people read it, and anything else as it is."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except ValueError:
        return text
