"""`/v1/health`."""

from importlib.metadata import version
from typing import Any

from django.http import JsonResponse
from rest_framework.request import Request

from inference.pool import EngineStatus, pool
from inference.schema.health import health_schema
from inference.views.api_view import APIView
from llmsite.version import __version__

LLAMA_CPP_PYTHON = version("llama-cpp-python")


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


def _engine_body(status: EngineStatus) -> dict[str, Any]:
    return {
        "name": status.name,
        "state": status.state,
        "waiting": status.stats.waiting,
        "running": status.stats.running,
        "cached_tokens": status.stats.cached_tokens,
    }
