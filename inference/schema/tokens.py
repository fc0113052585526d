"""`/v1/tokenize`, `/v1/detokenize` and `/v1/chat/completions/input_tokens`."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers

from inference.schema.base import INVALID, NOT_FOUND, UNAVAILABLE, error, example
from inference.schema.chat import QUESTION
from inference.serializers.chat import ChatCompletionRequestSerializer
from inference.serializers.tokens import DetokenizeRequestSerializer, TokenizeRequestSerializer

PIECE = {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "integer"}}]}
TOKEN = {"type": "object", "properties": {"id": {"type": "integer"}, "piece": PIECE}, "required": ["id", "piece"]}


@extend_schema_field({"type": "array", "items": {"oneOf": [{"type": "integer"}, TOKEN]}})
class TokenListField(serializers.ListField):
    """Token ids; with `with_pieces`, objects."""


class TokensSerializer(serializers.Serializer):
    object = serializers.CharField()
    model = serializers.CharField()
    tokens = TokenListField(
        help_text="Ids; with `with_pieces` objects. A piece that is no whole character is a list of byte values."
    )
    count = serializers.IntegerField()


class TextSerializer(serializers.Serializer):
    object = serializers.CharField()
    model = serializers.CharField()
    content = serializers.CharField()


class InputTokensSerializer(serializers.Serializer):
    object = serializers.CharField()
    model = serializers.CharField()
    input_tokens = serializers.IntegerField()


UNKNOWN_TOKEN = error(
    "Invalid request",
    "Invalid `tokens`: this model's token ids go from 0 to 1023, got 5000.",
    "invalid_request_error",
    "tokens",
    None,
)


def _answers(answer: Any, invalid: OpenApiResponse = INVALID) -> dict[int, Any]:
    return {200: answer, 400: invalid, 404: NOT_FOUND, 503: UNAVAILABLE}


IDS = {"object": "tokens", "model": "demo", "tokens": [893, 0], "count": 2}
PIECES = {**IDS, "tokens": [{"id": 893, "piece": "Hello"}, {"id": 0, "piece": "!"}]}
tokenize_schema = extend_schema(
    operation_id="tokenize",
    tags=["tokens"],
    request={"application/json": TokenizeRequestSerializer},
    responses=_answers(
        OpenApiResponse(TokensSerializer, "The tokens", [example("Ids", IDS), example("With pieces", PIECES)])
    ),
    examples=[example("Text", {"model": "demo", "content": "Hello!"}, request_only=True)],
)
detokenize_schema = extend_schema(
    operation_id="detokenize",
    tags=["tokens"],
    request={"application/json": DetokenizeRequestSerializer},
    responses=_answers(
        OpenApiResponse(
            TextSerializer, "The text", [example("Text", {"object": "text", "model": "demo", "content": "Hello!"})]
        ),
        UNKNOWN_TOKEN,
    ),
    examples=[example("Tokens", {"model": "demo", "tokens": [893, 0]}, request_only=True)],
)
input_tokens_schema = extend_schema(
    operation_id="countChatCompletionInputTokens",
    tags=["tokens"],
    request={"application/json": ChatCompletionRequestSerializer},
    responses=_answers(
        OpenApiResponse(
            InputTokensSerializer,
            "The count",
            [example("Count", {"object": "chat.completion.input_tokens", "model": "demo", "input_tokens": 19})],
        )
    ),
    examples=[example("Question", QUESTION, request_only=True)],
)
