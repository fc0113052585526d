"""Buttons that do something with one model: in its row of the list, and on its page."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from inference.live_state import state_of
from inference.pool import pool
from registry.models import RegisteredModel


@dataclass(frozen=True)
class Button:
    """name: of the action that it runs. permission: whose `has_…_permission` decides who may press it.

    is_for_loaded: whether it is of use while the model is in memory, or on its way; None: either way.
    is_for_enabled: the same of whether the API serves the model.
    """

    name: str
    label: str | Promise
    permission: str
    is_for_loaded: bool | None = None
    is_for_enabled: bool | None = None


MEMORY = (
    Button("load", _("Load"), "load", is_for_loaded=False, is_for_enabled=True),
    Button("unload", _("Unload"), "load", is_for_loaded=True),
)
ALL = (
    *MEMORY,
    Button("enable", _("Enable"), "change", is_for_enabled=False),
    Button("disable", _("Disable"), "change", is_for_enabled=True),
)


class ModelButtonsMixin:
    """For the admin of models: each button sends a form, with its token, to an address of its own."""

    change_form_outer_before_template = "inference/model_page_buttons.html"

    def has_load_permission(self, request: HttpRequest) -> bool:
        """Whether the user may load and unload models."""
        return request.user.has_perm("registry.load_registeredmodel")

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """Leave out buttons that would be refused."""
        shown = list(super().get_list_display(request))
        return [*shown, "buttons"] if self.has_load_permission(request) else shown

    @display(description=_("memory"))
    def buttons(self, model: RegisteredModel) -> str:
        """Return the buttons of a row; they send the list's own form."""
        return _rendered(model, MEMORY)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show what the model does, and the buttons that the user may press."""
        model = self.get_object(request, object_id)
        shown = {}
        if model is not None:
            allowed = tuple(button for button in ALL if self._may_press(request, button))
            shown = {"state": state_of(model.pk), "buttons": _rendered(model, allowed)}
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

    def button_urls(self) -> list:
        """Return the addresses of the buttons."""
        view = self.admin_site.admin_view(self.press)
        return [
            path(f"<int:key>/{button.name}/", view, {"button": button}, name=f"registry_registeredmodel_{button.name}")
            for button in ALL
        ]

    def press(self, request: HttpRequest, key: int, button: Button, **_: Any) -> HttpResponse:
        """Do it with the one model, and go back to where the button was: the list, or the model's page."""
        if not self._may_press(request, button):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        getattr(self, button.name)(request, self.get_queryset(request).filter(pk=key))
        page = ("change", [key]) if "is_page" in request.POST else ("changelist", [])
        return HttpResponseRedirect(reverse(f"admin:registry_registeredmodel_{page[0]}", args=page[1]))

    def _may_press(self, request: HttpRequest, button: Button) -> bool:
        return getattr(self, f"has_{button.permission}_permission")(request)


def _rendered(model: RegisteredModel, buttons: tuple[Button, ...]) -> str:
    """Return those of use. Which one that is of the memory's changes under way, so all of these are there."""
    useful = [
        {
            "button": button,
            "url": reverse(f"admin:registry_registeredmodel_{button.name}", args=[model.pk]),
            "is_hidden": button.is_for_loaded is not None and button.is_for_loaded != (model.pk in pool.status()),
        }
        for button in buttons
        if button.is_for_enabled in (None, model.enabled)
    ]
    return render_to_string("inference/model_buttons.html", {"buttons": useful, "model": model})
