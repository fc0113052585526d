"""`/v1/pool`, and loading and unloading models by hand. For operators."""

from typing import Any

from django.http import JsonResponse, StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from inference.bodies.models import model_body
from inference.bodies.pool import pool_body
from inference.client import EngineLoadError
from inference.exceptions import EngineUnavailable
from inference.operators import require_operator
from inference.pool import pool
from inference.pool_events import on_every_change
from inference.schema.pool import load_schema, pool_events_schema, pool_schema, unload_schema
from inference.specs import model_spec
from inference.streaming import event_stream
from inference.views.api_view import APIView
from inference.views.base import enabled_model, json_response


class PoolView(APIView):
    @pool_schema
    async def get(self, request: Request) -> JsonResponse:
        """Say which models are in memory, how much they take, and what they do."""
        require_operator()
        return json_response(pool_body(pool))


class PoolEventsView(APIView):
    @pool_events_schema
    async def get(self, request: Request) -> StreamingHttpResponse:
        """Send what `/v1/pool` says as an event, now and whenever it changes."""
        require_operator()
        return event_stream(on_every_change(_body))


class LoadView(APIView):
    @load_schema
    async def post(self, request: Request, name: str) -> JsonResponse:
        """Load a model now, also one that has just failed. Answers when it is loaded."""
        require_operator()
        model = await enabled_model(name, kind=None)
        try:
            await pool.load(model_spec(model.registration), insist=True)
        except EngineLoadError as error:
            message = f"Model `{name}` could not be loaded: {error}."
            raise EngineUnavailable(message, code="load_failed") from None
        return json_response({"object": "model", "id": model.name, "state": "ready"})

    @extend_schema(exclude=True)
    async def get(self, request: Request, name: str) -> JsonResponse:
        """Describe a model whose name ends in `/load`."""
        return json_response(model_body(await enabled_model(f"{name}/load", kind=None)))


class UnloadView(APIView):
    @unload_schema
    async def post(self, request: Request, name: str) -> JsonResponse:
        """Unload a model now. Its open requests end with an error; the next one loads it again."""
        require_operator()
        model = await enabled_model(name, kind=None)
        was_loaded = await pool.unload(model.registration.pk)
        return json_response({"object": "model", "id": model.name, "state": "unloaded", "was_loaded": was_loaded})

    @extend_schema(exclude=True)
    async def get(self, request: Request, name: str) -> JsonResponse:
        """Describe a model whose name ends in `/unload`."""
        return json_response(model_body(await enabled_model(f"{name}/unload", kind=None)))


async def _body() -> dict[str, Any]:
    return pool_body(pool)
