"""What the endpoints have in common."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request

from access.identity import current_identity
from inference.exceptions import ModelNotFound, WrongKind, error_body
from inference.preset_rules import apply_rules, check_tools
from inference.serializers.base import ModelNameSerializer, RequestSerializer, shared
from llmsite.config_models import MODEL_NAME_MAX_LENGTH
from registry.enabled_models import enabled_models
from registry.model_kinds import Kind
from registry.models import RegisteredModel
from registry.served_model import ServedModel
from usage.record import current_record, note_error

logger = logging.getLogger(__name__)

IGNORED_HEADER = "X-Ignored-Fields"
MAX_HEADER = 1000  # characters
CLIENT_PATHS = ("chat/completions", "completions", "embeddings", "models", "responses")  # behind a client's base URL


async def respond(
    request: Request,
    serializer_class: type[RequestSerializer],
    answer: Callable[[ServedModel, dict[str, Any]], Awaitable[HttpResponseBase]],
    kind: Kind | None = Kind.CHAT,
) -> HttpResponseBase:
    """Find the model, validate the body as its preset leaves it, answer, and name what was ignored in a header.

    kind: of the models that the endpoint works with; None: any.
    """
    _begin_record(request)
    serializer = shared(serializer_class)
    model = await enabled_model(shared(ModelNameSerializer).run_validation(request.data)["model"], kind)
    body, dropped = apply_rules(model.preset, serializer, request.data)
    parameters = serializer.run_validation(body)
    check_tools(model.preset, parameters)
    response = await answer(model, parameters)
    if ignored := sorted({*serializer.ignored(body), *dropped}):
        logger.debug("%s: ignored fields %s", request.path, ignored)
        response[IGNORED_HEADER] = field_list(ignored)
    return response


async def enabled_model(name: str, kind: Kind | None = Kind.CHAT) -> ServedModel:
    """Return what is served under a name; raise ModelNotFound, or WrongKind if it is not of this kind (None: any).

    What the sender's key does not allow does not exist for it.
    """
    if not current_identity.get().may_use(name):
        raise ModelNotFound(name)
    try:
        model = await enabled_models.get(name)
    except RegisteredModel.DoesNotExist:
        raise ModelNotFound(name) from None
    if record := current_record.get():
        record.has_model = True
    if kind not in (None, model.kind):
        raise WrongKind(name, model.kind)
    return model


def _begin_record(request: Request) -> None:
    """Note which model is asked for, before anything can be refused."""
    if record := current_record.get():
        record.is_for_model = True
        body = request.data if isinstance(request.data, dict) else {}
        model, stream = body.get("model"), body.get("stream")
        record.model = model[:MODEL_NAME_MAX_LENGTH] if isinstance(model, str) else ""
        record.streamed = stream is True


def json_response(body: dict[str, Any]) -> JsonResponse:
    """Return a body with its text as it is rather than escaped."""
    return JsonResponse(body, json_dumps_params={"ensure_ascii": False})


def field_list(names: list[str]) -> str:
    """Join field names for a header: printable ASCII only, and no more than a header can take."""
    text = ", ".join(ascii(name)[1:-1] for name in names)
    return text if len(text) <= MAX_HEADER else text[: MAX_HEADER - 3] + "..."


@csrf_exempt
def not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    """Answer for unknown paths: all below `/v1`, and outside those that a client with a wrong base URL asks for."""
    is_misplaced = request.path.endswith(tuple(f"/{path}" for path in CLIENT_PATHS))
    base_url = "A client's base URL ends in /v1; the client adds the rest by itself."
    advice = base_url if is_misplaced else "The API is described at /docs."
    message = f"Unknown URL: {request.method} {request.path}. {advice}"
    note_error("unknown_url", message)
    return JsonResponse(error_body(message, "invalid_request_error", code="unknown_url"), status=404)
