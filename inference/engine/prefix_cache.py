"""Which slot a new sequence takes, so that as much of its prompt as possible is already computed.

A slot is one of llama.cpp's sequence ids with its KV cells. When a sequence ends, its tokens stay in the slot: the
conversation's next turn begins with them and computes only what is new.
"""

from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import count

MIN_COPY = 32  # tokens; a shorter common prefix is computed again sooner than copied


@dataclass
class Slot:
    """`tokens` are those in the KV cache while the slot is idle; a busy slot's belong to its sequence."""

    id: int
    tokens: list[int] = field(default_factory=list)
    is_busy: bool = False
    last_used: int = 0


@dataclass(frozen=True)
class Placement:
    """Where a sequence goes: its slot, how many prompt tokens are computed, and the slot to copy them from.

    `source` None means that the slot holds the prefix itself.
    """

    slot: int
    num_cached: int
    source: int | None = None


class PrefixCache:
    """Hands out slots by the longest common prefix; without a useful one, the least recently used slot."""

    def __init__(self, num_slots: int) -> None:
        self._slots = [Slot(number) for number in range(num_slots)]
        self._clock = count(1)

    @property
    def num_tokens(self) -> int:
        """Tokens kept in idle slots."""
        return sum(len(slot.tokens) for slot in self._slots)

    @property
    def has_idle_slot(self) -> bool:
        return any(not slot.is_busy for slot in self._slots)

    def acquire(self, prompt: list[int]) -> Placement:
        """Take an idle slot for `prompt`; at least its last token is left to compute, for its logits."""
        idle = [slot for slot in self._slots if not slot.is_busy]
        prefixes = {slot.id: common_prefix(slot.tokens, prompt) for slot in idle}
        best = max(idle, key=lambda slot: (prefixes[slot.id], slot.last_used))
        num_cached = min(prefixes[best.id], len(prompt) - 1)
        oldest = min(idle, key=lambda slot: (slot.last_used, slot.id))
        if best is oldest or self._is_continued(best, num_cached):
            return self._take(best, Placement(best.id, num_cached))
        if num_cached >= MIN_COPY:
            return self._take(oldest, Placement(oldest.id, num_cached, source=best.id))
        return self._take(oldest, Placement(oldest.id, min(prefixes[oldest.id], num_cached)))

    def release(self, slot_id: int, tokens: list[int]) -> None:
        """Give a slot back; `tokens` are those whose KV cells it holds."""
        slot = self._slots[slot_id]
        slot.tokens = tokens
        slot.is_busy = False
        slot.last_used = next(self._clock)

    @staticmethod
    def _is_continued(slot: Slot, prefix: int) -> bool:
        """Say whether a prompt continues what the slot holds, rather than sharing only its beginning.

        Taking the slot of a conversation that only shares a system prompt would destroy the rest of it.
        """
        return prefix * 2 >= len(slot.tokens) > 0

    @staticmethod
    def _take(slot: Slot, placement: Placement) -> Placement:
        slot.is_busy = True
        slot.tokens = []
        return placement


def common_prefix(left: list[int], right: list[int]) -> int:
    """Return how many leading tokens are equal, by bisection over list comparisons, which run in C."""
    limit = min(len(left), len(right))
    if left[:limit] == right[:limit]:
        return limit
    return bisect_left(range(1, limit), True, key=lambda length: left[:length] != right[:length])
