"""Testing a model by hand. For operators."""

from collections.abc import AsyncIterator

from django.http import JsonResponse, StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from inference.bodies.models import model_body
from inference.bodies.trials import run_body
from inference.operators import require_operator
from inference.schema.trials import test_schema
from inference.streaming import event_stream, sse
from inference.trials.run import TestRun
from inference.trials.runner import follow, runner
from inference.views.api_view import APIView
from inference.views.base import enabled_model
from registry.served_model import ServedModel


class ModelTestView(APIView):
    @test_schema
    async def post(self, request: Request, name: str) -> StreamingHttpResponse:
        """Run the test set on a model, a preset's own one, and tell of each step. The run ends with the connection."""
        require_operator()
        model = await enabled_model(name, kind=None)
        return event_stream(_until_it_ends(await runner.start(ServedModel(model.registration))))

    @extend_schema(exclude=True)
    async def get(self, request: Request, name: str) -> JsonResponse:
        """Describe a model whose name ends in `/test`."""
        return JsonResponse(model_body(await enabled_model(f"{name}/test", kind=None)))


async def _until_it_ends(run: TestRun) -> AsyncIterator[bytes]:
    try:
        async for news in follow(run):
            yield sse(run_body(news))
    finally:
        await runner.cancel(run.model.registration.pk)
