"""`/v1/responses`."""

import asyncio
import secrets
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.http import HttpResponseBase, JsonResponse
from rest_framework.request import Request

from inference.bodies.response_events import ResponseEventEncoder
from inference.bodies.responses import ResponseBody, deleted_body, items_page
from inference.calls import call
from inference.chat.completion import KeepAlive
from inference.chat.request import prepare_chat
from inference.engine.messages import TokenizeRequest
from inference.exceptions import APIError, InvalidRequest
from inference.pool import pool
from inference.responses.answer import Answer
from inference.responses.conversion import chat_parameters, conversation, renamed
from inference.responses.items import Item, complete, new_response_id, resolved
from inference.responses.store import store
from inference.schema.responses import (
    create_response_schema,
    delete_response_schema,
    input_items_schema,
    response_input_tokens_schema,
    retrieve_response_schema,
)
from inference.serializers.base import shared
from inference.serializers.responses import InputItemsQuerySerializer, ResponseRequestSerializer
from inference.streaming import stream_response
from inference.views.api_view import APIView
from inference.views.base import json_response, respond
from registry.served_model import ServedModel


class ResponsesView(APIView):
    @create_response_schema
    async def post(self, request: Request) -> HttpResponseBase:
        """Answer a question or go on with a conversation, as one body or as a stream of events."""
        return await respond(request, ResponseRequestSerializer, self._respond)

    async def _respond(self, model: ServedModel, body: dict[str, Any]) -> HttpResponseBase:
        answer = await start_answer(model, body)
        if body["stream"]:
            return await stream_response(answer, ResponseEventEncoder(answer))
        return json_response(await collect(answer))


class ResponseView(APIView):
    @retrieve_response_schema
    async def get(self, request: Request, response_id: str) -> JsonResponse:
        """Return a stored response."""
        if request.query_params.get("stream") not in (None, "false"):
            raise InvalidRequest("Invalid `stream`: a stored response is not streamed again.", param="stream")
        return json_response((await store.get(response_id)).body)

    @delete_response_schema
    async def delete(self, request: Request, response_id: str) -> JsonResponse:
        """Delete a stored response. What continues it can be read, but not continued any more."""
        await store.delete(response_id)
        return json_response(deleted_body(response_id))


class InputItemsView(APIView):
    @input_items_schema
    async def get(self, request: Request, response_id: str) -> JsonResponse:
        """List what a stored response was given as `input`."""
        page = shared(InputItemsQuerySerializer).run_validation(request.query_params.dict())
        stored = await store.get(response_id)
        return json_response(items_page(stored.input_items, **page))


class ResponseInputTokensView(APIView):
    @response_input_tokens_schema
    async def post(self, request: Request) -> HttpResponseBase:
        """Count the input tokens of a response without generating. Loads the model if need be.

        The body is that of the response; what it says about the answer changes nothing here.
        """
        return await respond(request, ResponseRequestSerializer, self._count)

    async def _count(self, model: ServedModel, body: dict[str, Any]) -> HttpResponseBase:
        request = await prepared(body)
        try:
            chat = await asyncio.to_thread(prepare_chat, model, request.parameters)
        except APIError as error:
            raise renamed(error, request.origins) from None
        tokens = await call(model.registration, TokenizeRequest(secrets.token_hex(16), chat.prompt, add_special=True))
        return json_response({"object": "response.input_tokens", "input_tokens": len(tokens.ids)})


@dataclass(frozen=True)
class Prepared:
    """A request with what it refers to: the parameters of the chat completion that answers it, where their messages
    come from, its own items, and the ids of the responses that it continues."""

    parameters: dict[str, Any]
    origins: list[str]
    items: list[Item]
    chain: list[str]


async def prepared(body: dict[str, Any]) -> Prepared:
    previous = body.get("previous_response_id")
    chain = await store.chain(previous) if previous else []
    items = await resolved(body["input"], store)
    talk = conversation(body.get("instructions"), [item for stored in chain for item in stored.items], items)
    return Prepared(chat_parameters(body, talk), talk.origins, items, [stored.pk for stored in chain])


async def start_answer(model: ServedModel, body: dict[str, Any]) -> Answer:
    """Prepare the answer; generating begins when it is read."""
    request = await prepared(body)
    response = ResponseBody(new_response_id(), body, model)
    keep = partial(store.save, input_items=complete(request.items, response.id), chain=request.chain)
    return Answer(pool, model, request.parameters, request.origins, response, keep)


async def collect(answer: Answer) -> dict[str, Any]:
    """Wait for the finished response; generating ends with the client's connection."""
    try:
        async for event in answer:
            if not isinstance(event, KeepAlive):
                last = event
    finally:
        answer.close()
    return last["response"]
