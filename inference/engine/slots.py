"""The slots, llama.cpp's sequence ids with their KV cells: what lies in each, and how states get into them."""

from collections.abc import Callable

from inference.engine.backend import KVBackend
from inference.engine.entry import Entry, State

FIRST_BANDWIDTH = 1e9  # bytes per second that states are copied with, until it has been measured
SMOOTHING = 0.3  # weight of the newest measurement


class Slots:
    """Which entry lies in which slot. `can_rewind`: cells can be cut back to any length."""

    def __init__(self, llama: KVBackend, num_slots: int, clock: Callable[[], float]) -> None:
        self.can_rewind = llama.can_rewind
        self._llama = llama
        self._clock = clock
        self._entries: list[Entry | None] = [None] * num_slots
        self._bandwidth = FIRST_BANDWIDTH

    @property
    def num_tokens(self) -> int:
        """Tokens in the slots, idle ones included."""
        return sum(entry.length for entry in self._entries if entry)

    @property
    def idle(self) -> list[Entry]:
        """The entries that nobody works in."""
        return [entry for entry in self._entries if entry and entry.is_idle]

    @property
    def may_lack_cells(self) -> bool:
        """Whether running sequences may be why a state found no room."""
        return not self._llama.is_partitioned and any(entry and entry.holder for entry in self._entries)

    def is_free(self, but: Entry | None = None) -> bool:
        """Say whether a slot can be had that is not the one of `but`."""
        return any(entry is None or (entry.is_idle and entry is not but) for entry in self._entries)

    def victim(self, num_prompt: int, keep: Entry | None) -> int:
        """Return the slot that a prompt should take: an empty one, else the one that was not used for the longest time.

        A short prompt takes the slot of a short sequence before that of a long one. `keep` is left alone.
        """

        def order(slot: int) -> tuple[bool, bool, int]:
            entry = self._entries[slot]
            if entry is None:
                return False, False, 0
            return True, entry.length > 2 * num_prompt, entry.last_used

        free = (
            slot for slot, entry in enumerate(self._entries) if entry is None or (entry.is_idle and entry is not keep)
        )
        return min(free, key=order)

    def spare(self, slots: list[int], depth: int) -> tuple[int, int] | None:
        """Return the emptiest slot in which nobody works, with at most `depth` tokens, and their number.

        Of a partitioned KV cache only a slot beside the others will do: see `compact`.
        """
        places = range(len(self._entries))
        if self._llama.is_partitioned:
            is_compact = slots[-1] - slots[0] + 1 == len(slots)
            places = [slot for slot in (slots[0] - 1, slots[-1] + 1) if is_compact and slot in places]
        lengths = ((self._idle_length(slot), slot) for slot in places)
        length, slot = min(((length, slot) for length, slot in lengths if length is not None), default=(depth + 1, 0))
        return (slot, length) if length <= depth else None

    def _idle_length(self, slot: int) -> int | None:
        """Return how many tokens lie in a slot; None if somebody works in it."""
        entry = self._entries[slot]
        if entry is None:
            return 0
        return entry.length if entry.is_idle else None

    def at(self, slot: int) -> Entry | None:
        return self._entries[slot]

    def new(self, slot: int, tokens: list[int]) -> Entry:
        """Return a new entry in a slot that holds the cells of these tokens."""
        entry = self._entries[slot] = Entry(tokens, slot, can_rewind=self.can_rewind)
        return entry

    def empty(self, slot: int) -> Entry:
        """Return a new entry in a slot, of which nothing is computed."""
        self._llama.truncate(slot, 0)
        return self.new(slot, [])

    def clear(self, entry: Entry) -> None:
        """Take an entry out of its slot and give up the cells."""
        self._llama.truncate(entry.slot, 0)
        self._entries[entry.slot], entry.slot = None, None

    def save(self, entry: Entry, partial: bool = False) -> State:
        """Return the state of an entry's slot; with `partial` only what cannot be cut."""
        return self._llama.save(entry.slot, partial)

    def size(self, entry: Entry, partial: bool = False) -> int:
        """Return the bytes of an entry's state, wherever it lies; with `partial` those that `save` would return."""
        return self._llama.state_size(entry.slot, partial) if entry.state is None else entry.state.nbytes

    def seconds(self, num_bytes: int) -> float:
        """Return how long it will take to copy so much."""
        return num_bytes / self._bandwidth

    def bring(self, source: Entry, slot: int) -> bool:
        """Fill a slot with all that another one or a saved state holds; False if llama.cpp could not."""
        started = self._clock()
        num_bytes = self.size(source)
        if source.state is None:
            is_filled = self._llama.copy(source.slot, slot)
        else:
            is_filled = self._llama.load(slot, source.state)
        self._note_bandwidth(num_bytes, self._clock() - started)
        return is_filled

    def cut(self, slot: int, entry: Entry, length: int) -> bool:
        """Cut a slot that holds what `entry` says to `length`; False if llama.cpp could not."""
        checkpoint = entry.checkpoint_at(length)
        if checkpoint and not self._llama.load(slot, checkpoint.state, partial=True):
            return False
        return self._llama.truncate(slot, length)

    def compact(self, seconds: float) -> Entry | None:
        """Move one running sequence next to the others, if copying it takes no longer than `seconds`.

        Returns the idle entry that was lost on the way, if llama.cpp could not put it back.

        llama.cpp computes sequences of a partitioned KV cache together only if their ids follow on each other
        (`split_equal`, src/llama-batch.cpp); a gap costs every step another pass over the weights.
        """
        move = compacting_move([entry is not None and entry.holder is not None for entry in self._entries])
        if move is None:
            return None
        moved = [entry for slot in move if (entry := self._entries[slot])]
        if self.seconds(sum(map(self.size, moved))) > seconds:
            return None
        return self._swap(*move)

    def _swap(self, source: int, target: int) -> Entry | None:
        """Move a running sequence to a slot that is empty or idle; what was there takes its place, or is returned."""
        started = self._clock()
        entry, other = self._entries[source], self._entries[target]
        state = self._llama.save(target) if other else None
        num_bytes = self.size(entry)
        is_moved = self._llama.copy(source, target)
        self._note_bandwidth(num_bytes, self._clock() - started)
        if is_moved:
            entry.slot, self._entries[target], self._entries[source] = target, entry, other
        left = source if is_moved else target
        if other is None:
            self._llama.truncate(left, 0)
            return None
        other.slot = left
        if self._llama.load(left, state):
            return None
        self.clear(other)
        return other

    def _note_bandwidth(self, num_bytes: int, seconds: float) -> None:
        if seconds > 0:
            self._bandwidth += SMOOTHING * (num_bytes / seconds - self._bandwidth)


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
