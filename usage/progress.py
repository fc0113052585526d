"""What one generation adds to the record of its request, as it goes on."""

import time

from usage.metrics import observe_gap
from usage.record import RequestRecord


class Progress:
    """counts_prompt: False for a further choice, whose prompt the first one counts."""

    def __init__(self, record: RequestRecord, counts_prompt: bool = True) -> None:
        self._record = record
        self._counts_prompt = counts_prompt
        self._last: float | None = None
        record.num_open += 1

    def start(self, prompt_tokens: int, cached_tokens: int, seconds: float) -> None:
        """Its first token is there. seconds: since it got its place in the engine; all before was waiting."""
        record = self._record
        if self._counts_prompt:
            record.prompt_tokens += prompt_tokens
            record.cached_tokens += cached_tokens
        if record.queue_seconds is None:
            record.queue_seconds = max(0.0, time.perf_counter() - record.started - seconds)

    def add_tokens(self, count: int) -> None:
        """Take note of generated tokens that have come just now."""
        now, record = time.perf_counter(), self._record
        record.completion_tokens += count
        if record.first_token is None:
            record.first_token = now
        if self._last is not None and record.has_model:
            observe_gap(record.model, now - self._last)
        self._last = now

    def add_prompt(self, count: int) -> None:
        """Take note of tokens that were computed to answer with something else than text."""
        self._record.prompt_tokens += count

    def end(self, finish_reason: str = "") -> None:
        """finish_reason: empty if it has none, as after a failure."""
        self._record.num_open -= 1
        self._record.finish_reason = finish_reason or self._record.finish_reason
