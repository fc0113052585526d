"""Chat completions and their chunks."""

import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from inference.chat.completion import ChatEvent, Finished, Logprobs, TotalUsage
from inference.chat.events import Content, Event, Reasoning, ToolCallBegin
from inference.engine.messages import TokenLogprob


def usage_body(total: TotalUsage) -> dict[str, Any]:
    usage = total.usage
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": total.reasoning_tokens},
    }


def logprobs_body(tokens: Iterable[TokenLogprob]) -> dict[str, Any]:
    """Describe tokens as OpenAI's `logprobs` does; `bytes` are there because a token may be part of a character."""
    content = []
    for token in tokens:
        top = [_token_body(piece, logprob) for piece, logprob in token.top]
        content.append({**_token_body(token.piece, token.logprob), "top_logprobs": top})
    return {"content": content, "refusal": None}


def _token_body(piece: bytes, logprob: float) -> dict[str, Any]:
    return {"token": piece.decode(errors="replace"), "logprob": logprob, "bytes": list(piece)}


def delta(event: Event) -> dict[str, Any]:
    """Return the part of a streamed message that an event adds."""
    if isinstance(event, Reasoning):
        return {"reasoning_content": event.text}
    if isinstance(event, Content):
        return {"content": event.text}
    if isinstance(event, ToolCallBegin):
        function = {"name": event.name, "arguments": ""}
        return {"tool_calls": [{"index": event.index, "id": event.id, "type": "function", "function": function}]}
    return {"tool_calls": [{"index": event.index, "function": {"arguments": event.fragment}}]}


@dataclass
class ChatResponse:
    """What all chunks of one answer, or its one body, have in common."""

    model: str
    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(16)}")
    created: int = field(default_factory=lambda: int(time.time()))

    def chunk(
        self,
        index: int,
        delta: dict[str, Any],
        finish_reason: str | None = None,
        logprobs: Sequence[TokenLogprob] = (),
    ) -> dict[str, Any]:
        choice: dict[str, Any] = {"index": index, "delta": delta, "finish_reason": finish_reason}
        if logprobs:
            choice["logprobs"] = logprobs_body(logprobs)
        return {**self._head("chat.completion.chunk"), "choices": [choice]}

    def usage_chunk(self, usage: dict[str, Any]) -> dict[str, Any]:
        return {**self._head("chat.completion.chunk"), "choices": [], "usage": usage}

    def completion(self, choices: list[dict[str, Any]], usage: dict[str, Any]) -> dict[str, Any]:
        return {**self._head("chat.completion"), "choices": choices, "usage": usage}

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


class ChoiceBuilder:
    """Collects the events of a choice of an answer that is not streamed."""

    def __init__(self) -> None:
        self._reasoning: list[str] = []
        self._content: list[str] = []
        self._calls: list[dict[str, Any]] = []
        self._logprobs: list[TokenLogprob] = []
        self._finish_reason = ""

    def add(self, event: ChatEvent) -> None:
        if isinstance(event, Logprobs):
            self._logprobs += event.tokens
        elif isinstance(event, Finished):
            self._finish_reason = event.finish_reason
        elif isinstance(event, Reasoning):
            self._reasoning.append(event.text)
        elif isinstance(event, Content):
            self._content.append(event.text)
        elif isinstance(event, ToolCallBegin):
            function = {"name": event.name, "arguments": ""}
            self._calls.append({"id": event.id, "type": "function", "function": function})
        else:
            self._calls[event.index]["function"]["arguments"] += event.fragment

    def build(self, index: int = 0) -> dict[str, Any]:
        """Return the finished choice."""
        return {
            "index": index,
            "message": self._message(),
            "logprobs": logprobs_body(self._logprobs) if self._logprobs else None,
            "finish_reason": self._finish_reason,
        }

    def _message(self) -> dict[str, Any]:
        content = "".join(self._content)
        message: dict[str, Any] = {"role": "assistant", "content": content, "refusal": None}
        if self._reasoning:
            message["reasoning_content"] = "".join(self._reasoning)
        if self._calls:
            message["content"] = content or None
            message["tool_calls"] = self._calls
        return message
