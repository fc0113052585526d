"""`/v1/health`."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers

from inference.schema.base import example


class EngineSerializer(serializers.Serializer):
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=["waiting", "loading", "ready"])
    waiting = serializers.IntegerField()
    running = serializers.IntegerField()
    cached_tokens = serializers.IntegerField(help_text="KV cells in use, kept conversations included.")


class HealthSerializer(serializers.Serializer):
    status = serializers.CharField()
    version = serializers.CharField()
    llama_cpp_python = serializers.CharField()
    models = EngineSerializer(many=True, help_text="The models that are loaded or wait for it.")
    waiting = serializers.IntegerField(help_text="Requests in all queues.")
    running = serializers.IntegerField(help_text="Requests being computed.")


health_schema = extend_schema(
    operation_id="health",
    tags=["service"],
    responses={
        200: OpenApiResponse(
            HealthSerializer,
            "The state of the service",
            [
                example(
                    "Idle",
                    {
                        "status": "ok",
                        "version": "0.1.0",
                        "llama_cpp_python": "0.3.36",
                        "models": [{"name": "demo", "state": "ready", "waiting": 0, "running": 0, "cached_tokens": 27}],
                        "waiting": 0,
                        "running": 0,
                    },
                )
            ],
        )
    },
)
