"""Which sequence runs next."""

import time
from collections import Counter
from collections.abc import Callable

from inference.engine.sequence import Sequence

PATIENCE = 10.0  # seconds of waiting after which a sequence goes before all that came later


class SequenceQueue:
    """`waiting` sequences want to be `running` ones, of which there are at most `max_running`.

    The highest priority goes first. Among the same, first come, first served, but the client with the fewest running
    sequences goes first: one that sends a hundred requests does not keep out another that sends one. Whoever has
    waited for PATIENCE seconds goes before all that came later, whatever their priority.
    """

    def __init__(self, max_running: int, clock: Callable[[], float] = time.perf_counter) -> None:
        self.waiting: list[Sequence] = []
        self.running: list[Sequence] = []
        self._max_running = max_running
        self._limit = max_running
        self._clock = clock

    def add(self, sequence: Sequence) -> None:
        sequence.queued_at = self._clock()
        self.waiting.append(sequence)

    def next_waiting(self, is_ready: Callable[[Sequence], bool] = lambda sequence: True) -> Sequence | None:
        """Return the waiting sequence that comes next of those that are ready; None if there is none, or no room."""
        if len(self.running) >= self._limit:
            return None
        now = self._clock()
        running = Counter(sequence.client for sequence in self.running)

        def order(sequence: Sequence) -> tuple[bool, int, int, float]:
            if now - sequence.queued_at >= PATIENCE:
                return False, 0, 0, sequence.queued_at
            return True, -sequence.priority, running[sequence.client], sequence.queued_at

        return next((sequence for sequence in sorted(self.waiting, key=order) if is_ready(sequence)), None)

    def start(self, sequence: Sequence) -> None:
        """Let a waiting sequence, for which there is room now, run."""
        self.waiting.remove(sequence)
        self.running.append(sequence)
        if sequence.started_at is None:
            sequence.started_at = self._clock()

    def take_turn(self) -> Sequence:
        """Return the running sequence whose turn it is; then it is that of all others first."""
        self.running.append(self.running.pop(0))
        return self.running[-1]

    def remove(self, sequence: Sequence) -> None:
        """Take a sequence out, wherever it stands."""
        if sequence in self.waiting:
            self.waiting.remove(sequence)
            return
        self.running.remove(sequence)
        self._limit = self._max_running

    def send_back(self, sequence: Sequence) -> None:
        """Let a running sequence wait again, since there is no room, until another one has ended.

        It keeps its place in the queue.
        """
        self.running.remove(sequence)
        self.waiting.append(sequence)
        self._limit = len(self.running)
