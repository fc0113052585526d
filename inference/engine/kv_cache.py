"""What is computed already, and how a new sequence gets as much of it as possible.

A slot is one of llama.cpp's sequence ids with its KV cells. When a sequence ends, its tokens stay in the slot: the
conversation's next turn begins with them. What another slot holds is copied, that of a running sequence, too. A slot
that is needed for something else has its state saved beside the KV cache, within a budget of bytes.
"""

import time
from collections.abc import Callable
from itertools import count
from typing import Protocol

from inference.engine.entry import Checkpoint, Entry, Holder, State
from inference.engine.host_tier import HostTier
from inference.engine.prefix_index import MIN_REUSE, Match, PrefixIndex, Promise

FIRST_BANDWIDTH = 1e9  # bytes per second that states are copied with, until it has been measured
TAIL = 16  # tokens before the end of a prompt: enough for what templates append to ask for the answer
SMOOTHING = 0.3  # weight of the newest measurement


class KVBackend(Protocol):
    """What the cache needs of llama.cpp. States are those of one slot; `partial` those parts that cannot be cut."""

    can_rewind: bool

    def truncate(self, slot: int, length: int) -> bool: ...

    def copy(self, source: int, target: int) -> bool: ...

    def state_size(self, slot: int, partial: bool = False) -> int: ...

    def save(self, slot: int, partial: bool = False) -> State: ...

    def load(self, slot: int, state: State, partial: bool = False) -> bool: ...


class Runner(Holder, Protocol):
    """A sequence as the cache sees it. `prefix` is what of its tokens may come from the cache."""

    entry: Entry | None

    @property
    def prefix(self) -> list[int]: ...


