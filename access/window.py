"""How much was used within the last minute."""

from collections import deque

from access.limits import Level


class Window:
    """A sliding window: what was used at t counts until t + `seconds`. All times are of the caller's clock."""

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds = seconds
        self._uses: deque[tuple[float, int]] = deque()
        self._total = 0

    def add(self, amount: int, now: float) -> None:
        """Count a use."""
        if amount:
            self._uses.append((now, amount))
            self._total += amount

    def used(self, now: float) -> int:
        """Return how much was used within the window that ends now."""
        while self._uses and self._uses[0][0] + self._seconds <= now:
            self._total -= self._uses.popleft()[1]
        return self._total

    def level(self, limit: int, now: float) -> Level:
        """Return how much of a limit is used."""
        used = self.used(now)
        reset = self._uses[-1][0] + self._seconds - now if self._uses else 0.0
        return Level(limit, used, self._below_in(limit, now), reset)

    def _below_in(self, limit: int, now: float) -> float:
        left, wait = self._total, 0.0
        for at, amount in self._uses:
            if left < limit:
                break
            left -= amount
            wait = at + self._seconds - now
        return wait
