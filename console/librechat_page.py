"""The page with LibreChat's configuration for what is served here."""

from typing import Any

from django.conf import settings
from django.contrib.admin import site
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from console.base_url import DOCKER_HOST, LOCAL_HOSTS, api_url, docker_url, is_url, needs_key, port_of
from console.librechat import KEY_VARIABLE, config_text, override_text
from console.permissions import VIEW_MODELS, guarded
from registry.model_kinds import Kind
from registry.served_model import served_models


@guarded(VIEW_MODELS)
@require_GET
def librechat(request: HttpRequest) -> HttpResponse:
    """Show the page for the base URL of the query string, or else the one for a LibreChat in Docker."""
    asked = request.GET.get("base_url", "").strip()
    base_url = _base_url(request)
    models = served_models()
    context = {
        **site.each_context(request),
        "title": "LibreChat",
        "base_url": base_url,
        "choices": _choices(request),
        "refused": asked if asked and asked != base_url else "",
        "needs_key": needs_key(),
        "key_variable": KEY_VARIABLE,
        "has_models": any(model.kind == Kind.CHAT for model in models),
        "warnings": _warnings(base_url),
        "config": config_text(models, base_url, needs_key()),
        "override": override_text(models, base_url, needs_key()),
        "data": {"texts": {"copied": _("Copied"), "copyFailed": _("Select the text and copy it.")}},
    }
    return render(request, "console/librechat.html", context)


@guarded(VIEW_MODELS)
@require_GET
def librechat_file(request: HttpRequest) -> HttpResponse:
    """Send the file, for the same base URL."""
    text = config_text(served_models(), _base_url(request), needs_key())
    headers = {"Content-Disposition": 'attachment; filename="librechat.yaml"'}
    return HttpResponse(text, content_type="application/yaml; charset=utf-8", headers=headers)


def _base_url(request: HttpRequest) -> str:
    asked = request.GET.get("base_url", "").strip()
    return asked if is_url(asked) else _docker_url(request)


def _docker_url(request: HttpRequest) -> str:
    return docker_url(port_of(api_url(request)))


def _choices(request: HttpRequest) -> list[dict[str, Any]]:
    return [
        {"label": _("LibreChat in Docker on this machine"), "url": _docker_url(request)},
        {"label": _("As this browser reaches llmsite"), "url": api_url(request)},
    ]


def _warnings(base_url: str) -> list[str]:
    """Say what of the server's configuration is in the way of that base URL."""
    server, warnings = settings.CONFIG.server, []
    if DOCKER_HOST in base_url and server.host in LOCAL_HOSTS:
        text = _("llmsite listens on %(host)s only, which containers do not reach: set server.host to 0.0.0.0.")
        warnings.append(text % {"host": server.host})
    if DOCKER_HOST in base_url and not {DOCKER_HOST, "*"} & set(settings.ALLOWED_HOSTS):
        warnings.append(_("Add host.docker.internal to server.allowed_hosts; llmsite refuses that name now."))
    return warnings
