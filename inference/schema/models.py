"""`/v1/models`."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers

from inference.schema.base import NOT_FOUND, example
from registry.model_kinds import Kind


class PricingSerializer(serializers.Serializer):
    prompt = serializers.CharField()
    completion = serializers.CharField()


class ModelMetaSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(choices=Kind.values, help_text="Which endpoints answer with the model.")
    architecture = serializers.CharField()
    n_params = serializers.IntegerField(allow_null=True)
    quantization = serializers.CharField()
    n_ctx_train = serializers.IntegerField(allow_null=True)
    n_embd = serializers.IntegerField(allow_null=True, help_text="Dimensions of its vectors.")
    size = serializers.IntegerField(allow_null=True, help_text="Bytes.")


class ModelSerializer(serializers.Serializer):
    id = serializers.CharField()
    object = serializers.CharField()
    created = serializers.IntegerField(help_text="Unix time in seconds.")
    owned_by = serializers.CharField()
    parent = serializers.CharField(allow_null=True, help_text="Of a preset the model that answers; else null.")
    context_length = serializers.IntegerField(help_text="Tokens that one conversation, or one text to embed, may use.")
    pricing = PricingSerializer()
    meta = ModelMetaSerializer()


class ModelListSerializer(serializers.Serializer):
    object = serializers.CharField()
    data = ModelSerializer(many=True)


MODEL_EXAMPLE = {
    "id": "demo",
    "object": "model",
    "created": 1763800000,
    "owned_by": "llmsite",
    "parent": None,
    "context_length": 2048,
    "pricing": {"prompt": "0", "completion": "0"},
    "meta": {
        "kind": "chat",
        "architecture": "llama",
        "n_params": 1000000,
        "quantization": "F16",
        "n_ctx_train": 2048,
        "n_embd": 128,
        "size": 2000000,
    },
}
models_schema = extend_schema(
    operation_id="listModels",
    tags=["models"],
    responses={
        200: OpenApiResponse(
            ModelListSerializer, "The models", [example("Models", {"object": "list", "data": [MODEL_EXAMPLE]})]
        )
    },
)
model_schema = extend_schema(
    operation_id="retrieveModel",
    tags=["models"],
    responses={200: OpenApiResponse(ModelSerializer, "The model", [example("Model", MODEL_EXAMPLE)]), 404: NOT_FOUND},
)
