"""`/v1/chat/completions`."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers

from inference.schema.base import INVALID, NOT_FOUND, UNAVAILABLE, example
from inference.serializers.chat import ROLES, ChatCompletionRequestSerializer, ToolCallSerializer


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
            ChatCompletionSerializer, "The answer", [example("Whole answer", COMPLETION_EXAMPLE)]
        ),
        (200, "text/event-stream"): OpenApiResponse(
            {"type": "string"}, "The answer as server-sent events", [example("Streamed answer", STREAM_EXAMPLE)]
        ),
        400: INVALID,
        404: NOT_FOUND,
        503: UNAVAILABLE,
    },
    examples=[
        example("Question", QUESTION, request_only=True),
        example("Streamed", {**QUESTION, "stream": True}, request_only=True),
        example("With a tool", {**QUESTION, "tools": [WEATHER_TOOL]}, request_only=True),
    ],
)
