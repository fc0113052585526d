"""The endpoints under `/v1`."""

import asyncio
import logging
from importlib.metadata import version
from typing import Any

from adrf.views import APIView
from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request

from inference.chat.completion import ChatCompletion, Finished, KeepAlive, Logprobs
from inference.chat.request import chat_prompt, start_completion
from inference.engine.messages import TokenLogprob
from inference.exceptions import InvalidRequest, ModelNotFound, error_body
from inference.pool import EngineStatus, pool
from inference.responses import ChatResponse, MessageBuilder, logprobs_body, model_body, usage_body
from inference.schema import chat_schema, health_schema, model_schema, models_schema
from inference.serializers import ChatCompletionRequestSerializer
from inference.streaming import stream_response
from llmsite.version import __version__
from registry.models import RegisteredModel

logger = logging.getLogger(__name__)

IGNORED_HEADER = "X-Ignored-Fields"
MAX_HEADER = 1000  # characters
LLAMA_CPP_PYTHON = version("llama-cpp-python")


class ChatCompletionsView(APIView):
    @chat_schema
    async def post(self, request: Request) -> HttpResponseBase:
        """Answer a conversation, as one body or as a stream of chunks."""
        serializer = ChatCompletionRequestSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        response = await self._answer(serializer.validated_data)
        if ignored := serializer.ignored():
            logger.debug("ignored unknown fields of a chat request: %s", ignored)
            response[IGNORED_HEADER] = field_list(ignored)
        return response

    async def _answer(self, parameters: dict[str, Any]) -> HttpResponseBase:
        model = await enabled_model(parameters["model"])
        prompt = await asyncio.to_thread(chat_prompt, model, parameters)
        completion = start_completion(pool, model, parameters, prompt)
        response = ChatResponse(model.name)
        if parameters["stream"]:
            options = parameters.get("stream_options") or {}
            return await stream_response(completion, response, options.get("include_usage", False))
        return JsonResponse(await collect(completion, response), json_dumps_params={"ensure_ascii": False})


class ModelsView(APIView):
    @models_schema
    async def get(self, request: Request) -> JsonResponse:
        """List the enabled models. Never loads one."""
        models = [model_body(model) async for model in RegisteredModel.objects.enabled()]
        return JsonResponse({"object": "list", "data": models})


class ModelView(APIView):
    @model_schema
    async def get(self, request: Request, name: str) -> JsonResponse:
        """Describe one enabled model."""
        return JsonResponse(model_body(await enabled_model(name)))


class HealthView(APIView):
    @health_schema
    async def get(self, request: Request) -> JsonResponse:
        """Say that the service is up and what it is doing. Waits for no engine."""
        engines = [_engine_body(status) for status in pool.status().values()]
        return JsonResponse(
            {
                "status": "ok",
                "version": __version__,
                "llama_cpp_python": LLAMA_CPP_PYTHON,
                "models": engines,
                "waiting": sum(engine["waiting"] for engine in engines),
                "running": sum(engine["running"] for engine in engines),
            }
        )


class ResponsesView(APIView):
    schema = None

    async def post(self, request: Request) -> None:
        """Refuse, in words that a user of a chat front end understands."""
        raise InvalidRequest(
            "This server has no Responses API. Use /v1/chat/completions; in LibreChat, switch off "
            '"Use Responses API" and "Web search".'
        )


async def enabled_model(name: str) -> RegisteredModel:
    try:
        return await sync_to_async(RegisteredModel.objects.for_api)(name)
    except RegisteredModel.DoesNotExist:
        raise ModelNotFound(name) from None


async def collect(completion: ChatCompletion, response: ChatResponse) -> dict[str, Any]:
    """Wait for the whole answer; the generation ends with the client's connection."""
    message = MessageBuilder()
    logprobs: list[TokenLogprob] = []
    try:
        async for event in completion:
            if isinstance(event, Finished):
                usage = usage_body(event.usage, event.reasoning_tokens)
                body = logprobs_body(logprobs) if logprobs else None
                return response.completion(message.build(), body, event.finish_reason, usage)
            if isinstance(event, Logprobs):
                logprobs += event.tokens
            elif not isinstance(event, KeepAlive):
                message.add(event)
    finally:
        completion.close()
    raise AssertionError("a completion ends with Finished or an exception")


def field_list(names: list[str]) -> str:
    """Join field names for a header: printable ASCII only, and no more than a header can take."""
    text = ", ".join(ascii(name)[1:-1] for name in names)
    return text if len(text) <= MAX_HEADER else text[: MAX_HEADER - 3] + "..."


@csrf_exempt
def not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    """Answer for unknown paths below `/v1`."""
    message = f"Unknown URL: {request.method} {request.path}. The API is described at /docs."
    return JsonResponse(error_body(message, "invalid_request_error", code="unknown_url"), status=404)


def _engine_body(status: EngineStatus) -> dict[str, Any]:
    return {
        "name": status.name,
        "state": status.state,
        "waiting": status.stats.waiting,
        "running": status.stats.running,
        "cached_tokens": status.stats.cached_tokens,
    }
