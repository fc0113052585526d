"""What is computed already, and how a new sequence gets as much of it as possible.

A slot is one of llama.cpp's sequence ids with its KV cells. When a sequence ends, its tokens stay in the slot: the
conversation's next turn begins with them. What another slot holds is copied, that of a running sequence, too. A slot
that is needed for something else has its state saved in a lower tier: main memory, then disk.
"""

import time
from collections.abc import Callable
from itertools import count
from typing import Protocol

from inference.engine.backend import KVBackend
from inference.engine.disk_tier import DiskTier, Recall, Turn
from inference.engine.entry import Checkpoint, Entry, Holder
from inference.engine.prefix_index import MIN_REUSE, Match, PrefixIndex, Promise
from inference.engine.slots import Slots
from inference.engine.tiers import Tiers

TAIL = 16  # tokens before the end of a prompt: enough for what templates append to ask for the answer


class Runner(Holder, Protocol):
    """A sequence as the cache sees it. `prefix` is what of its tokens may come from the cache."""

    entry: Entry | None

    @property
    def prefix(self) -> list[int]: ...


class KVCache:
    """The slots and what was saved of them, found by prefix.

    host_bytes: what states and checkpoints may take of the memory. prefill_seconds: how long computing so many tokens
    takes. disk: keeps sequences beyond the life of the process.
    """

    def __init__(
        self,
        llama: KVBackend,
        num_slots: int,
        host_bytes: int = 0,
        prefill_seconds: Callable[[int], float] = lambda num_tokens: float("inf"),
        clock: Callable[[], float] = time.perf_counter,
        disk: DiskTier | None = None,
    ) -> None:
        self._slots = Slots(llama, num_slots, clock)
        self._index = PrefixIndex()
        self._tiers = Tiers(self._index, self._slots, host_bytes, disk, clock)
        self._prefill_seconds = prefill_seconds
        self._uses = count(1)

    @property
    def num_tokens(self) -> int:
        """Tokens in the slots, idle ones included."""
        return self._slots.num_tokens

    @property
    def num_saved_bytes(self) -> int:
        """Memory taken beside the KV cache."""
        return self._tiers.num_saved_bytes

    @property
    def num_stored(self) -> tuple[int, int]:
        """Sequences on disk, and their bytes."""
        return self._tiers.num_stored

    @property
    def has_idle_slot(self) -> bool:
        return self._slots.is_free()

    def promise(self, prompt: list[int]) -> Promise | Recall | Turn | None:
        """Return who is about to compute or to read more of a prompt than can be had now; None if nobody is.

        Where cells cannot be cut back, the running sequence is asked for a checkpoint.
        """
        self.settle()
        num_there = self._index.match(prompt).length
        promise = self._index.promise(prompt, num_there)
        recall = self._tiers.recall(prompt, promise.length if promise else num_there, self._prefill_seconds)
        if promise and not recall and not self._slots.can_rewind:
            promise.holder.cuts.add(promise.length)
        return recall or promise

    def stop_waiting(self, promise: Promise | Recall | Turn) -> None:
        """Note that a sequence has what it waited for, or has ended."""
        if isinstance(promise, Recall):
            self._tiers.give_up(promise)

    def settle(self) -> None:
        """Take note of what has been read from disk and written to it."""
        self._tiers.settle()

    @property
    def has_unstored(self) -> bool:
        """Whether there is something for `store_one`."""
        return self._tiers.has_unstored

    def store_one(self) -> None:
        """Begin to write an idle sequence to disk, the one that was used last."""
        self._tiers.store_one()

    def close(self, seconds: float) -> None:
        """Write what is not on disk yet, for as long as this; nothing must be running."""
        self._tiers.close(seconds)

    def acquire(self, sequence: Runner) -> int:
        """Take an idle slot for a sequence; return how many tokens of its prefix are computed there.

        At least one is left to compute, for its logits.
        """
        prompt = sequence.prefix
        match = self._index.match(prompt)
        entry = self._place(prompt, match)
        length = entry.length
        entry.tokens, entry.holder = sequence.tokens, sequence
        self._index.add(entry, prompt)
        sequence.entry = entry
        if not self._slots.can_rewind:
            sequence.cuts = _cuts(len(prompt), length, match.shared)
        return length

    def compact(self, seconds: float) -> None:
        """Move one running sequence next to the others, if that takes no longer than `seconds`."""
        if lost := self._slots.compact(seconds):
            self._tiers.forget(lost)

    def spare(self, slots: list[int], depth: int) -> tuple[int, int] | None:
        """Return a slot in which a step of `slots` can have one more row, and how many tokens lie there.

        None if there is none with at most `depth` tokens, or it could not be cut back afterwards.
        """
        return self._slots.spare(slots, depth) if self._slots.can_rewind else None

    def checkpoint(self, sequence: Runner) -> None:
        """Save what cannot be cut back of a running sequence, if there is room for it."""
        entry = sequence.entry
        if self._tiers.make_room(self._slots.size(entry, partial=True)):
            self._tiers.release(entry.checkpoints)
            entry.add_checkpoint(Checkpoint(sequence.num_computed, self._slots.save(entry, partial=True)))
            self._tiers.hold(entry.checkpoints)

    def release(self, sequence: Runner) -> None:
        """Give a sequence's slot back; what it computed stays there."""
        entry = sequence.entry
        entry.tokens = sequence.tokens[: sequence.num_computed]
        entry.holder = None
        entry.last_used = next(self._uses)
        sequence.entry = None
        if entry.tokens:
            self._index.add(entry, entry.tokens)
        else:
            self._slots.clear(entry)
            self._tiers.forget(entry)

    def drop_idle(self) -> bool:
        """Give up the cells of an idle slot, the least recently used one; False if there is none."""
        idle = self._slots.idle
        if idle:
            self._evict(min(idle, key=lambda entry: entry.last_used))
        return bool(idle)

    def _place(self, prompt: list[int], match: Match) -> Entry:
        """Return an entry in an idle slot that holds what was found, as far as that pays."""
        source, length = match.entry, match.length
        if source is None or not (source.is_idle or self._is_worth_copying(source, length)):
            return self._slots.empty(self._vacate(prompt, None))
        if source.is_idle and (source.is_continued(length) or not self._slots.is_free(but=source)):
            return self._take_over(source, length)
        if not self._is_worth_copying(source, length):
            return self._slots.empty(self._vacate(prompt, source))
        if source.state is not None and source.is_continued(length):
            return self._bring_back(prompt, source, length)
        return self._copy(self._vacate(prompt, source), source, length)

    def _take_over(self, source: Entry, length: int) -> Entry:
        """Make an idle slot's entry a new one, cut to `length`; save first what more it has, if that is much."""
        if not source.is_continued(length):
            self._tiers.put_copy(source, lambda: self._slots.save(source))
        self._index.remove(source)
        return self._continue(source, source.slot, length, is_there=True)

    def _bring_back(self, prompt: list[int], source: Entry, length: int) -> Entry:
        """Load a saved sequence that goes on. It is taken out first: its room may be needed for the slot's."""
        self._tiers.take(source)
        slot = self._vacate(prompt, None)
        is_there = self._slots.bring(source, slot)
        while not is_there and self.drop_idle():  # where all slots share the cells there may be too few
            is_there = self._slots.bring(source, slot)
        return self._continue(source, slot, length, is_there)

    def _continue(self, source: Entry, slot: int, length: int, is_there: bool) -> Entry:
        """Return the entry that follows `source`, whose cells are in the slot if `is_there`; it inherits what fits."""
        is_cut = is_there and self._slots.cut(slot, source, length)
        entry = self._slots.new(slot, source.tokens[:length]) if is_cut else self._slots.empty(slot)
        entry.checkpoints = [each for each in source.checkpoints if is_cut and each.length <= length]
        entry.num_uses = source.num_uses + 1
        self._tiers.release(source.checkpoints)
        self._tiers.hold(entry.checkpoints)
        if not is_there and not self._slots.may_lack_cells:
            self._tiers.refuse(source)
        self._tiers.follow(source, entry)
        return entry

    def _copy(self, slot: int, source: Entry, length: int) -> Entry:
        """Return a new entry in an empty slot with the first `length` tokens of one that stays."""
        source.num_uses += 1
        self._tiers.touch(source)
        is_there = self._slots.bring(source, slot)
        if not is_there and source.state is not None and not self._slots.may_lack_cells:
            self._tiers.refuse(source)
        if not is_there or not self._slots.cut(slot, source, length):
            return self._slots.empty(slot)
        entry = self._slots.new(slot, source.tokens[:length])
        checkpoint = source.checkpoint_at(length)
        if checkpoint:
            entry.checkpoints = [checkpoint]
            self._tiers.hold(entry.checkpoints)
        return entry

    def _vacate(self, prompt: list[int], keep: Entry | None) -> int:
        """Return an empty slot; the sequence that loses it is saved if it is long enough. `keep` is left alone."""
        slot = self._slots.victim(len(prompt), keep)
        if entry := self._slots.at(slot):
            self._evict(entry, keep)
        return slot

    def _evict(self, entry: Entry, keep: Entry | None = None) -> None:
        """Empty the slot of an idle entry; save it if much of it is nowhere else. `keep` stays saved."""
        is_worth_it = self._index.num_unique(entry) >= MIN_REUSE
        if not is_worth_it or not self._tiers.put(entry, lambda: self._slots.save(entry), keep):
            self._tiers.forget(entry)
        self._slots.clear(entry)

    def _is_worth_copying(self, source: Entry, length: int) -> bool:
        """Say whether copying all of an entry is quicker than computing `length` tokens."""
        return length >= MIN_REUSE and self._slots.seconds(self._slots.size(source)) < self._prefill_seconds(length)


def _cuts(num_prompt: int, num_cached: int, shared: int) -> set[int]:
    """Return where a prompt should leave checkpoints: near its end, and where it departs from what is known."""
    lengths = {num_prompt - TAIL}
    if shared < num_prompt:
        lengths.add(shared)
    return {length for length in lengths if length >= max(num_cached, 0) + MIN_REUSE}
