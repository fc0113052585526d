"""Which sequence gets a slot next, and which tokens of which sequences the next step computes."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from inference.engine.sequence import Sequence
from inference.engine.step_budget import StepBudget

PATIENCE = 10.0  # seconds of waiting after which a sequence goes before all that came later


@dataclass
class Chunk:
    """The next `num_tokens` tokens of a sequence, starting at its `num_computed`.

    draft: guesses of what comes after them, of which `num_accepted` turned out to be right.
    """

    sequence: Sequence
    num_tokens: int
    draft: tuple[int, ...] = ()
    num_accepted: int = 0


class Scheduler:
    """`waiting` sequences get a slot, `running` ones share every step.

    The highest priority goes first. Among the same, first come, first served, but the client with the fewest running
    sequences goes first: one that sends a hundred requests does not keep out another that sends one. Whoever has
    waited for PATIENCE seconds goes before all that came later, whatever their priority.
    """

    def __init__(self, max_running: int, budget: StepBudget, clock: Callable[[], float] = time.perf_counter) -> None:
        self.waiting: list[Sequence] = []
        self.running: list[Sequence] = []
        self.budget = budget
        self._max_running = max_running
        self._limit = max_running
        self._clock = clock

    @property
    def num_decoding(self) -> int:
        return sum(not sequence.is_prefilling for sequence in self.running)

    @property
    def decode_seconds(self) -> float:
        """How long a step of those that decode now takes."""
        return self.budget.decode_seconds(self.num_decoding)

    def add(self, sequence: Sequence) -> None:
        sequence.queued_at = self._clock()
        self.waiting.append(sequence)

    def next_waiting(self, is_ready: Callable[[Sequence], bool]) -> Sequence | None:
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
        """Let a waiting sequence, which has a slot now, run."""
        self.waiting.remove(sequence)
        self.running.append(sequence)
        if sequence.started_at is None:
            sequence.started_at = self._clock()

    def schedule(self) -> list[Chunk]:
        """Return this step's chunks in ascending slot order, which a partitioned KV cache requires.

        Every decoding sequence gets its token. The prompts take turns for what else fits into the step: the one goes
        first whose waiting time is the longest in relation to the time it still needs. So a short prompt is not stuck
        behind a long one, and a long one does not wait for ever. All for one, rather than a bit for each, because
        llama.cpp computes chunks of different lengths one after the other.
        """
        chunks = [Chunk(sequence, 1) for sequence in self.running if not sequence.is_prefilling]
        prompts = sorted(filter(_is_prefilling, self.running), key=self._response_ratio, reverse=True)
        if prompts:
            chunks += self._parts(prompts, len(chunks))
        return sorted(chunks, key=lambda chunk: chunk.sequence.slot)

    def _parts(self, prompts: list[Sequence], num_decoding: int) -> list[Chunk]:
        """Return what of the prompts fits beside so many decoding sequences."""
        budget = self.budget
        left = budget.prefill_tokens(num_decoding, prompts[0].num_computed)
        chunks: list[Chunk] = []
        for sequence in prompts:
            remaining = sequence.num_until_cut
            if left < min(remaining, budget.parts.least) and (chunks or left <= 0):
                continue
            chunks.append(Chunk(sequence, budget.parts.next_part(left, remaining, num_decoding > 0)))
            left -= chunks[-1].num_tokens
        return chunks

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

    def _response_ratio(self, sequence: Sequence) -> float:
        """Return waiting time over service time (highest response ratio next, Brinch Hansen 1971), less 1."""
        return (self._clock() - sequence.queued_at) / sequence.num_remaining


def _is_prefilling(sequence: Sequence) -> bool:
    return sequence.is_prefilling
