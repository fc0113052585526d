"""Which of all computed sequences has most of a new prompt."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter

from inference.engine.entry import Entry, Holder
from inference.engine.radix_tree import RadixTree

MIN_REUSE = 32  # tokens; fewer are computed sooner than copied or saved

IN_MEMORY: Callable[[Entry], bool] = attrgetter("is_in_memory")
HAS_FILE: Callable[[Entry], bool] = attrgetter("has_file")
ON_DISK: Callable[[Entry], bool] = attrgetter("is_on_disk_only")


@dataclass(frozen=True)
class Match:
    """The first `length` tokens of a prompt can be had from `entry`; `shared` are the same in some entry."""

    entry: Entry | None = None
    length: int = 0
    shared: int = 0


@dataclass(frozen=True)
class Promise:
    """A running sequence that is about to compute the first `length` tokens of another one's prompt."""

    entry: Entry
    holder: Holder
    length: int

    @property
    def is_open(self) -> bool:
        return self.entry.holder is self.holder and self.holder.num_computed < self.length


class PrefixIndex:
    """The entries by their tokens; those of a running sequence by its whole prompt, computed or not."""

    def __init__(self) -> None:
        self._tree: RadixTree[Entry] = RadixTree()

    def add(self, entry: Entry, tokens: list[int]) -> None:
        """Know an entry by these tokens, and by no others any more."""
        self.remove(entry)
        entry.indexed = list(tokens)
        self._tree.add(entry.indexed, entry)

    def remove(self, entry: Entry) -> None:
        """Forget an entry, if it is known."""
        if entry.indexed:
            self._tree.remove(entry.indexed, entry)
            entry.indexed = []

    def match(self, prompt: list[int], where: Callable[[Entry], bool] = IN_MEMORY) -> Match:
        """Return the entry of which most can be had, the one that costs least if there are several.

        At least one token of the prompt is left to compute, for its logits.
        """
        best = Match()
        for entry, shared in self._tree.matches(prompt):
            if shared < best.length or shared == 0:
                break
            if not where(entry):
                continue
            length = entry.usable(min(shared, len(prompt) - 1))
            rank = (length, _preference(entry, length))
            if best.entry is None or rank > (best.length, _preference(best.entry, best.length)):
                best = Match(entry if length else None, length, max(shared, best.shared))
        return best

    def promise(self, prompt: list[int], num_there: int) -> Promise | None:
        """Return who is about to compute more of a prompt than `num_there` tokens; None if nobody is."""
        least = num_there + MIN_REUSE
        for entry, shared in self._tree.matches(prompt):
            if shared < least:
                break
            length = min(shared, len(prompt) - 1)
            if entry.holder and least <= length <= entry.holder.num_prompt and entry.length < length:
                return Promise(entry, entry.holder, length)
        return None

    def num_unique(self, entry: Entry, where: Callable[[Entry], bool] = IN_MEMORY) -> int:
        """Return how many tokens of an entry could be had from no other one there."""
        others = (
            other.usable(min(shared, len(entry.tokens)))
            for other, shared in self._tree.matches(entry.tokens)
            if other is not entry and where(other)
        )
        return entry.length - max(others, default=0)

    def prefixes(self, tokens: list[int], where: Callable[[Entry], bool]) -> Iterator[Entry]:
        """Yield the entries whose tokens are all at the beginning of these, but fewer."""
        for entry, shared in self._tree.matches(tokens):
            if shared == len(entry.tokens) < len(tokens) and where(entry):
                yield entry


def _preference(entry: Entry, length: int) -> int:
    """Rank entries that offer the same: an idle slot that is continued, a saved state, another slot."""
    if entry.is_idle and entry.is_continued(length):
        return 2
    return 1 if entry.state is not None else 0
