"""`/v1/models`."""

from django.http import JsonResponse
from rest_framework.request import Request

from access.identity import current_identity
from inference.bodies.models import model_body
from inference.schema.models import model_schema, models_schema
from inference.views.api_view import APIView
from inference.views.base import enabled_model
from registry.queries import query
from registry.served_model import served_models


class ModelsView(APIView):
    @models_schema
    async def get(self, request: Request) -> JsonResponse:
        """List the enabled models that the key allows, and their presets. Never loads one."""
        may_use = current_identity.get().may_use
        models = await query(served_models)
        return JsonResponse({"object": "list", "data": [model_body(model) for model in models if may_use(model.name)]})


class ModelView(APIView):
    @model_schema
    async def get(self, request: Request, name: str) -> JsonResponse:
        """Describe one enabled model or preset."""
        return JsonResponse(model_body(await enabled_model(name, kind=None)))
