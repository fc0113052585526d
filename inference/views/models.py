"""`/v1/models`."""

from adrf.views import APIView
from django.http import JsonResponse
from rest_framework.request import Request

from access.identity import current_identity
from inference.bodies.models import model_body
from inference.schema.models import model_schema, models_schema
from inference.views.base import enabled_model
from registry.models import RegisteredModel


class ModelsView(APIView):
    @models_schema
    async def get(self, request: Request) -> JsonResponse:
        """List the enabled models that the key allows. Never loads one."""
        may_use = current_identity.get().may_use
        models = [model_body(model) async for model in RegisteredModel.objects.enabled() if may_use(model.name)]
        return JsonResponse({"object": "list", "data": models})


class ModelView(APIView):
    @model_schema
    async def get(self, request: Request, name: str) -> JsonResponse:
        """Describe one enabled model."""
        return JsonResponse(model_body(await enabled_model(name, kind=None)))
