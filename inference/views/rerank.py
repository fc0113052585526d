"""`/v1/rerank`."""

import secrets
from typing import Any

from adrf.views import APIView
from django.http import HttpResponseBase, JsonResponse
from rest_framework.request import Request

from inference.bodies.rerank import rerank_body
from inference.calls import call
from inference.engine.messages import RerankRequest
from inference.schema.rerank import rerank_schema
from inference.serializers.rerank import RerankRequestSerializer
from inference.views.base import enabled_model, json_response, respond
from registry.model_kinds import Kind


class RerankView(APIView):
    @rerank_schema
    async def post(self, request: Request) -> HttpResponseBase:
        """Rank documents by how well they answer a query."""
        return await respond(request, RerankRequestSerializer, self._answer)

    async def _answer(self, parameters: dict[str, Any]) -> JsonResponse:
        model = await enabled_model(parameters["model"], Kind.RERANK)
        documents = tuple(parameters["documents"])
        relevance = await call(model, RerankRequest(secrets.token_hex(16), parameters["query"], documents))
        top_n, return_documents = parameters.get("top_n"), bool(parameters["return_documents"])
        return json_response(rerank_body(model.name, relevance, documents, top_n, return_documents))
