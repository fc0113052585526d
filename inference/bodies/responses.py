"""Responses and their parts (https://platform.openai.com/docs/api-reference/responses/object)."""

import time
from collections.abc import Iterable
from typing import Any

from django.conf import settings

from inference.bodies.chat import logprobs_body
from inference.chat.completion import Finished
from inference.engine.messages import TokenLogprob
from inference.exceptions import APIError, InvalidRequest
from registry.served_model import ServedModel

Item = dict[str, Any]

# Fields that come back as they were sent.
ECHOED = (
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "previous_response_id",
    "top_logprobs",
    "user",
)
EMPTY_TOOL = {"description": None, "parameters": None, "strict": None}


def message_item(item_id: str) -> Item:
    return {"id": item_id, "type": "message", "status": "in_progress", "role": "assistant", "content": []}


def reasoning_item(item_id: str) -> Item:
    return {"id": item_id, "type": "reasoning", "status": "in_progress", "summary": [], "content": []}


def function_call_item(item_id: str, call_id: str, name: str) -> Item:
    return {
        "id": item_id,
        "type": "function_call",
        "status": "in_progress",
        "call_id": call_id,
        "name": name,
        "arguments": "",
    }


def output_text(text: str, tokens: Iterable[TokenLogprob] = ()) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": token_logprobs(tokens)}


def reasoning_text(text: str) -> dict[str, Any]:
    return {"type": "reasoning_text", "text": text}


def token_logprobs(tokens: Iterable[TokenLogprob]) -> list[dict[str, Any]]:
    return logprobs_body(tokens)["content"]


def response_usage(finished: Finished) -> dict[str, Any]:
    """Count tokens; what was not cached is computed and stays in the KV cache, so it is written to it."""
    usage = finished.total.usage
    cached = {"cached_tokens": usage.cached_tokens, "cache_write_tokens": usage.prompt_tokens - usage.cached_tokens}
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": cached,
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": finished.total.reasoning_tokens},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }


class ResponseBody:
    """One response in the states that it goes through; what they have in common comes from the request."""

    def __init__(self, response_id: str, request: dict[str, Any], model: ServedModel) -> None:
        self.id = response_id
        self._created_at = int(time.time())
        self._common = {
            "model": model.name,
            **{name: request.get(name) for name in ECHOED},
            **_choices(request),
            "temperature": _first(request.get("temperature"), model.defaults.temperature),
            "top_p": _first(request.get("top_p"), model.defaults.top_p),
            "metadata": request.get("metadata") or {},
            "background": False,
            "service_tier": "default",
            "truncation": request.get("truncation") or "disabled",
            "store": request.get("store") is not False and settings.RESPONSE_RETENTION_DAYS > 0,
        }

    @property
    def is_stored(self) -> bool:
        return self._common["store"]

    @property
    def truncates(self) -> bool:
        return self._common["truncation"] == "auto"

    def in_progress(self) -> dict[str, Any]:
        return self._body("in_progress", [])

    def finished(self, output: list[Item], finished: Finished) -> dict[str, Any]:
        is_cut = finished.finish_reason == "length"
        return {
            **self._body("incomplete" if is_cut else "completed", output),
            "completed_at": None if is_cut else int(time.time()),
            "incomplete_details": {"reason": "max_output_tokens"} if is_cut else None,
            "usage": response_usage(finished),
        }

    def failed(self, output: list[Item], error: APIError) -> dict[str, Any]:
        code = "invalid_prompt" if isinstance(error, InvalidRequest) else "server_error"
        return {**self._body("failed", output), "error": {"code": code, "message": error.message}}

    def _body(self, status: str, output: list[Item]) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "response",
            "created_at": self._created_at,
            "completed_at": None,
            "status": status,
            "error": None,
            "incomplete_details": None,
            **self._common,
            "output": output,
            "usage": None,
        }


def _choices(request: dict[str, Any]) -> dict[str, Any]:
    """Return what a request chooses among, with the defaults of what it leaves open."""
    text, reasoning = request.get("text") or {}, request.get("reasoning") or {}
    return {
        "text": {**text, "format": text.get("format") or {"type": "text"}},
        "reasoning": {"effort": reasoning.get("effort"), "summary": reasoning.get("summary")},
        "tools": [{**EMPTY_TOOL, **tool} for tool in request.get("tools") or ()],
        "tool_choice": request.get("tool_choice") or "auto",
        "parallel_tool_calls": request.get("parallel_tool_calls") is not False,
    }


def _first(value: Any, default: Any) -> Any:
    return default if value is None else value


def deleted_body(response_id: str) -> dict[str, Any]:
    return {"id": response_id, "object": "response", "deleted": True}


def items_page(items: list[Item], order: str, limit: int, after: str | None = None) -> dict[str, Any]:
    """Return one page of a list of items, which begins after the item with the id `after`."""
    ordered = items if order == "asc" else items[::-1]
    ids = [item["id"] for item in ordered]
    if after is not None and after not in ids:
        raise InvalidRequest(f"Invalid `after`: the list has no item `{after}`.", param="after")
    start = ids.index(after) + 1 if after is not None else 0
    page = ordered[start : start + limit]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
        "has_more": start + limit < len(ordered),
    }
