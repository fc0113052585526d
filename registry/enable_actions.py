"""The admin's actions that switch on and off what the API serves."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class EnableActionsMixin:
    """For a ModelAdmin of something with `enabled`: adds `enable` and `disable`, to be named in its `actions`."""

    @admin.action(description=_("Enable"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet) -> None:
        """Let the API serve what is selected."""
        self._set_enabled(request, queryset, True, _("Enabled now: %(count)d."))

    @admin.action(description=_("Disable"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet) -> None:
        """Hide what is selected from the API."""
        self._set_enabled(request, queryset, False, _("Disabled now: %(count)d."))

    def _set_enabled(self, request: HttpRequest, queryset: QuerySet, enabled: bool, text: str) -> None:
        """Save each on its own, so that signals and the history see it; say how many changed."""
        changed: list[Any] = list(queryset.exclude(enabled=enabled))
        for instance in changed:
            instance.enabled = enabled
            instance.save(update_fields=["enabled", "updated_at"])
            self.log_change(request, instance, [{"changed": {"fields": ["enabled"]}}])
        self.message_user(request, text % {"count": len(changed)}, messages.SUCCESS)
