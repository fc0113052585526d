"""How many requests may be answered at the same time, in all and for each API key."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from inference.clients import name_of

REFUSAL = "llmsite.refusal"  # in a request's ASGI scope: why it must not be answered


class Admission:
    """Counts the requests that make models work, from their first byte to the last one of the answer."""

    def __init__(self, limit: int, limit_per_client: int) -> None:
        self._limit = limit
        self._limit_per_client = limit_per_client
        self._open: Counter[str] = Counter()

    @contextmanager
    def counted(self, scope: dict[str, Any]) -> Iterator[None]:
        """Count a request as long as it lasts; if it is one too many, its scope says so."""
        if scope["type"] != "http" or scope["method"] != "POST":
            yield
            return
        client = _client(scope)
        if refusal := self._refusal(client):
            scope[REFUSAL] = refusal
        self._open[client] += 1
        try:
            yield
        finally:
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]

    def _refusal(self, client: str) -> str | None:
        if self._open[client] >= self._limit_per_client:
            return f"{self._limit_per_client} requests of this API key are being answered (limits.requests_per_key)"
        if self._open.total() >= self._limit:
            return f"{self._limit} requests are being answered (limits.requests)"
        return None


def _client(scope: dict[str, Any]) -> str:
    key = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    return name_of(key.decode("latin-1"))
