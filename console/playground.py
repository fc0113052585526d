"""The playground: a page on which an operator tries a model or preset out, and the way its requests take.

Its requests do not go to `/v1`, where no session speaks for anybody: `chat` asks for a logged-in user with the
permission, and for the CSRF token, and then answers with the code of `/v1/chat/completions`. Limits of API keys do not
concern it; the request log does.
"""

from typing import Any

from django.contrib.admin import site
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from access.identity import Identity, current_identity
from console.base_url import needs_key
from console.permissions import USE_MODELS, VIEW_MODELS, guarded, may_async
from console.playground_texts import page_texts
from inference.exceptions import error_body
from inference.views.chat import ChatCompletionsView
from registry.model_kinds import Kind
from registry.models import RegisteredModel
from registry.served_model import served_model, served_models
from usage.record import current_record

ENDPOINT = "playground"  # in the request log
SHOWN_DEFAULTS = ("temperature", "top_p", "top_k", "min_p", "max_tokens", "seed", "system_prompt")
EFFORTS = ("none", "low", "medium", "high")
SNIPPETS = (
    {"name": "curl", "label": "curl"},
    {"name": "python", "label": "Python (openai)"},
    {"name": "javascript", "label": "JavaScript (openai)"},
    {"name": "librechat", "label": "librechat.yaml"},
)

_answer = ChatCompletionsView.as_view()


@guarded(VIEW_MODELS)
@require_GET
def playground(request: HttpRequest) -> HttpResponse:
    """Show the page, with the model of the query string chosen if it is there."""
    models = [model for model in served_models() if model.kind == Kind.CHAT]
    wanted = request.GET.get("model", "")
    chosen = next((model for model in models if model.name == wanted), models[0] if models else None)
    context = {
        **site.each_context(request),
        "title": _("Playground"),
        "models": models,
        "chosen": chosen,
        "missing": wanted if wanted and (chosen is None or chosen.name != wanted) else "",
        "efforts": EFFORTS,
        "snippets": SNIPPETS,
        "may_chat": request.user.has_perm(USE_MODELS),
        "data": _data(request),
    }
    return render(request, "console/playground.html", context)


@guarded(VIEW_MODELS)
@require_GET
def model_facts(request: HttpRequest) -> JsonResponse:
    """Say how the model of the query string generates where a request says nothing."""
    name = request.GET.get("model", "")
    try:
        model = served_model(name)
    except RegisteredModel.DoesNotExist:
        message = _("The model “%(name)s” does not exist or is disabled.") % {"name": name}
        return JsonResponse(error_body(message, "invalid_request_error", code="model_not_found"), status=404)
    defaults = {field: getattr(model.defaults, field) for field in SHOWN_DEFAULTS}
    return JsonResponse({"model": model.name, "context": model.registration.context_length, "defaults": defaults})


@require_POST
async def chat(request: HttpRequest) -> HttpResponseBase:
    """Answer as `/v1/chat/completions` does, for whoever is logged in and may use models."""
    if record := current_record.get():
        record.endpoint = ENDPOINT
    user = await request.auser()
    if not user.is_authenticated:
        return _refused(_("You are not logged in any more. Log in again in another tab, then send this again."), 401)
    if not await may_async(user, USE_MODELS):
        return _refused(_("You may not use models: this needs the permission to load and unload them."), 403)
    current_identity.set(Identity(f"user-{user.pk}"))
    return await _answer(request)


def _refused(message: str, status: int) -> JsonResponse:
    return JsonResponse(error_body(message, "authentication_error", code="not_allowed"), status=status)


def _data(request: HttpRequest) -> dict[str, Any]:
    """Return what the page's script needs to know."""
    return {
        "chatUrl": reverse("console:playground_chat"),
        "factsUrl": reverse("console:playground_model"),
        "needsKey": needs_key(),
        "csrfToken": get_token(request),
        "texts": page_texts(),
    }
