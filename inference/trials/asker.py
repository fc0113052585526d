"""Asks a model through the pool, as clients' requests do."""

import asyncio
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

from inference.bodies.chat import ChoiceBuilder
from inference.calls import call
from inference.chat.completion import ChatCompletion, Finished, KeepAlive
from inference.chat.request import PreparedChat, prepare_chat, start_completion
from inference.engine.messages import TokenizeRequest
from inference.pool import EnginePool
from inference.serializers.base import shared
from inference.serializers.chat import ChatCompletionRequestSerializer
from registry.served_model import ServedModel


@dataclass(frozen=True)
class Answer:
    """first_token, seconds: since the request was sent; first_token None: nothing came."""

    content: str
    reasoning: str
    calls: list[dict[str, Any]]
    finish_reason: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    first_token: float | None
    seconds: float

    @property
    def is_cut_off(self) -> bool:
        return self.finish_reason == "length"

    @property
    def described(self) -> str:
        """What came, for people: the text and the calls."""
        calls = [f"{each['function']['name']}({each['function']['arguments']})" for each in self.calls]
        return " ".join([self.content, *calls]).strip()

    def arguments(self, index: int = 0) -> Any:
        """Return the arguments of a call; None if they are no JSON."""
        try:
            return json.loads(self.calls[index]["function"]["arguments"])
        except ValueError:
            return None


class Asker:
    """Sends chat completions to one model. Every method raises APIError."""

    def __init__(self, pool: EnginePool, model: ServedModel) -> None:
        self.model = model
        self._pool = pool

    async def say(self, text: str, **parameters: Any) -> Answer:
        """Ask one thing."""
        return await self.ask([{"role": "user", "content": text}], **parameters)

    async def ask(self, messages: list[dict[str, Any]], **parameters: Any) -> Answer:
        """Return the answer to a conversation, greedily unless the parameters say otherwise."""
        prepared = await self._prepared(messages, parameters)
        began = time.perf_counter()
        completion = start_completion(self._pool, self.model, prepared)
        try:
            return await _collected(completion, began)
        finally:
            completion.close()

    async def count_tokens(self, messages: list[dict[str, Any]]) -> int:
        """Return how many tokens the prompt of a conversation has."""
        prepared = await self._prepared(messages, {})
        tokens = await call(self.model.registration, TokenizeRequest(secrets.token_hex(16), prepared.prompt))
        return len(tokens.ids)

    async def _prepared(self, messages: list[dict[str, Any]], parameters: dict[str, Any]) -> PreparedChat:
        body = {"model": self.model.name, "messages": messages, "temperature": 0, **parameters}
        validated = shared(ChatCompletionRequestSerializer).run_validation(body)
        return await asyncio.to_thread(prepare_chat, self.model, validated)


async def _collected(completion: ChatCompletion, began: float) -> Answer:
    choice, first_token, total = ChoiceBuilder(), None, None
    async for _index, event in completion:
        if isinstance(event, KeepAlive):
            continue
        choice.add(event)
        if isinstance(event, Finished):
            total = event.total
        elif first_token is None:
            first_token = time.perf_counter() - began
    built = choice.build()
    message = built["message"]
    return Answer(
        content=message["content"] or "",
        reasoning=message.get("reasoning_content", ""),
        calls=message.get("tool_calls", []),
        finish_reason=built["finish_reason"],
        prompt_tokens=total.usage.prompt_tokens,
        cached_tokens=total.usage.cached_tokens,
        completion_tokens=total.usage.completion_tokens,
        first_token=first_token,
        seconds=time.perf_counter() - began,
    )
