"""A client of one server: streams chats and notes when their tokens arrive."""

import json
import time
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import httpx

TIMEOUT = 600  # seconds without a byte


class BenchError(Exception):
    """Something failed; figures without it would be worthless."""


@dataclass(frozen=True)
class Address:
    """Where a server's API is, the model to ask for, and the key to ask with."""

    base_url: str
    model: str
    api_key: str = ""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}


def base_url_of(url: str) -> str:
    """Return the base URL of an API from one that people type: with or without /v1, ending in a slash."""
    url = url.rstrip("/") + "/"
    return url if httpx.URL(url).path != "/" else f"{url}v1/"


@dataclass
class Timing:
    """One request: when it was sent, when text arrived (seconds of the monotonic clock), what came, and its usage.

    cached_tokens and system_fingerprint, the server's version, are None if the server does not tell.
    """

    started: float = field(default_factory=time.perf_counter)
    arrivals: list[float] = field(default_factory=list)
    text: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int | None = None
    system_fingerprint: str | None = None

    @property
    def first_token(self) -> float:
        """Seconds until text came. Raises BenchError if none did."""
        if not self.arrivals:
            raise BenchError(f"an answer of {self.completion_tokens} tokens had no text: it has no time to first token")
        return self.arrivals[0] - self.started

    @property
    def gaps(self) -> list[float]:
        """Seconds between arrivals."""
        return [after - before for before, after in pairwise(self.arrivals)]


class ChatClient:
    """Sends chats to one server; an async context manager."""

    def __init__(self, address: Address, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._model = address.model
        self._http = httpx.AsyncClient(
            base_url=address.base_url,
            headers=address.headers,
            timeout=TIMEOUT,
            limits=httpx.Limits(max_connections=None),
            transport=transport,
        )

    async def __aenter__(self) -> "ChatClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def chat(self, body: dict[str, Any], timing: Timing | None = None) -> Timing:
        """Send one chat; note its times in `timing`, if given. Raises BenchError, whatever fails."""
        timing = timing or Timing()
        streamed = {"model": self._model, "stream": True, "stream_options": {"include_usage": True}, **body}
        try:
            async with self._http.stream("POST", "chat/completions", json=streamed) as response:
                if response.status_code != httpx.codes.OK:
                    raise BenchError(f"{response.status_code}: {(await response.aread()).decode(errors='replace')}")
                await self._read(response, timing)
        except httpx.HTTPError as error:
            raise BenchError(f"{self._http.base_url}: {error or type(error).__name__}") from error
        return timing

    async def _read(self, response: httpx.Response, timing: Timing) -> None:
        async for line in response.aiter_lines():
            data = line.removeprefix("data:").strip()
            if data == "[DONE]":
                break
            if data and line.startswith("data:"):
                note_event(data, timing)
        else:
            raise BenchError(f"{self._http.base_url}: a stream ended early, without [DONE]")
        if not timing.prompt_tokens:
            raise BenchError(f"{self._http.base_url}: a stream told no usage, which stream_options asked for")


def note_event(data: str, timing: Timing) -> None:
    """Note what one event of a stream says. Raises BenchError if it is an error, or no JSON."""
    try:
        event = json.loads(data)
    except ValueError as error:
        raise BenchError(f"an event of a stream is no JSON: {data[:200]!r}") from error
    if event.get("error"):
        raise BenchError(_message(event["error"]))
    if event.get("usage"):
        _note_usage(event["usage"], timing)
    timing.system_fingerprint = event.get("system_fingerprint") or timing.system_fingerprint
    deltas = [choice.get("delta") or {} for choice in event.get("choices") or []]
    if any(delta.get("content") or delta.get("reasoning_content") for delta in deltas):
        timing.arrivals.append(time.perf_counter())
        timing.text += "".join(delta.get("content") or "" for delta in deltas)


def _message(error: Any) -> str:
    return str(error["message"]) if isinstance(error, dict) and "message" in error else str(error)


def _note_usage(usage: dict[str, Any], timing: Timing) -> None:
    timing.prompt_tokens = usage["prompt_tokens"]
    timing.completion_tokens = usage["completion_tokens"]
    timing.cached_tokens = (usage.get("prompt_tokens_details") or {}).get("cached_tokens")
