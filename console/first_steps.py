"""What somebody does first who has just installed the server."""

from dataclasses import dataclass

from django.contrib.admin import site
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from access.models import APIKey
from registry.models import RegisteredModel
from usage.models import RequestLog


@dataclass(frozen=True)
class Step:
    """url: where it is done; empty if the user may not."""

    title: str
    text: str
    url: str
    is_done: bool


def first_steps(request: HttpRequest) -> list[Step]:
    """Return the steps, [] when all of them are done."""
    may_see_models = request.user.has_perm("registry.view_registeredmodel")
    steps = [
        Step(
            _("Add a model"),
            _("Register a GGUF file, so that the API can serve it."),
            _add_url(request, RegisteredModel),
            RegisteredModel.objects.exists(),
        ),
        Step(
            _("Try it"),
            _("Ask it something. The first request loads it."),
            reverse("admin:registry_registeredmodel_changelist") if may_see_models else "",
            RequestLog.objects.exists(),
        ),
        Step(
            _("Create a key"),
            _("Each client gets a key of its own, so that you see who uses what."),
            _add_url(request, APIKey),
            APIKey.objects.exists(),
        ),
    ]
    return [] if all(step.is_done for step in steps) else steps


def _add_url(request: HttpRequest, model: type[Model]) -> str:
    """Return where one is added, "" if the user may not."""
    if not site.is_registered(model) or not site.get_model_admin(model).has_add_permission(request):
        return ""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
