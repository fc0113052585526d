"""`/v1/responses`."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers

from inference.schema.base import INVALID, NOT_FOUND, UNAVAILABLE, error, example
from inference.serializers.response_items import ITEMS
from inference.serializers.responses import InputItemsQuerySerializer, ResponseRequestSerializer


class OutputTextSerializer(serializers.Serializer):
    type = serializers.ChoiceField(choices=["output_text", "reasoning_text"])
    text = serializers.CharField()
    annotations = serializers.ListField(child=serializers.DictField(), help_text="Always empty.")
    logprobs = serializers.ListField(child=serializers.DictField())


class OutputItemSerializer(serializers.Serializer):
    """What the model thought, its answer, or a function that it calls; the last two have fields of their own."""

    id = serializers.CharField()
    type = serializers.ChoiceField(choices=["reasoning", "message", "function_call"])
    status = serializers.ChoiceField(choices=["in_progress", "completed", "incomplete"])
    role = serializers.CharField(required=False)
    content = OutputTextSerializer(many=True, required=False)
    call_id = serializers.CharField(required=False, help_text="Ties the `function_call_output` to this call.")
    name = serializers.CharField(required=False)
    arguments = serializers.CharField(required=False, help_text="A JSON object as text.")


class InputDetailsSerializer(serializers.Serializer):
    cached_tokens = serializers.IntegerField(help_text="Input tokens that were still computed from before.")
    cache_write_tokens = serializers.IntegerField(help_text="Input tokens that were computed, and are kept.")


class OutputDetailsSerializer(serializers.Serializer):
    reasoning_tokens = serializers.IntegerField()


class ResponseUsageSerializer(serializers.Serializer):
    input_tokens = serializers.IntegerField()
    input_tokens_details = InputDetailsSerializer()
    output_tokens = serializers.IntegerField()
    output_tokens_details = OutputDetailsSerializer()
    total_tokens = serializers.IntegerField()


class ResponseSerializer(serializers.Serializer):
    """A response; besides these fields it repeats those of the request."""

    id = serializers.CharField()
    object = serializers.CharField()
    created_at = serializers.IntegerField(help_text="Unix time in seconds.")
    completed_at = serializers.IntegerField(allow_null=True)
    status = serializers.ChoiceField(choices=["in_progress", "completed", "incomplete", "failed"])
    error = serializers.DictField(allow_null=True)
    incomplete_details = serializers.DictField(allow_null=True)
    model = serializers.CharField()
    output = OutputItemSerializer(many=True)
    usage = ResponseUsageSerializer(allow_null=True)
    store = serializers.BooleanField(help_text="Whether the response is kept.")
    previous_response_id = serializers.CharField(allow_null=True)


class ResponseInputTokensSerializer(serializers.Serializer):
    object = serializers.CharField()
    input_tokens = serializers.IntegerField()


class DeletedResponseSerializer(serializers.Serializer):
    id = serializers.CharField()
    object = serializers.CharField()
    deleted = serializers.BooleanField()


class InputItemSerializer(serializers.Serializer):
    """A part of `input`; its other fields depend on its type."""

    id = serializers.CharField()
    type = serializers.ChoiceField(choices=[name for name in ITEMS if name != "item_reference"])
    status = serializers.CharField()


class InputItemListSerializer(serializers.Serializer):
    object = serializers.CharField()
    data = InputItemSerializer(many=True)
    first_id = serializers.CharField(allow_null=True)
    last_id = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


HEX = "67ccd2bed1ec8190b14f964abc054267"
RESPONSE_ID = f"resp_{HEX}"
ANSWER = {"type": "output_text", "text": "The capital of France is Paris.", "annotations": [], "logprobs": []}
MESSAGE = {"id": f"msg_{HEX}_0", "type": "message", "status": "completed", "role": "assistant", "content": [ANSWER]}
RESPONSE_EXAMPLE = {
    "id": RESPONSE_ID,
    "object": "response",
    "created_at": 1763800000,
    "completed_at": 1763800001,
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "model": "demo",
    "output": [MESSAGE],
    "usage": {
        "input_tokens": 19,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 19},
        "output_tokens": 8,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 27,
    },
    "store": True,
    "previous_response_id": None,
}
STREAM_EXAMPLE = (
    'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":4,'
    f'"item_id":"msg_{HEX}_0","output_index":0,"content_index":0,"delta":"Paris","logprobs":[]}}\n\n'
)
QUESTION = {"model": "demo", "input": "What is the capital of France?"}
INPUT_ITEM = {
    "id": f"msg_{HEX}_i0",
    "type": "message",
    "status": "completed",
    "role": "user",
    "content": [{"type": "input_text", "text": "What is the capital of France?"}],
}
ITEMS_EXAMPLE = {
    "object": "list",
    "data": [INPUT_ITEM],
    "first_id": INPUT_ITEM["id"],
    "last_id": INPUT_ITEM["id"],
    "has_more": False,
}
WEATHER_TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "The current weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
NO_RESPONSE = error(
    "Unknown response",
    "Response `resp_x` was not found: there is none, or it was deleted, sent with `store: false`, or is older than 30 "
    "days.",
    "invalid_request_error",
    None,
    "response_not_found",
)

create_response_schema = extend_schema(
    operation_id="createResponse",
    tags=["responses"],
    request={"application/json": ResponseRequestSerializer},
    responses={
        (200, "application/json"): OpenApiResponse(
            ResponseSerializer, "The response", [example("Whole response", RESPONSE_EXAMPLE)]
        ),
        (200, "text/event-stream"): OpenApiResponse(
            {"type": "string"}, "The response as server-sent events", [example("One of its events", STREAM_EXAMPLE)]
        ),
        400: INVALID,
        404: NOT_FOUND,
        503: UNAVAILABLE,
    },
    examples=[
        example("Question", QUESTION, request_only=True),
        example("Continued", {**QUESTION, "previous_response_id": RESPONSE_ID}, request_only=True),
        example("With a function", {**QUESTION, "tools": [WEATHER_TOOL]}, request_only=True),
    ],
)
response_input_tokens_schema = extend_schema(
    operation_id="countResponseInputTokens",
    tags=["responses"],
    request={"application/json": ResponseRequestSerializer},
    responses={
        200: OpenApiResponse(
            ResponseInputTokensSerializer,
            "The number of tokens",
            [example("Tokens", {"object": "response.input_tokens", "input_tokens": 19})],
        ),
        400: INVALID,
        404: NOT_FOUND,
        503: UNAVAILABLE,
    },
    examples=[example("Question", QUESTION, request_only=True)],
)
retrieve_response_schema = extend_schema(
    operation_id="retrieveResponse",
    tags=["responses"],
    responses={
        200: OpenApiResponse(ResponseSerializer, "The response", [example("Response", RESPONSE_EXAMPLE)]),
        400: INVALID,
        404: NO_RESPONSE,
    },
)
delete_response_schema = extend_schema(
    operation_id="deleteResponse",
    tags=["responses"],
    responses={
        200: OpenApiResponse(
            DeletedResponseSerializer,
            "It is gone",
            [example("Deleted", {"id": RESPONSE_ID, "object": "response", "deleted": True})],
        ),
        404: NO_RESPONSE,
    },
)
input_items_schema = extend_schema(
    operation_id="listInputItems",
    tags=["responses"],
    parameters=[InputItemsQuerySerializer],
    responses={
        200: OpenApiResponse(InputItemListSerializer, "The items", [example("Items", ITEMS_EXAMPLE)]),
        400: INVALID,
        404: NO_RESPONSE,
    },
)
