"""`/v1/chat/completions`."""

import asyncio
from typing import Any

from adrf.views import APIView
from django.http import HttpResponseBase
from rest_framework.request import Request

from inference.bodies.chat import ChatResponse, MessageBuilder, logprobs_body, usage_body
from inference.bodies.chunks import ChunkEncoder
from inference.chat.completion import ChatCompletion, Finished, KeepAlive, Logprobs
from inference.chat.request import chat_prompt, start_completion
from inference.engine.messages import TokenLogprob
from inference.pool import pool
from inference.schema.chat import chat_schema
from inference.serializers.chat import ChatCompletionRequestSerializer
from inference.streaming import stream_response
from inference.views.base import enabled_model, json_response, respond


class ChatCompletionsView(APIView):
    @chat_schema
    async def post(self, request: Request) -> HttpResponseBase:
        """Answer a conversation, as one body or as a stream of chunks."""
        return await respond(request, ChatCompletionRequestSerializer, self._answer)

    async def _answer(self, parameters: dict[str, Any]) -> HttpResponseBase:
        model = await enabled_model(parameters["model"])
        prompt = await asyncio.to_thread(chat_prompt, model, parameters)
        completion = start_completion(pool, model, parameters, prompt)
        response = ChatResponse(model.name)
        if parameters["stream"]:
            options = parameters.get("stream_options") or {}
            encoder = ChunkEncoder(response, options.get("include_usage", False))
            return await stream_response(completion, encoder)
        return json_response(await collect(completion, response))


async def collect(completion: ChatCompletion, response: ChatResponse) -> dict[str, Any]:
    """Wait for the whole answer; the generation ends with the client's connection."""
    message = MessageBuilder()
    logprobs: list[TokenLogprob] = []
    try:
        async for event in completion:
            if isinstance(event, Finished):
                usage = usage_body(event.usage, event.reasoning_tokens)
                body = logprobs_body(logprobs) if logprobs else None
                return response.completion(message.build(), body, event.finish_reason, usage)
            if isinstance(event, Logprobs):
                logprobs += event.tokens
            elif not isinstance(event, KeepAlive):
                message.add(event)
    finally:
        completion.close()
    raise AssertionError("a completion ends with Finished or an exception")
