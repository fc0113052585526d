"""Where the guesses of speculative decoding come from, for all sequences of an engine."""

from collections.abc import Sequence as Items
from typing import Protocol

from inference.engine.prompt_lookup import PromptLookup
from inference.engine.radix_tree import common_prefix
from inference.engine.sequence import Sequence


class Drafts(Protocol):
    """Guesses how sequences go on. Wrong guesses cost time, never the answer.

    is_costly: whether guessing itself takes time that counts.
    """

    is_costly: bool

    def propose(self, sequences: Items[Sequence], mosts: Items[int]) -> list[list[int]]:
        """Return for each sequence up to so many tokens that may come next.

        To be called for every step that computes no prompt, with 0 where nothing is wanted.
        """
        ...

    def forget(self, sequence: Sequence) -> None:
        """Drop what is kept of a sequence that has ended."""
        ...


class LookupDrafts:
    """Guesses from each sequence's own text."""

    is_costly = False

    def __init__(self) -> None:
        self._lookups: dict[str, PromptLookup] = {}

    def propose(self, sequences: Items[Sequence], mosts: Items[int]) -> list[list[int]]:
        return [
            self._lookups.setdefault(sequence.id, PromptLookup()).propose(sequence.tokens, most)
            for sequence, most in zip(sequences, mosts, strict=True)
        ]

    def forget(self, sequence: Sequence) -> None:
        self._lookups.pop(sequence.id, None)


class SlotDrafter(Protocol):
    """What is needed of a second model; `inference.engine.draft_model.DraftModel` is the real one."""

    def held(self, slot: int) -> list[int]: ...

    def propose_many(self, items: Items[tuple[int, list[int], int]]) -> list[list[int]]: ...


class ModelDrafts:
    """Guesses by a second model with `num_slots` slots of its own; a sequence keeps one as long as it runs."""

    is_costly = True

    def __init__(self, model: SlotDrafter, num_slots: int) -> None:
        self._model = model
        self._free = set(range(num_slots))
        self._slots: dict[str, int] = {}

    def propose(self, sequences: Items[Sequence], mosts: Items[int]) -> list[list[int]]:
        items = [(self._slot(each), each.tokens, most) for each, most in zip(sequences, mosts, strict=True)]
        return self._model.propose_many(items) if any(mosts) else [[] for _ in items]

    def forget(self, sequence: Sequence) -> None:
        slot = self._slots.pop(sequence.id, None)
        if slot is not None:
            self._free.add(slot)

    def _slot(self, sequence: Sequence) -> int:
        """Return a sequence's slot; a new one gets the slot that holds most of its beginning."""
        if sequence.id not in self._slots:
            slot = max(self._free, key=lambda slot: (common_prefix(self._model.held(slot), sequence.tokens), -slot))
            self._free.remove(slot)
            self._slots[sequence.id] = slot
        return self._slots[sequence.id]
