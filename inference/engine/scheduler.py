"""Which tokens of which sequences the next step computes."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

from inference.engine.sequence import Sequence
from inference.engine.sequence_queue import SequenceQueue
from inference.engine.step_budget import StepBudget

LEAST_ROWS = 3  # of a batch, from which an odd number may take longer than the next even one (row_padding.py)


@dataclass
class Chunk:
    """The next `num_tokens` tokens of a sequence, starting at its `num_computed`, which is `start`.

    is_prompt: whether the sequence was prefilling.
    draft: guesses of what comes after them, of which `num_accepted` turned out to be right.
    wants_logits: those of the last of these tokens are to be computed though the prompt goes on after it.
    """

    sequence: Sequence
    num_tokens: int
    draft: tuple[int, ...] = ()
    num_accepted: int = 0
    wants_logits: bool = False
    start: int = field(init=False)
    is_prompt: bool = field(init=False)

    def __post_init__(self) -> None:
        self.start = self.sequence.num_computed
        self.is_prompt = self.sequence.is_prefilling

    @property
    def num_rows(self) -> int:
        """Rows that it takes of a batch."""
        return self.num_tokens + len(self.draft)

    @property
    def is_last(self) -> bool:
        """Whether nothing of the sequence is left to compute after it."""
        return self.num_tokens == self.sequence.num_remaining


class Scheduler(SequenceQueue):
    """Shares every step out among the running sequences.

    mixes_lengths: whether a step computes prompts in the same pass as what decodes. Where it does not, they take turns.
    """

    def __init__(
        self,
        max_running: int,
        budget: StepBudget,
        mixes_lengths: bool = False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(max_running, clock)
        self.budget = budget
        self._mixes_lengths = mixes_lengths
        self._num_in_turn = 0  # tokens of prompts that were computed since the streams had their turn

    @property
    def num_decoding(self) -> int:
        return sum(not sequence.is_prefilling for sequence in self.running)

    @property
    def decode_seconds(self) -> float:
        """How long a step of those that decode now takes."""
        return self.budget.decode_seconds(self.num_decoding)

    def schedule(self) -> list[Chunk]:
        """Return this step's chunks in ascending slot order, which a partitioned KV cache requires.

        Every decoding sequence gets its token; what else fits into the time of a step, the prompts get. Where llama.cpp
        would compute both one after the other (`split_equal` in src/llama-batch.cpp), they are steps of their own: the
        streams wait no longer, a prompt's first token comes before theirs, and its next one together with theirs.
        """
        decoding = [Chunk(sequence, 1) for sequence in self.running if not sequence.is_prefilling]
        prompts = sorted(filter(_is_prefilling, self.running), key=self._response_ratio, reverse=True)
        if self._mixes_lengths:
            chunks = decoding + self._parts(prompts, len(decoding))
        elif not (chunks := self._next_of_turn(prompts, len(decoding))):
            chunks = decoding + [Chunk(sequence, 1) for sequence in _companions(prompts, decoding)]
            self._num_in_turn = 0
        return sorted(chunks, key=lambda chunk: chunk.sequence.slot)

    def observe(self, chunks: list[Chunk], seconds: float) -> None:
        """Learn from a step without drafts how long such steps take."""
        prompts = [chunk for chunk in chunks if chunk.is_prompt]
        num_decoding, num_prefill = len(chunks) - len(prompts), sum(chunk.num_tokens for chunk in prompts)
        if num_decoding and not self._mixes_lengths:
            self.budget.observe(len(chunks), 0, seconds)
            return
        depths = sum(chunk.num_tokens * (chunk.start + chunk.num_tokens / 2) for chunk in prompts)
        self.budget.observe(num_decoding, num_prefill, seconds, depths / max(num_prefill, 1))

    def _next_of_turn(self, prompts: list[Sequence], num_decoding: int) -> list[Chunk]:
        """Return the next step of the prompts' turn; nothing when its time is up.

        A step is a part of one prompt, whose first token comes with it, or several that are short. llama.cpp computes
        prompts of different lengths one after the other in any case, and says nothing before all are done.
        """
        if not num_decoding:
            self._num_in_turn = 0  # nobody waits
        chunks = self._parts(prompts, num_decoding, self._num_in_turn)
        together, num_tokens = chunks[:1], sum(chunk.num_tokens for chunk in chunks[:1])
        for chunk in chunks[1:]:
            if num_tokens + chunk.num_tokens <= self.budget.cheap_tokens:
                together.append(chunk)
                num_tokens += chunk.num_tokens
        self._num_in_turn += num_tokens
        return together

    def _parts(self, prompts: list[Sequence], num_decoding: int, num_computed: int = 0) -> list[Chunk]:
        """Return what of the prompts fits into a step's time with one token of so many decoding sequences.

        num_computed: tokens of prompts for which a part of this time was used. The prompts take turns: the one goes
        first whose waiting time is the longest in relation to the time it still needs. So a short prompt is not stuck
        behind a long one, and a long one does not wait for ever.
        """
        if not prompts:
            return []
        budget = self.budget
        left = budget.prefill_tokens(num_decoding, prompts[0].num_computed) - num_computed
        chunks: list[Chunk] = []
        for sequence in prompts:
            remaining = sequence.num_until_cut
            if left < min(remaining, budget.parts.least) and (chunks or num_computed or left <= 0):
                continue
            chunks.append(Chunk(sequence, budget.parts.next_part(left, remaining)))
            left -= chunks[-1].num_tokens
        return chunks

    def _response_ratio(self, sequence: Sequence) -> float:
        """Return waiting time over service time (highest response ratio next, Brinch Hansen 1971), less 1."""
        return (self._clock() - sequence.queued_at) / sequence.num_remaining


def _is_prefilling(sequence: Sequence) -> bool:
    return sequence.is_prefilling


def _companions(prompts: list[Sequence], decoding: list[Chunk]) -> list[Sequence]:
    """Return the prompts of which a token belongs into the streams' step.

    On a CPU it takes 1.5 to 3 times as long there as in a part of its prompt. But a slot left out between others
    would cost another pass over the weights (see `Slots.compact`), and one that makes an odd number of rows even is
    free or better, unless it is deeper than the others: attention is computed for all as far as the deepest one's.
    """
    slots = [chunk.sequence.slot for chunk in decoding]
    first, last = min(slots, default=0), max(slots, default=0)
    between = [prompt for prompt in prompts if first < prompt.slot < last]
    num_rows = len(decoding) + len(between)
    if num_rows < LEAST_ROWS or num_rows % 2 == 0:
        return between
    deepest = max(chunk.start for chunk in decoding)
    beside = (each for each in prompts if each.slot in (first - 1, last + 1) and each.num_computed <= deepest)
    return between + list(islice(beside, 1))
