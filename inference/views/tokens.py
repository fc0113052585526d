"""`/v1/tokenize`, `/v1/detokenize` and `/v1/chat/completions/input_tokens`."""

import asyncio
import secrets
from typing import Any

from django.http import HttpResponseBase
from rest_framework.request import Request

from inference.bodies.tokens import input_tokens_body, text_body, tokens_body
from inference.calls import call
from inference.chat.request import prepare_chat
from inference.engine.messages import DetokenizeRequest, TokenizeRequest
from inference.schema.tokens import detokenize_schema, input_tokens_schema, tokenize_schema
from inference.serializers.chat import ChatCompletionRequestSerializer
from inference.serializers.tokens import DetokenizeRequestSerializer, TokenizeRequestSerializer
from inference.views.api_view import APIView
from inference.views.base import json_response, respond
from registry.served_model import ServedModel


class TokenizeView(APIView):
    @tokenize_schema
    async def post(self, request: Request) -> HttpResponseBase:
        """Split a text into the model's tokens. Loads the model if need be."""
        return await respond(request, TokenizeRequestSerializer, self._answer, kind=None)

    async def _answer(self, model: ServedModel, parameters: dict[str, Any]) -> HttpResponseBase:
        options = parameters["add_special"], parameters["parse_special"]
        tokens = await call(model.registration, TokenizeRequest(secrets.token_hex(16), parameters["content"], *options))
        return json_response(tokens_body(model.name, tokens, parameters["with_pieces"]))


class DetokenizeView(APIView):
    @detokenize_schema
    async def post(self, request: Request) -> HttpResponseBase:
        """Return the text of tokens. Loads the model if need be."""
        return await respond(request, DetokenizeRequestSerializer, self._answer, kind=None)

    async def _answer(self, model: ServedModel, parameters: dict[str, Any]) -> HttpResponseBase:
        text = await call(model.registration, DetokenizeRequest(secrets.token_hex(16), parameters["tokens"]))
        return json_response(text_body(model.name, text))


class InputTokensView(APIView):
    @input_tokens_schema
    async def post(self, request: Request) -> HttpResponseBase:
        """Count the prompt tokens of a chat completion without generating. Loads the model if need be.

        The body is that of the chat completion; what it says about the answer changes nothing here.
        """
        return await respond(request, ChatCompletionRequestSerializer, self._answer)

    async def _answer(self, model: ServedModel, parameters: dict[str, Any]) -> HttpResponseBase:
        prepared = await asyncio.to_thread(prepare_chat, model, parameters)
        tokens = await call(model.registration, TokenizeRequest(secrets.token_hex(16), prepared.prompt))
        return json_response(input_tokens_body(model.name, len(tokens.ids)))
