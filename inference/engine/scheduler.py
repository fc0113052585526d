"""Which tokens of which sequences the next step computes."""

from collections import deque
from dataclasses import dataclass

from inference.engine.prefix_cache import Placement, PrefixCache
from inference.engine.sequence import Sequence


@dataclass(frozen=True)
class Chunk:
    """The next `num_tokens` tokens of a sequence, starting at its `num_computed`."""

    sequence: Sequence
    num_tokens: int


class Scheduler:
    """First come, first served: `waiting` sequences get a slot in order, `running` ones share every step.

    A sequence lets others pass while a running one computes a prefix that it can copy then.
    """

    def __init__(self, num_slots: int, n_batch: int, prefill_chunk: int, can_rewind: bool = True) -> None:
        self.waiting: deque[Sequence] = deque()
        self.running: list[Sequence] = []
        self.cache = PrefixCache(num_slots, can_rewind)
        self._n_batch = n_batch
        self._prefill_chunk = prefill_chunk

    @property
    def has_work(self) -> bool:
        return bool(self.waiting or self.running)

    def add(self, sequence: Sequence) -> None:
        self.waiting.append(sequence)

    def admit(self) -> tuple[Sequence, Placement] | None:
        """Move the next waiting sequence into an idle slot; None if there is no such sequence or slot."""
        if not self.cache.has_idle_slot:
            return None
        sequence = next((each for each in self.waiting if not self.cache.is_worth_waiting(each.reusable_tokens)), None)
        if sequence is None:
            return None
        self.waiting.remove(sequence)
        placement = self.cache.acquire(sequence.reusable_tokens, sequence)
        sequence.slot = placement.slot
        self.running.append(sequence)
        return sequence, placement

    def schedule(self) -> list[Chunk]:
        """Return this step's chunks in ascending slot order, which a partitioned KV cache requires.

        Every decoding sequence gets its token first; the prompts share what is left, oldest first.
        """
        chunks = [Chunk(sequence, 1) for sequence in self.running if not sequence.is_prefilling]
        budget = self._n_batch - len(chunks)
        if chunks:
            budget = min(budget, self._prefill_chunk)
        for sequence in self.running:
            if budget > 0 and sequence.is_prefilling:
                chunks.append(Chunk(sequence, min(budget, sequence.num_remaining, self._most_rows(sequence))))
                budget -= chunks[-1].num_tokens
        return sorted(chunks, key=lambda chunk: chunk.sequence.slot)

    def _most_rows(self, sequence: Sequence) -> int:
        """Return the limit of a chunk: every row with logits takes the memory of a whole vocabulary."""
        return self._prefill_chunk if sequence.scores_prompt else self._n_batch

    def remove(self, sequence: Sequence) -> None:
        """Take a sequence out, wherever it stands; what it computed stays in its slot for reuse."""
        if sequence.slot is None:
            self.waiting.remove(sequence)
            return
        self.running.remove(sequence)
        self.cache.release(sequence.slot, sequence.tokens[: sequence.num_computed])
