"""`/v1/completions`."""

import asyncio
from typing import Any

from django.http import HttpResponseBase
from rest_framework.request import Request

from inference.bodies.completions import CompletionEncoder, CompletionResponse
from inference.chat.completion import KeepAlive
from inference.chat.constraint import ToolPlan, build_constraint
from inference.engine.messages import Usage
from inference.pool import pool
from inference.schema.completions import completions_schema
from inference.serializers.completions import CompletionRequestSerializer
from inference.streaming import stream_response
from inference.text.completion import Candidate, TextCompletion, chosen
from inference.text.request import echoed_prompts, start_completion
from inference.views.api_view import APIView
from inference.views.base import json_response, respond
from registry.served_model import ServedModel


class CompletionsView(APIView):
    @completions_schema
    async def post(self, request: Request) -> HttpResponseBase:
        """Continue prompts, as one body or as a stream of chunks. No chat template is applied."""
        return await respond(request, CompletionRequestSerializer, self._answer)

    async def _answer(self, model: ServedModel, parameters: dict[str, Any]) -> HttpResponseBase:
        n, best_of, has_logprobs = parameters["n"], parameters["best_of"], parameters.get("logprobs") is not None
        response = CompletionResponse(model.name, await echoed_prompts(model, parameters), n, has_logprobs)
        constraint = await asyncio.to_thread(build_constraint, parameters, ToolPlan(), None)
        completion = start_completion(pool, model, parameters, constraint)
        if parameters["stream"]:
            options = parameters.get("stream_options") or {}
            return await stream_response(completion, CompletionEncoder(response, options.get("include_usage", False)))
        candidates, usage = await collect(completion, len(parameters["prompt"]) * best_of)
        return json_response(response.completion(chosen(candidates, best_of, n), usage))


async def collect(completion: TextCompletion, num_candidates: int) -> tuple[list[Candidate], Usage]:
    """Wait for all candidates; the generations end with the client's connection."""
    candidates = [Candidate() for _ in range(num_candidates)]
    try:
        async for part in completion:
            if isinstance(part, KeepAlive):
                continue
            candidates[part.number].add(part.output)
            if part.usage:
                return candidates, part.usage
    finally:
        completion.close()
    raise AssertionError("a completion ends with its usage or an exception")
