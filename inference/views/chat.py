"""`/v1/chat/completions`."""

import asyncio
from typing import Any

from django.http import HttpResponseBase
from rest_framework.request import Request

from inference.bodies.chat import ChatResponse, ChoiceBuilder, usage_body
from inference.bodies.chunks import ChunkEncoder
from inference.chat.completion import ChatCompletion, Finished, KeepAlive, TotalUsage
from inference.chat.legacy import is_legacy, legacy_choice
from inference.chat.request import prepare_chat, start_completion
from inference.pool import pool
from inference.schema.chat import chat_schema
from inference.serializers.chat import ChatCompletionRequestSerializer
from inference.streaming import stream_response
from inference.views.api_view import APIView
from inference.views.base import json_response, respond
from registry.served_model import ServedModel


class ChatCompletionsView(APIView):
    @chat_schema
    async def post(self, request: Request) -> HttpResponseBase:
        """Answer a conversation, as one body or as a stream of chunks."""
        return await respond(request, ChatCompletionRequestSerializer, self._answer)

    async def _answer(self, model: ServedModel, parameters: dict[str, Any]) -> HttpResponseBase:
        prepared = await asyncio.to_thread(prepare_chat, model, parameters)
        completion = start_completion(pool, model, prepared)
        response = ChatResponse(model.name)
        if parameters["stream"]:
            options = parameters.get("stream_options") or {}
            include_usage = options.get("include_usage", False)
            encoder = ChunkEncoder(response, prepared.num_choices, include_usage, is_legacy(parameters))
            return await stream_response(completion, encoder)
        choices, total = await collect(completion, prepared.num_choices)
        if is_legacy(parameters):
            choices = list(map(legacy_choice, choices))
        return json_response(response.completion(choices, usage_body(total)))


async def collect(completion: ChatCompletion, num_choices: int) -> tuple[list[dict[str, Any]], TotalUsage]:
    """Wait for all choices; the generations end with the client's connection."""
    choices = [ChoiceBuilder() for _ in range(num_choices)]
    total = None
    try:
        async for index, event in completion:
            if not isinstance(event, KeepAlive):
                choices[index].add(event)
            if isinstance(event, Finished):
                total = event.total
    finally:
        completion.close()
    return [choice.build(index) for index, choice in enumerate(choices)], total
