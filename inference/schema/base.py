"""Errors, and what the descriptions of endpoints are made with."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

import inference.schema.request_fields  # noqa: F401 - drf-spectacular finds its extensions by their being defined


class ErrorDetailSerializer(serializers.Serializer):
    message = serializers.CharField()
    type = serializers.CharField()
    param = serializers.CharField(allow_null=True)
    code = serializers.CharField(allow_null=True)


class ErrorSerializer(serializers.Serializer):
    """Every error of the API has this shape."""

    error = ErrorDetailSerializer()


def example(name: str, value: Any, **options: Any) -> OpenApiExample:
    return OpenApiExample(name, value=value, **options)


def error(description: str, message: str, kind: str, param: str | None, code: str | None) -> OpenApiResponse:
    body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return OpenApiResponse(ErrorSerializer, description, [example(description, body)])


INVALID = error(
    "Invalid request",
    "Invalid `temperature`: expected a number between 0 and 2, got 3.",
    "invalid_request_error",
    "temperature",
    None,
)
NOT_FOUND = error(
    "Unknown model", "The model `x` does not exist or is disabled.", "invalid_request_error", "model", "model_not_found"
)
UNAVAILABLE = error(
    "The model cannot be loaded or its engine died",
    "Model `demo` could not be loaded: the file is missing.",
    "service_unavailable_error",
    None,
    "load_failed",
)
