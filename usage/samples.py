"""A few of many: what anybody can cause as often as they like fills neither the log nor the database."""

import time
from collections import Counter
from collections.abc import Callable, Hashable


class Samples:
    """Takes the first `limit` of each kind in every `seconds`; whoever asks must have few kinds.

    clock: seconds that never go back.
    """

    def __init__(self, limit: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._seconds = seconds
        self._clock = clock
        self._counts: Counter[Hashable] = Counter()
        self._began = clock()

    def number(self, kind: Hashable) -> int:
        """Count one more; return which one of its kind it is, from 1, or 0 if it is one too many."""
        now = self._clock()
        if now >= self._began + self._seconds:
            self._counts.clear()
            self._began = now
        self._counts[kind] += 1
        return self._counts[kind] if self._counts[kind] <= self._limit else 0

    def is_last(self, number: int) -> bool:
        """Say whether all others of the kind will be too many until the time is over."""
        return number == self._limit
