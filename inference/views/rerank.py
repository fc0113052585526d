"""`/v1/rerank`."""

import secrets
from typing import Any

from django.http import HttpResponseBase, JsonResponse
from rest_framework.request import Request

from inference.bodies.rerank import rerank_body
from inference.calls import call
from inference.engine.messages import RerankRequest
from inference.schema.rerank import rerank_schema
from inference.serializers.rerank import RerankRequestSerializer
from inference.views.api_view import APIView
from inference.views.base import json_response, respond
from registry.model_kinds import Kind
from registry.served_model import ServedModel


class RerankView(APIView):
    @rerank_schema
    async def post(self, request: Request) -> HttpResponseBase:
        """Rank documents by how well they answer a query."""
        return await respond(request, RerankRequestSerializer, self._answer, Kind.RERANK)

    async def _answer(self, model: ServedModel, parameters: dict[str, Any]) -> JsonResponse:
        documents = tuple(parameters["documents"])
        request = RerankRequest(secrets.token_hex(16), parameters["query"], documents)
        relevance = await call(model.registration, request)
        top_n, return_documents = parameters.get("top_n"), bool(parameters["return_documents"])
        return json_response(rerank_body(model.name, relevance, documents, top_n, return_documents))
