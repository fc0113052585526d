"""What one generation adds to the record of its request, as it goes on."""

import time

from usage.metrics import observe_gaps
from usage.record import RequestRecord

GAPS = 32  # counted together: between two tokens of an engine that computes, every call has to be fetched from memory


class Progress:
    """counts_prompt: False for a further choice, whose prompt the first one counts."""

    def __init__(self, record: RequestRecord, counts_prompt: bool = True) -> None:
        self._record = record
        self._counts_prompt = counts_prompt
        self._last: float | None = None
        self._gaps: list[float] = []
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
        if self._last is not None:
            self._gaps.append(now - self._last)
            if len(self._gaps) == GAPS:
                self._observe_gaps()
        self._last = now

    def add_prompt(self, count: int) -> None:
        """Take note of tokens that were computed to answer with something else than text."""
        self._record.prompt_tokens += count

    def end(self, finish_reason: str = "") -> None:
        """finish_reason: empty if it has none, as after a failure."""
        self._observe_gaps()
        self._record.num_open -= 1
        self._record.finish_reason = finish_reason or self._record.finish_reason

    def _observe_gaps(self) -> None:
        if self._record.has_model:
            observe_gaps(self._record.model, self._gaps)
        self._gaps = []
