"""`/v1/pool`, and loading and unloading."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers

from inference.schema.base import NOT_FOUND, UNAVAILABLE, error, example


class MemorySerializer(serializers.Serializer):
    host = serializers.IntegerField(allow_null=True, help_text="Bytes of main memory; null is no limit.")
    devices = serializers.ListField(child=serializers.IntegerField(), help_text="Bytes on each GPU.")


class PoolMemorySerializer(serializers.Serializer):
    used = MemorySerializer()
    limit = MemorySerializer()


class PoolModelSerializer(serializers.Serializer):
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=["waiting", "loading", "ready", "leaving"])
    progress = serializers.FloatField(help_text="How much of it is loaded, 0 to 1.")
    memory = MemorySerializer()
    pinned = serializers.BooleanField()
    pid = serializers.IntegerField(allow_null=True)
    queued = serializers.IntegerField(help_text="Requests that wait for it to be loaded.")
    waiting = serializers.IntegerField(help_text="Requests in the engine's queue.")
    running = serializers.IntegerField(help_text="Requests being computed.")
    cached_tokens = serializers.IntegerField(help_text="KV cells in use, kept conversations included.")
    idle_since = serializers.DateTimeField(allow_null=True)
    unload_at = serializers.DateTimeField(allow_null=True, help_text="When it is unloaded if nobody asks for it.")


class PoolSerializer(serializers.Serializer):
    object = serializers.CharField()
    memory = PoolMemorySerializer()
    queued = serializers.IntegerField(help_text="Requests that wait for models to be loaded.")
    models = PoolModelSerializer(many=True)


class LoadedSerializer(serializers.Serializer):
    object = serializers.CharField()
    id = serializers.CharField()
    state = serializers.CharField()


class UnloadedSerializer(LoadedSerializer):
    was_loaded = serializers.BooleanField()


POOL_EXAMPLE = {
    "object": "pool",
    "memory": {"used": {"host": 131072000, "devices": []}, "limit": {"host": 12884901888, "devices": []}},
    "queued": 0,
    "models": [
        {
            "name": "demo",
            "state": "ready",
            "progress": 1.0,
            "memory": {"host": 131072000, "devices": []},
            "pinned": False,
            "pid": 4711,
            "queued": 0,
            "waiting": 0,
            "running": 0,
            "cached_tokens": 27,
            "idle_since": "2026-11-23T10:00:00+00:00",
            "unload_at": None,
        }
    ],
}
FORBIDDEN = error(
    "No operator",
    "This needs an API key that may manage models, or the token of an operator, which `python manage.py pool token` "
    "prints.",
    "authentication_error",
    None,
    "not_an_operator",
)
pool_schema = extend_schema(
    operation_id="pool",
    tags=["operators"],
    responses={200: OpenApiResponse(PoolSerializer, "The pool", [example("Pool", POOL_EXAMPLE)]), 401: FORBIDDEN},
)
pool_events_schema = extend_schema(
    operation_id="poolEvents",
    tags=["operators"],
    responses={
        (200, "text/event-stream"): OpenApiResponse(
            PoolSerializer,
            "Events; the data of each is the whole pool",
            [example("Event", POOL_EXAMPLE, media_type="text/event-stream")],
        ),
        401: FORBIDDEN,
    },
)
load_schema = extend_schema(
    operation_id="loadModel",
    tags=["operators"],
    request=None,
    responses={
        200: OpenApiResponse(
            LoadedSerializer, "It is loaded", [example("Loaded", {"object": "model", "id": "demo", "state": "ready"})]
        ),
        401: FORBIDDEN,
        404: NOT_FOUND,
        503: UNAVAILABLE,
    },
)
unload_schema = extend_schema(
    operation_id="unloadModel",
    tags=["operators"],
    request=None,
    responses={
        200: OpenApiResponse(
            UnloadedSerializer,
            "It is not loaded any more",
            [example("Unloaded", {"object": "model", "id": "demo", "state": "unloaded", "was_loaded": True})],
        ),
        401: FORBIDDEN,
        404: NOT_FOUND,
    },
)
