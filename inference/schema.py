"""What Swagger shows of the endpoints: bodies, examples and errors."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers

from inference.serializers import ROLES, ChatCompletionRequestSerializer, ToolCallSerializer


class ErrorDetailSerializer(serializers.Serializer):
    message = serializers.CharField()
    type = serializers.CharField()
    param = serializers.CharField(allow_null=True)
    code = serializers.CharField(allow_null=True)


class ErrorSerializer(serializers.Serializer):
    """Every error of the API has this shape."""

    error = ErrorDetailSerializer()


class CachedTokensSerializer(serializers.Serializer):
    cached_tokens = serializers.IntegerField(help_text="Prompt tokens that were still computed from before.")


class ReasoningTokensSerializer(serializers.Serializer):
    reasoning_tokens = serializers.IntegerField(help_text="Generated tokens that became `reasoning_content`.")


class UsageSerializer(serializers.Serializer):
    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    total_tokens = serializers.IntegerField()
    prompt_tokens_details = CachedTokensSerializer()
    completion_tokens_details = ReasoningTokensSerializer()


class AssistantMessageSerializer(serializers.Serializer):
    role = serializers.ChoiceField(choices=[role for role in ROLES if role == "assistant"])
    content = serializers.CharField(allow_null=True)
    refusal = serializers.CharField(allow_null=True)
    reasoning_content = serializers.CharField(required=False, help_text="What the model thought before it answered.")
    tool_calls = ToolCallSerializer(many=True, required=False)


class AlternativeSerializer(serializers.Serializer):
    token = serializers.CharField()
    logprob = serializers.FloatField()
    bytes = serializers.ListField(child=serializers.IntegerField())


class TokenLogprobSerializer(AlternativeSerializer):
    top_logprobs = AlternativeSerializer(many=True)


class LogprobsSerializer(serializers.Serializer):
    content = TokenLogprobSerializer(many=True)
    refusal = serializers.CharField(allow_null=True)


class ChoiceSerializer(serializers.Serializer):
    index = serializers.IntegerField()
    message = AssistantMessageSerializer()
    logprobs = LogprobsSerializer(allow_null=True)
    finish_reason = serializers.ChoiceField(choices=["stop", "length", "tool_calls"])


class ChatCompletionSerializer(serializers.Serializer):
    id = serializers.CharField()
    object = serializers.CharField()
    created = serializers.IntegerField(help_text="Unix time in seconds.")
    model = serializers.CharField()
    choices = ChoiceSerializer(many=True)
    usage = UsageSerializer()


class PricingSerializer(serializers.Serializer):
    prompt = serializers.CharField()
    completion = serializers.CharField()


class ModelMetaSerializer(serializers.Serializer):
    architecture = serializers.CharField()
    n_params = serializers.IntegerField(allow_null=True)
    quantization = serializers.CharField()
    n_ctx_train = serializers.IntegerField(allow_null=True)
    size = serializers.IntegerField(allow_null=True, help_text="Bytes.")


class ModelSerializer(serializers.Serializer):
    id = serializers.CharField()
    object = serializers.CharField()
    created = serializers.IntegerField(help_text="Unix time in seconds.")
    owned_by = serializers.CharField()
    context_length = serializers.IntegerField(help_text="Tokens that one conversation may use.")
    pricing = PricingSerializer()
    meta = ModelMetaSerializer()


class ModelListSerializer(serializers.Serializer):
    object = serializers.CharField()
    data = ModelSerializer(many=True)


class EngineSerializer(serializers.Serializer):
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=["loading", "ready"])
    waiting = serializers.IntegerField()
    running = serializers.IntegerField()
    cached_tokens = serializers.IntegerField(help_text="KV cells in use, kept conversations included.")


class HealthSerializer(serializers.Serializer):
    status = serializers.CharField()
    version = serializers.CharField()
    llama_cpp_python = serializers.CharField()
    models = EngineSerializer(many=True, help_text="The loaded and loading models.")
    waiting = serializers.IntegerField(help_text="Requests in all queues.")
    running = serializers.IntegerField(help_text="Requests being computed.")


MODEL_EXAMPLE = {
    "id": "demo",
    "object": "model",
    "created": 1763800000,
    "owned_by": "llmsite",
    "context_length": 2048,
    "pricing": {"prompt": "0", "completion": "0"},
    "meta": {
        "architecture": "llama",
        "n_params": 1000000,
        "quantization": "F16",
        "n_ctx_train": 2048,
        "size": 2000000,
    },
}
USAGE_EXAMPLE = {
    "prompt_tokens": 19,
    "completion_tokens": 8,
    "total_tokens": 27,
    "prompt_tokens_details": {"cached_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0},
}
QUESTION = {"model": "demo", "messages": [{"role": "user", "content": "What is the capital of France?"}]}
ANSWER = "The capital of France is Paris."
WEATHER_TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The current weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
STREAM_EXAMPLE = (
    'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1763800000,"model":"demo",'
    '"choices":[{"index":0,"delta":{"content":"Paris"},"finish_reason":null}]}\n\ndata: [DONE]\n\n'
)


def _example(name: str, value: Any, **options: Any) -> OpenApiExample:
    return OpenApiExample(name, value=value, **options)


def _error(description: str, message: str, kind: str, param: str | None, code: str | None) -> OpenApiResponse:
    body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return OpenApiResponse(ErrorSerializer, description, [_example(description, body)])


INVALID = _error(
    "Invalid request",
    "Invalid `temperature`: expected a number between 0 and 2, got 3.",
    "invalid_request_error",
    "temperature",
    None,
)
NOT_FOUND = _error(
    "Unknown model", "The model `x` does not exist or is disabled.", "invalid_request_error", "model", "model_not_found"
)
UNAVAILABLE = _error(
    "The model cannot be loaded or its engine died",
    "Model `demo` could not be loaded: the file is missing.",
    "service_unavailable_error",
    None,
    "load_failed",
)
COMPLETION_EXAMPLE = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1763800000,
    "model": "demo",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": ANSWER, "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": USAGE_EXAMPLE,
}

chat_schema = extend_schema(
    operation_id="createChatCompletion",
    tags=["chat"],
    request={"application/json": ChatCompletionRequestSerializer},
    responses={
        (200, "application/json"): OpenApiResponse(
            ChatCompletionSerializer, "The answer", [_example("Whole answer", COMPLETION_EXAMPLE)]
        ),
        (200, "text/event-stream"): OpenApiResponse(
            {"type": "string"}, "The answer as server-sent events", [_example("Streamed answer", STREAM_EXAMPLE)]
        ),
        400: INVALID,
        404: NOT_FOUND,
        503: UNAVAILABLE,
    },
    examples=[
        _example("Question", QUESTION, request_only=True),
        _example("Streamed", {**QUESTION, "stream": True}, request_only=True),
        _example("With a tool", {**QUESTION, "tools": [WEATHER_TOOL]}, request_only=True),
    ],
)
models_schema = extend_schema(
    operation_id="listModels",
    tags=["models"],
    responses={
        200: OpenApiResponse(
            ModelListSerializer, "The models", [_example("Models", {"object": "list", "data": [MODEL_EXAMPLE]})]
        )
    },
)
model_schema = extend_schema(
    operation_id="retrieveModel",
    tags=["models"],
    responses={200: OpenApiResponse(ModelSerializer, "The model", [_example("Model", MODEL_EXAMPLE)]), 404: NOT_FOUND},
)
health_schema = extend_schema(
    operation_id="health",
    tags=["service"],
    responses={
        200: OpenApiResponse(
            HealthSerializer,
            "The state of the service",
            [
                _example(
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
