"""`/v1/completions`."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers

from inference.schema.base import INVALID, NOT_FOUND, UNAVAILABLE, example
from inference.schema.chat import UsageSerializer
from inference.serializers.completions import CompletionRequestSerializer


class CompletionLogprobsSerializer(serializers.Serializer):
    tokens = serializers.ListField(
        child=serializers.CharField(), help_text=r"A part of a character is written as its bytes: `bytes:\xd0`."
    )
    token_logprobs = serializers.ListField(
        child=serializers.FloatField(allow_null=True), help_text="null for the first token of an echoed prompt."
    )
    top_logprobs = serializers.ListField(
        child=serializers.DictField(child=serializers.FloatField(), allow_null=True),
        help_text="The likeliest tokens in the place of each, and the token itself.",
    )
    text_offset = serializers.ListField(
        child=serializers.IntegerField(), help_text="Where in `text` each token begins, in characters."
    )


class CompletionChoiceSerializer(serializers.Serializer):
    text = serializers.CharField()
    index = serializers.IntegerField(help_text="The prompt's number times `n`, plus the completion's own.")
    logprobs = CompletionLogprobsSerializer(allow_null=True)
    finish_reason = serializers.ChoiceField(choices=["stop", "length"])


class CompletionSerializer(serializers.Serializer):
    id = serializers.CharField()
    object = serializers.CharField()
    created = serializers.IntegerField(help_text="Unix time in seconds.")
    model = serializers.CharField()
    choices = CompletionChoiceSerializer(many=True)
    usage = UsageSerializer()


PROMPT = {"model": "demo", "prompt": "The capital of France is", "max_tokens": 4, "temperature": 0}
USAGE_EXAMPLE = {
    "prompt_tokens": 6,
    "completion_tokens": 2,
    "total_tokens": 8,
    "prompt_tokens_details": {"cached_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0},
}
HEAD = {"id": "cmpl-1", "object": "text_completion", "created": 1763800000, "model": "demo"}
CHOICE = {"text": " Paris.", "index": 0, "logprobs": None, "finish_reason": "stop"}
LOGPROBS = {
    "tokens": [" Paris", "."],
    "token_logprobs": [-0.01, -0.02],
    "top_logprobs": [{" Paris": -0.01}, {".": -0.02}],
    "text_offset": [0, 6],
}
STREAM_EXAMPLE = (
    'data: {"id":"cmpl-1","object":"text_completion","created":1763800000,"model":"demo",'
    '"choices":[{"text":" Paris","index":0,"logprobs":null,"finish_reason":null}]}\n\ndata: [DONE]\n\n'
)

completions_schema = extend_schema(
    operation_id="createCompletion",
    tags=["completions"],
    request={"application/json": CompletionRequestSerializer},
    responses={
        (200, "application/json"): OpenApiResponse(
            CompletionSerializer,
            "The completions",
            [
                example("Whole completion", {**HEAD, "choices": [CHOICE], "usage": USAGE_EXAMPLE}),
                example(
                    "With log probabilities",
                    {**HEAD, "choices": [{**CHOICE, "logprobs": LOGPROBS}], "usage": USAGE_EXAMPLE},
                ),
            ],
        ),
        (200, "text/event-stream"): OpenApiResponse(
            {"type": "string"}, "The completions as server-sent events", [example("Streamed", STREAM_EXAMPLE)]
        ),
        400: INVALID,
        404: NOT_FOUND,
        503: UNAVAILABLE,
    },
    examples=[
        example("Prompt", PROMPT, request_only=True),
        example("Several prompts", {**PROMPT, "prompt": ["One, two,", "Ten, nine,"], "n": 2}, request_only=True),
        example("Streamed", {**PROMPT, "stream": True}, request_only=True),
        example("Score a text", {**PROMPT, "max_tokens": 0, "echo": True, "logprobs": 1}, request_only=True),
        example("Fill in the middle", {**PROMPT, "prompt": "def add(a, b):\n", "suffix": "\n"}, request_only=True),
    ],
)
