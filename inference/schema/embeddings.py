"""`/v1/embeddings`."""

from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers

from inference.schema.base import NOT_FOUND, UNAVAILABLE, error, example
from inference.serializers.embeddings import EmbeddingsRequestSerializer


@extend_schema_field({"oneOf": [{"type": "array", "items": {"type": "number"}}, {"type": "string", "format": "byte"}]})
class VectorField(serializers.Field):
    """A vector, as the request's `encoding_format` asks for it."""


class EmbeddingSerializer(serializers.Serializer):
    object = serializers.CharField()
    index = serializers.IntegerField(help_text="The input's place in the request.")
    embedding = VectorField()


class PromptUsageSerializer(serializers.Serializer):
    prompt_tokens = serializers.IntegerField()
    total_tokens = serializers.IntegerField()


class EmbeddingListSerializer(serializers.Serializer):
    object = serializers.CharField()
    data = EmbeddingSerializer(many=True)
    model = serializers.CharField()
    usage = PromptUsageSerializer()


EMBEDDINGS_EXAMPLE = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.6, -0.8]}],
    "model": "embedder",
    "usage": {"prompt_tokens": 8, "total_tokens": 8},
}
TOO_LONG = error(
    "Invalid request, or a model of another kind",
    "Invalid `input`: input 3 has 700 tokens, this model takes at most 512.",
    "invalid_request_error",
    "input",
    None,
)
embeddings_schema = extend_schema(
    operation_id="createEmbeddings",
    tags=["embeddings"],
    request={"application/json": EmbeddingsRequestSerializer},
    responses={
        200: OpenApiResponse(EmbeddingListSerializer, "The vectors", [example("Vectors", EMBEDDINGS_EXAMPLE)]),
        400: TOO_LONG,
        404: NOT_FOUND,
        503: UNAVAILABLE,
    },
    examples=[
        example("One text", {"model": "embedder", "input": "The capital of France."}, request_only=True),
        example(
            "Several, in base64",
            {"model": "embedder", "input": ["One text.", "Another."], "encoding_format": "base64"},
            request_only=True,
        ),
    ],
)
