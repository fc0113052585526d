"""The body of `/v1/embeddings`."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from inference.serializers.base import RequestSerializer
from inference.serializers.fields import (
    InputField,
    KeepAliveField,
    StrictCharField,
    StrictIntegerField,
    check_length,
    optional,
    refuse,
)

MAX_INPUTS = 2048
MAX_DIMENSIONS = 2**31 - 1
EXPECTED = "a string, a list of strings, a list of token ids, or a list of lists of token ids"
FOREIGN_TOKENS = (
    "these are token ids. Clients made for OpenAI compute them with OpenAI's own tokenizer, in which they mean other "
    "words than in this model's. Send text instead: set RAG_CHECK_EMBEDDING_CTX_LENGTH=False for LibreChat's RAG API, "
    "check_embedding_ctx_length=False for LangChain's OpenAIEmbeddings. If the ids really are of this model's "
    'tokenizer, say so with `"tokenizer": "model"`.'
)
TOKENS_SCHEMA = {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1}


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "minLength": 1},
            {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1, "maxItems": MAX_INPUTS},
            TOKENS_SCHEMA,
            {"type": "array", "items": TOKENS_SCHEMA, "minItems": 1, "maxItems": MAX_INPUTS},
        ]
    }
)
class EmbeddingInputField(InputField):
    """One input or several; always a list of texts, or of tuples of token ids, inside."""

    def to_internal_value(self, data: Any) -> list[str] | list[tuple[int, ...]]:
        if isinstance(data, str):
            return [_text(data, 0)]
        if not isinstance(data, list) or not data:
            raise refuse(data, EXPECTED)
        if _is_token(data[0]):
            return [_tokens(data, 0)]
        if len(data) > MAX_INPUTS:
            raise refuse(len(data), f"at most {MAX_INPUTS} inputs")
        read = _text if isinstance(data[0], str) else _tokens
        return [read(item, index) for index, item in enumerate(data)]


class EmbeddingsRequestSerializer(RequestSerializer):
    """The body of a request for embeddings."""

    model = StrictCharField(help_text="The name of a registered embedding model.")
    input = EmbeddingInputField(
        help_text="One text or up to 2048, none of them empty. Token ids are refused unless `tokenizer` is `model`."
    )
    encoding_format = serializers.ChoiceField(
        choices=["float", "base64"],
        required=False,
        default="float",
        help_text="Lists of numbers, or the bytes of little-endian float32 numbers in base64.",
    )
    dimensions = optional(
        StrictIntegerField,
        "Keep so many dimensions and scale to length 1 again; for models trained for it (Matryoshka).",
        min_value=1,
        max_value=MAX_DIMENSIONS,
    )
    tokenizer = optional(
        serializers.ChoiceField,
        "Says that token ids in `input` are this model's own. Nothing is added to them.",
        choices=["model"],
    )

    keep_alive = optional(
        KeepAliveField, "How long the model stays in memory afterwards: seconds or `5m`; 0 not at all, -1 for ever."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(attrs["input"][0], str) and not attrs.get("tokenizer"):
            raise serializers.ValidationError({"input": FOREIGN_TOKENS})
        return attrs


def _text(item: Any, index: int) -> str:
    if not isinstance(item, str) or not item:
        raise refuse(item, f"a non-empty string as input {index}")
    check_length(len(item), f"input {index}")
    return item


def _tokens(item: Any, index: int) -> tuple[int, ...]:
    if not isinstance(item, list) or not item or not all(map(_is_token, item)):
        raise refuse(item, f"a non-empty string or list of token ids as input {index}")
    return tuple(item)


def _is_token(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
