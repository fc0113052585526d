"""The admin's action that copies what is selected."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext


class CloneActionMixin:
    """For a ModelAdmin: adds `clone`, to be named in its `actions`. make_clone: saves a copy and returns it."""

    make_clone: Callable[[Any], Model]

    @admin.action(description=_("Clone"), permissions=["add"])
    def clone(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        """Copy the selected ones; a single copy is opened, to be named and enabled."""
        clones = [type(self).make_clone(original) for original in queryset]
        for clone in clones:
            self.log_addition(request, clone, [{"added": {}}])
        self.message_user(request, _report(clones, self._url), messages.SUCCESS)
        is_open = len(clones) == 1 and self.has_view_or_change_permission(request, clones[0])
        return HttpResponseRedirect(self._url(clones[0])) if is_open else None

    def _url(self, instance: Model) -> str:
        options = instance._meta
        return reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[instance.pk])


def _report(clones: list[Model], url: Callable[[Model], str]) -> str:
    text = ngettext(
        "Copied, and disabled until you enable it: {}.", "Copied, and disabled until you enable them: {}.", len(clones)
    )
    links = format_html_join(", ", '<a href="{}">{}</a>', ((url(clone), clone) for clone in clones))
    return format_html(text, links)
