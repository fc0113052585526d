"""Buttons in the rows of the list of models, for who may load and unload."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from registry.models import RegisteredModel

LABELS = {"load": _("Load"), "unload": _("Unload")}


class RowButtonsMixin:
    """For the admin of models: the buttons send the list's own form, with its token, to an address of their row."""

    def has_load_permission(self, request: HttpRequest) -> bool:
        """Whether the user may load and unload models."""
        return request.user.has_perm("registry.load_registeredmodel")

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """Leave out buttons that would be refused."""
        shown = list(super().get_list_display(request))
        return [*shown, "buttons"] if self.has_load_permission(request) else shown

    @display(description=_("memory"))
    def buttons(self, model: RegisteredModel) -> SafeString:
        """Return the buttons, each with the model's name for those who only hear it."""
        rows = ((_url(name, model.pk), f"{label}: {model.name}", label) for name, label in LABELS.items())
        form = '<button type="submit" class="console-button" formaction="{}" aria-label="{}">{}</button>'
        return format_html('<span class="console-buttons">{}</span>', format_html_join("", form, rows))

    def row_urls(self) -> list:
        """Return the addresses of the buttons."""
        view = self.admin_site.admin_view(self.run_on_row)
        names = ((name, f"registry_registeredmodel_{name}") for name in LABELS)
        return [path(f"<int:key>/{name}/", view, {"name": name}, name=url_name) for name, url_name in names]

    def run_on_row(self, request: HttpRequest, key: int, name: str, **_: Any) -> HttpResponse:
        """Load or unload one model, and go back to where the button was."""
        if not self.has_load_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        getattr(self, name)(request, self.get_queryset(request).filter(pk=key))
        return HttpResponseRedirect(reverse("admin:registry_registeredmodel_changelist"))


def _url(name: str, key: int) -> str:
    return reverse(f"admin:registry_registeredmodel_{name}", args=[key])
