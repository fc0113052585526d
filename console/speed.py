"""Tokens per second, out of counters that only ever grow."""

import time
from collections.abc import Callable


class SpeedMeter:
    """Measures each counter between one reading and the next."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: dict[int, tuple[float, int]] = {}

    def read(self, counters: dict[int, int]) -> dict[int, float]:
        """Return by how much each counter has grown a second. What was not there the last time has no speed yet."""
        now = self._clock()
        speeds = {key: self._speed(key, count, now) for key, count in counters.items()}
        self._last = {key: (now, count) for key, count in counters.items()}
        return speeds

    def _speed(self, key: int, count: int, now: float) -> float:
        then, before = self._last.get(key, (now, count))
        return (count - before) / (now - then) if now > then and count > before else 0.0
