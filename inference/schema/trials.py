"""`/v1/models/{name}/test`."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers

from inference.schema.base import INVALID, NOT_FOUND, example
from inference.schema.pool import FORBIDDEN
from inference.trials.run import RUNNING, WAITING
from registry.model_tests import TestState


class StepSerializer(serializers.Serializer):
    name = serializers.CharField()
    label = serializers.CharField(help_text="The name for people.")
    passed = serializers.BooleanField()
    text = serializers.CharField(help_text="What was found; of a failed step, what came instead.")
    seconds = serializers.FloatField()


class ModelTestSerializer(serializers.Serializer):
    object = serializers.CharField()
    model = serializers.CharField()
    state = serializers.ChoiceField(choices=[WAITING, RUNNING, *TestState.values])
    current = serializers.CharField(help_text="The step that runs, empty if none.")
    error = serializers.CharField(help_text="Why the model could not be loaded.")
    num_steps = serializers.IntegerField(help_text="How many steps a whole run has.")
    steps = StepSerializer(many=True)
    capabilities = serializers.DictField()


EXAMPLE = {
    "object": "model.test",
    "model": "demo",
    "state": "running",
    "current": "stop",
    "error": "",
    "num_steps": 8,
    "steps": [{"name": "greeting", "label": "Greeting", "passed": True, "text": "“Hello!”", "seconds": 0.2}],
    "capabilities": {"reasoning": False, "languages": ["en"]},
}
test_schema = extend_schema(
    operation_id="testModel",
    tags=["operators"],
    request=None,
    responses={
        (200, "text/event-stream"): OpenApiResponse(
            ModelTestSerializer,
            "Events; the data of each is the whole run so far",
            [example("Event", EXAMPLE, media_type="text/event-stream")],
        ),
        400: INVALID,
        401: FORBIDDEN,
        404: NOT_FOUND,
    },
)