class KVCache:
    """The slots and what was saved of them, found by prefix.

    host_bytes: what states and checkpoints may take of the memory. prefill_seconds: how long computing so many tokens
    takes.
    """

    def __init__(
        self,
        llama: KVBackend,
        num_slots: int,
        host_bytes: int = 0,
        prefill_seconds: Callable[[int], float] = lambda num_tokens: float("inf"),
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._llama = llama
        self._slots: list[Entry | None] = [None] * num_slots
        self._index = PrefixIndex()
        self._host = HostTier(host_bytes)
        self._prefill_seconds = prefill_seconds
        self._bandwidth = FIRST_BANDWIDTH
        self._clock = clock
        self._uses = count(1)

    @property
    def num_tokens(self) -> int:
        """Tokens in the slots, idle ones included."""
        return sum(entry.length for entry in self._slots if entry)

    @property
    def num_saved_bytes(self) -> int:
        """Memory taken beside the KV cache."""
        return self._host.num_bytes

    @property
    def has_idle_slot(self) -> bool:
        return any(map(_is_free, self._slots))

    def promise(self, prompt: list[int]) -> Promise | None:
        """Return who is about to compute more of a prompt than can be had now; None if nobody is.

        Where cells cannot be cut back, the running sequence is asked for a checkpoint.
        """
        promise = self._index.promise(prompt)
        if promise and not self._llama.can_rewind:
            promise.holder.cuts.add(promise.length)
        return promise

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
        if not self._llama.can_rewind:
            sequence.cuts = self._cuts(len(prompt), length, match.shared)
        return length

    def compact(self, seconds: float) -> None:
        """Move one running sequence next to the others, if copying it takes no longer than `seconds`.

        llama.cpp computes sequences of a partitioned KV cache together only if their ids follow on each other
        (`split_equal`, src/llama-batch.cpp); a gap costs every step another pass over the weights.
        """
        move = compacting_move([entry is not None and entry.holder is not None for entry in self._slots])
        if move is None:
            return
        entry, other = self._slots[move[0]], self._slots[move[1]]
        num_bytes = self._size(entry) + (self._size(other) if other else 0)
        if num_bytes <= seconds * self._bandwidth:
            self._swap(entry, other, *move)

    def checkpoint(self, sequence: Runner) -> None:
        """Save what cannot be cut back of a running sequence, if there is room for it."""
        entry = sequence.entry
        if self._make_room(self._llama.state_size(entry.slot, partial=True)):
            before = _num_bytes(entry.checkpoints)
            entry.add_checkpoint(Checkpoint(sequence.num_computed, self._llama.save(entry.slot, partial=True)))
            self._host.hold(_num_bytes(entry.checkpoints) - before)

    def release(self, sequence: Runner) -> None:
        """Give a sequence's slot back; what it computed stays there."""
        entry = sequence.entry
        entry.tokens = sequence.tokens[: sequence.num_computed]
        entry.holder = None
        entry.last_used = next(self._uses)
        sequence.entry = None
        if not entry.tokens:
            self._drop(entry)
            return
        self._index.add(entry, entry.tokens)

    def drop_idle(self) -> bool:
        """Give up the cells of an idle slot, the least recently used one; False if there is none."""
        idle = [entry for entry in self._slots if entry and entry.is_idle]
        if idle:
            self._evict(min(idle, key=lambda entry: entry.last_used))
        return bool(idle)

    def _place(self, prompt: list[int], match: Match) -> Entry:
        """Return an entry in an idle slot that holds what was found, as far as that pays."""
        source, length = match.entry, match.length
        if source is None or not (source.is_idle or self._is_worth_copying(source, length)):
            return self._empty(self._vacate(prompt, None))
        if source.is_idle and (source.is_continued(length) or self._is_last_idle(source)):
            return self._take_over(source, length)
        if not self._is_worth_copying(source, length):
            return self._empty(self._vacate(prompt, source))
        if source.state is not None and source.is_continued(length):
            return self._bring_back(prompt, source, length)
        return self._copy(self._vacate(prompt, source), source, length)

    def _empty(self, slot: int) -> Entry:
        """Return a new entry in a slot, of which nothing is computed."""
        self._llama.truncate(slot, 0)
        return self._new(slot, [])

    def _new(self, slot: int, tokens: list[int]) -> Entry:
        entry = self._slots[slot] = Entry(tokens, slot, can_rewind=self._llama.can_rewind)
        return entry

    def _take_over(self, source: Entry, length: int) -> Entry:
        """Make an idle slot's entry a new one, cut to `length`; save first what more it has, if that is much."""
        if not source.is_continued(length):
            self._save_copy(source)
        self._index.remove(source)
        return self._continue(source, source.slot, length, is_there=True)

    def _bring_back(self, prompt: list[int], source: Entry, length: int) -> Entry:
        """Load a saved sequence that goes on. It is taken out first: its room may be needed for the slot's."""
        self._index.remove(source)
        self._host.remove(source)
        slot = self._vacate(prompt, None)
        is_there = self._bring(source, slot)
        while not is_there and self.drop_idle():  # where all slots share the cells there may be too few
            is_there = self._bring(source, slot)
        return self._continue(source, slot, length, is_there)

    def _continue(self, source: Entry, slot: int, length: int, is_there: bool) -> Entry:
        """Return the entry that follows `source`, whose cells are in the slot if `is_there`; it inherits what fits."""
        is_cut = is_there and self._cut(slot, source, length)
        kept = [each for each in source.checkpoints if is_cut and each.length <= length]
        self._host.release(_num_bytes(source.checkpoints) - _num_bytes(kept))
        entry = self._new(slot, source.tokens[:length]) if is_cut else self._empty(slot)
        entry.checkpoints = kept
        entry.num_uses = source.num_uses + 1
        return entry

    def _copy(self, slot: int, source: Entry, length: int) -> Entry:
        """Return a new entry in an empty slot with the first `length` tokens of one that stays."""
        source.num_uses += 1
        if source.state is not None:
            self._host.touch(source)
        if not self._bring(source, slot) or not self._cut(slot, source, length):
            return self._empty(slot)
        entry = self._new(slot, source.tokens[:length])
        checkpoint = source.checkpoint_at(length)
        if checkpoint:
            entry.checkpoints = [checkpoint]
            self._host.hold(checkpoint.state.nbytes)
        return entry

    def _bring(self, source: Entry, slot: int) -> bool:
        """Fill a slot with all that another one or a saved state holds; False if llama.cpp could not."""
        started = self._clock()
        num_bytes = self._size(source)
        if source.state is None:
            is_filled = self._llama.copy(source.slot, slot)
        else:
            is_filled = self._llama.load(slot, source.state)
        self._note_bandwidth(num_bytes, self._clock() - started)
        return is_filled

    def _swap(self, entry: Entry, other: Entry | None, source: int, target: int) -> None:
        """Move a running sequence to a slot that is empty or idle; what was there takes its place."""
        started = self._clock()
        state = self._llama.save(target) if other else None
        num_bytes = self._size(entry)
        is_moved = self._llama.copy(source, target)
        self._note_bandwidth(num_bytes, self._clock() - started)
        if is_moved:
            entry.slot, self._slots[target], self._slots[source] = target, entry, other
        left = source if is_moved else target
        if other:
            other.slot = left
        if other is None or not self._llama.load(left, state):
            self._llama.truncate(left, 0)
            if other:
                self._drop(other)

    def _vacate(self, prompt: list[int], keep: Entry | None) -> int:
        """Return an empty slot; the sequence that loses it is saved if it is long enough. `keep` is left alone.

        A short prompt takes the slot of a short sequence before that of a long one.
        """
        idle = [
            slot for slot, entry in enumerate(self._slots) if entry is None or (entry.is_idle and entry is not keep)
        ]

        def order(slot: int) -> tuple[bool, bool, int]:
            entry = self._slots[slot]
            if entry is None:
                return False, False, 0
            return True, entry.length > 2 * len(prompt), entry.last_used

        slot = min(idle, key=order)
        if entry := self._slots[slot]:
            self._evict(entry, keep)
        return slot

    def _evict(self, entry: Entry, keep: Entry | None = None) -> None:
        """Empty the slot of an idle entry; save it if much of it is nowhere else. `keep` stays saved."""
        slot = entry.slot
        if self._index.num_unique(entry) >= MIN_REUSE and self._make_room(self._llama.state_size(slot), keep):
            entry.state = self._llama.save(slot)
            entry.slot, self._slots[slot] = None, None
            self._host.add(entry)
        else:
            self._drop(entry)
        self._llama.truncate(slot, 0)

    def _save_copy(self, entry: Entry) -> None:
        """Save an idle entry whose slot is going to be cut."""
        if not self._make_room(self._llama.state_size(entry.slot)):
            return
        copy = Entry(entry.tokens, state=self._llama.save(entry.slot), can_rewind=self._llama.can_rewind)
        copy.last_used, copy.num_uses = entry.last_used, entry.num_uses
        self._host.add(copy)
        self._index.add(copy, copy.tokens)

    def _drop(self, entry: Entry) -> None:
        """Forget an entry that lies in a slot."""
        self._index.remove(entry)
        self._host.release(_num_bytes(entry.checkpoints))
        self._slots[entry.slot] = None

    def _make_room(self, num_bytes: int, keep: Entry | None = None) -> bool:
        evicted = self._host.make_room(num_bytes, keep)
        for entry in evicted or ():
            self._index.remove(entry)
        return evicted is not None

    def _cut(self, slot: int, entry: Entry, length: int) -> bool:
        """Cut a slot that holds what `entry` says to `length`; False if llama.cpp could not."""
        checkpoint = entry.checkpoint_at(length)
        if checkpoint and not self._llama.load(slot, checkpoint.state, partial=True):
            return False
        return self._llama.truncate(slot, length)

    def _cuts(self, num_prompt: int, num_cached: int, shared: int) -> set[int]:
        """Return where a prompt should leave checkpoints: near its end, and where it departs from what is known."""
        lengths = {num_prompt - TAIL}
        if shared < num_prompt:
            lengths.add(shared)
        return {length for length in lengths if length >= max(num_cached, 0) + MIN_REUSE}

    def _is_last_idle(self, entry: Entry) -> bool:
        return not any(_is_free(other) for other in self._slots if other is not entry)

    def _is_worth_copying(self, source: Entry, length: int) -> bool:
        """Say whether copying all of an entry is quicker than computing `length` tokens."""
        return length >= MIN_REUSE and self._size(source) / self._bandwidth < self._prefill_seconds(length)

    def _size(self, source: Entry) -> int:
        """Return the bytes of an entry's whole state."""
        return self._llama.state_size(source.slot) if source.state is None else source.state.nbytes

    def _note_bandwidth(self, num_bytes: int, seconds: float) -> None:
        if seconds > 0:
            self._bandwidth += SMOOTHING * (num_bytes / seconds - self._bandwidth)


def _is_free(entry: Entry | None) -> bool:
    """Say whether a slot with this entry can be had."""
    return entry is None or entry.is_idle


def _num_bytes(checkpoints: list[Checkpoint]) -> int:
    return sum(each.state.nbytes for each in checkpoints)


def compacting_move(is_running: list[bool]) -> tuple[int, int] | None:
    """Return which slot's sequence has to go where, so that the running ones come to stand side by side.

    None if they do. Of all places for them, the one that most of them are in already is chosen.
    """
    running = [slot for slot, each in enumerate(is_running) if each]
    if not running or running[-1] - running[0] + 1 == len(running):
        return None
    start = max(
        range(len(is_running) - len(running) + 1), key=lambda first: sum(is_running[first : first + len(running)])
    )
    place = range(start, start + len(running))
    source = next(slot for slot in reversed(running) if slot not in place)
    return source, next(slot for slot in place if not is_running[slot])
