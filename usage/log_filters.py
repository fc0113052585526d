"""What the request log can be filtered by. No filter reads the whole log to say what there is to choose."""

from datetime import timedelta
from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import DropdownFilter

from access.models import APIKey
from usage.names import logged_models
from usage.record import TURNED_AWAY

HOURS = {"1h": 1, "24h": 24, "7d": 7 * 24, "30d": 30 * 24}
SLOW_SECONDS = (10, 30, 60, 300)
NO_KEY = "none"


class TimeFilter(SimpleListFilter):
    """The last hour, day and so on."""

    title = _("time")
    parameter_name = "since"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, Any]]:
        """Return what can be chosen."""
        labels = (_("past hour"), _("past 24 hours"), _("past 7 days"), _("past 30 days"))
        return list(zip(HOURS, labels, strict=True))

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Return the requests since then."""
        hours = HOURS.get(self.value())
        return queryset if hours is None else queryset.filter(at__gte=timezone.now() - timedelta(hours=hours))


class ModelFilter(DropdownFilter):
    """The model's name, as clients gave it."""

    title = _("model")
    parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, Any]]:
        """Return the names in the log, and the chosen one."""
        chosen = request.GET.get(self.parameter_name)
        return [(name, name) for name in sorted({*logged_models(), *([chosen] if chosen else ())})]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Return the requests for it."""
        return queryset.filter(model=self.value()) if self.value() else queryset


class KeyFilter(DropdownFilter):
    """The API key."""

    title = _("API key")
    parameter_name = "api_key"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, Any]]:
        """Return all keys."""
        return [(NO_KEY, _("without a key")), *((str(key.pk), str(key)) for key in APIKey.objects.order_by("name"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Return the requests with it."""
        if self.value() == NO_KEY:
            return queryset.filter(key=None, key_prefix="")
        return queryset.filter(key=self.value()) if (self.value() or "").isdecimal() else queryset


class StatusFilter(SimpleListFilter):
    """How requests ended."""

    title = _("status")
    parameter_name = "outcome"
    conditions = {
        "ok": {"status__lt": 400, "error_code": ""},
        "error": {"error_code__gt": ""},
        "4xx": {"status__gte": 400, "status__lt": 500, "error_code__gt": ""},
        "away": {"status__in": sorted(TURNED_AWAY), "error_code__gt": ""},
        "5xx": {"status__gte": 500, "error_code__gt": ""},
        "broken": {"status__lt": 400, "error_code__gt": ""},
        "left": {"status": 499},
    }

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, Any]]:
        """Return what can be chosen."""
        return [
            ("ok", _("answered")),
            ("error", _("all errors")),
            ("4xx", _("refused (4xx)")),
            ("away", _("refused for their key or a limit (401, 403, 429)")),
            ("5xx", _("failed (5xx)")),
            ("broken", _("failed in the middle of the answer")),
            ("left", _("the client left")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Return the requests that ended so."""
        return queryset.filter(**self.conditions.get(self.value(), {}))


class SlowFilter(SimpleListFilter):
    """Those that took long."""

    title = _("slow ones")
    parameter_name = "slow"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, Any]]:
        """Return what can be chosen."""
        text = ngettext("over %d second", "over %d seconds", 2)
        return [(str(seconds), text % seconds) for seconds in SLOW_SECONDS]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Return the requests that took longer."""
        slow = self.value()
        return queryset.filter(total_ms__gt=int(slow) * 1000) if slow in map(str, SLOW_SECONDS) else queryset
