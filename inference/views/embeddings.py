"""`/v1/embeddings`."""

import asyncio
import secrets
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from rest_framework.request import Request

from inference.bodies.embeddings import embeddings_text
from inference.calls import call
from inference.engine.messages import EmbedRequest
from inference.schema.embeddings import embeddings_schema
from inference.serializers.embeddings import EmbeddingsRequestSerializer
from inference.views.api_view import APIView
from inference.views.base import respond
from registry.model_kinds import Kind
from registry.served_model import ServedModel


class EmbeddingsView(APIView):
    @embeddings_schema
    async def post(self, request: Request) -> HttpResponseBase:
        """Make a vector of length 1 of every input. What is longer than the model's context is refused, never cut."""
        return await respond(request, EmbeddingsRequestSerializer, self._answer, Kind.EMBEDDING)

    async def _answer(self, model: ServedModel, parameters: dict[str, Any]) -> HttpResponse:
        request = EmbedRequest(secrets.token_hex(16), tuple(parameters["input"]), parameters.get("dimensions"))
        embeddings = await call(model.registration, request, parameters.get("keep_alive"))
        text = await asyncio.to_thread(embeddings_text, model.name, embeddings, parameters["encoding_format"])
        return HttpResponse(text, content_type="application/json")
