"""Which slot a new sequence takes, so that as much of its prompt as possible is already computed.

A slot is one of llama.cpp's sequence ids with its KV cells. When a sequence ends, its tokens stay in the slot: the
conversation's next turn begins with them and computes only what is new. What a running sequence has computed can be
copied, too.
"""

from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

MIN_COPY = 32  # tokens; a shorter common prefix is computed again sooner than copied


class Holder(Protocol):
    """A running sequence: the first `num_computed` of its `tokens` are in its slot's cells, the prompt will be."""

    tokens: list[int]
    num_prompt: int
    num_computed: int


@dataclass
class Slot:
    """`tokens` are those in the KV cache while the slot is idle, `holder` is the sequence that keeps it busy."""

    id: int
    tokens: list[int] = field(default_factory=list)
    holder: Holder | None = None
    last_used: int = 0

    @property
    def is_busy(self) -> bool:
        return self.holder is not None


@dataclass(frozen=True)
class Placement:
    """Where a sequence goes: its slot, how many prompt tokens are computed, and the slot to copy them from.

    `source` None means that the slot holds the prefix itself.
    """

    slot: int
    num_cached: int
    source: int | None = None


class PrefixCache:
    """Hands out slots by the longest common prefix; without a useful one, the least recently used slot.

    can_rewind: whether cells can be cut back to any length. Otherwise (recurrent and hybrid models) only what a slot
    holds as a whole is of use.
    """

    def __init__(self, num_slots: int, can_rewind: bool = True) -> None:
        self._slots = [Slot(number) for number in range(num_slots)]
        self._can_rewind = can_rewind
        self._clock = count(1)

    @property
    def num_tokens(self) -> int:
        """Tokens kept in idle slots."""
        return sum(len(slot.tokens) for slot in self._slots)

    @property
    def has_idle_slot(self) -> bool:
        return any(not slot.is_busy for slot in self._slots)

    def is_worth_waiting(self, prompt: list[int]) -> bool:
        """Say whether a running sequence is about to compute a prefix of `prompt` that nobody has computed yet."""
        if not self._can_rewind:
            return False
        promised = max((self._promised(slot, prompt) for slot in self._slots if slot.is_busy), default=0)
        usable = min(promised, len(prompt) - 1)
        return usable >= MIN_COPY + max(self._prefix(slot, prompt) for slot in self._slots)

    def acquire(self, prompt: list[int], holder: Holder) -> Placement:
        """Take an idle slot for `prompt`; at least its last token is left to compute, for its logits."""
        prefixes = {slot.id: min(self._prefix(slot, prompt), len(prompt) - 1) for slot in self._slots}
        idle = [slot for slot in self._slots if not slot.is_busy]
        best = max(idle, key=lambda slot: (prefixes[slot.id], slot.last_used))
        busy = max(self._slots, key=lambda slot: prefixes[slot.id] if slot.is_busy else -1)
        oldest = min(idle, key=lambda slot: (slot.last_used, slot.id))
        if busy.is_busy and prefixes[busy.id] >= prefixes[best.id] + MIN_COPY:
            return self._take(oldest, holder, prefixes[busy.id], source=busy.id)
        if best is oldest or self._is_continued(best, prefixes[best.id]):
            return self._take(best, holder, prefixes[best.id])
        if prefixes[best.id] >= MIN_COPY:
            return self._take(oldest, holder, prefixes[best.id], source=best.id)
        return self._take(oldest, holder, prefixes[oldest.id])

    def release(self, slot_id: int, tokens: list[int]) -> None:
        """Give a slot back; `tokens` are those whose KV cells it holds."""
        slot = self._slots[slot_id]
        slot.tokens = tokens
        slot.holder = None
        slot.last_used = next(self._clock)

    def _prefix(self, slot: Slot, prompt: list[int]) -> int:
        """Return how many tokens of a prompt a slot holds in a way that can be used."""
        tokens = slot.holder.tokens if slot.holder else slot.tokens
        num_held = slot.holder.num_computed if slot.holder else len(tokens)
        prefix = common_prefix(tokens, prompt, num_held)
        return prefix if self._can_rewind or prefix == num_held < len(prompt) else 0

    @staticmethod
    def _promised(slot: Slot, prompt: list[int]) -> int:
        """Return how many tokens of a prompt a busy slot will hold once its own prompt is computed."""
        return common_prefix(slot.holder.tokens, prompt, slot.holder.num_prompt)

    @staticmethod
    def _is_continued(slot: Slot, prefix: int) -> bool:
        """Say whether a prompt continues what the slot holds, rather than sharing only its beginning.

        Taking the slot of a conversation that only shares a system prompt would destroy the rest of it.
        """
        return prefix * 2 >= len(slot.tokens) > 0

    @staticmethod
    def _take(slot: Slot, holder: Holder, num_cached: int, source: int | None = None) -> Placement:
        slot.holder = holder
        slot.tokens = []
        return Placement(slot.id, num_cached, source)


def common_prefix(left: list[int], right: list[int], limit: int | None = None) -> int:
    """Return how many leading tokens are equal, up to `limit`, by bisection over list comparisons, which run in C."""
    limit = min(len(left), len(right), len(left) if limit is None else limit)
    if left[:limit] == right[:limit]:
        return limit
    return bisect_left(range(1, limit), True, key=lambda length: left[:length] != right[:length])
