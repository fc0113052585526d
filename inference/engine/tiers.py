"""Where sequences are kept that lose their slots: in main memory, and below it on disk, if there is a DiskTier."""

import time
from collections.abc import Callable

from inference.engine.disk_tier import DiskTier, Recall, Turn
from inference.engine.entry import Checkpoint, Entry, State, num_bytes_of
from inference.engine.host_tier import HostTier
from inference.engine.prefix_index import HAS_FILE, MIN_REUSE, ON_DISK, PrefixIndex
from inference.engine.slots import Slots
from inference.engine.state_file import Saved
from inference.engine.stored_entries import StoredEntries


class Tiers:
    """Moves entries down when there is no room for them, and up again when somebody waits for one.

    disk: None keeps nothing beyond the memory.
    """

    def __init__(
        self,
        index: PrefixIndex,
        slots: Slots,
        host_bytes: int,
        disk: DiskTier | None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._clock = clock
        self._index = index
        self._slots = slots
        self._disk = disk
        self._host = HostTier(host_bytes)
        self._stored = StoredEntries(index, disk, slots.can_rewind) if disk else None

    @property
    def num_saved_bytes(self) -> int:
        """Memory taken beside the KV cache."""
        return self._host.num_bytes

    @property
    def num_stored(self) -> tuple[int, int]:
        """Sequences on disk, and their bytes."""
        return (len(self._stored), self._stored.num_bytes) if self._stored else (0, 0)

    def hold(self, checkpoints: list[Checkpoint]) -> None:
        """Count checkpoints that are in memory beside an entry."""
        self._host.hold(num_bytes_of(checkpoints))

    def release(self, checkpoints: list[Checkpoint]) -> None:
        self._host.release(num_bytes_of(checkpoints))

    def touch(self, entry: Entry) -> None:
        """Note that a saved entry has been of use."""
        if entry.state is not None:
            self._host.touch(entry)

    def make_room(self, num_bytes: int, keep: Entry | None = None) -> bool:
        """Make room in memory for so much, by moving entries down, but not `keep`; False if that is not possible."""
        evicted = self._host.make_room(num_bytes, keep)
        self._move_down(evicted or [])
        return evicted is not None

    def put(self, entry: Entry, save: Callable[[], State], keep: Entry | None = None) -> bool:
        """Keep an idle entry that loses its slot in the highest tier that has room; False if there is none."""
        if self.make_room(self._slots.size(entry), keep):
            entry.state = save()
            self._host.add(entry)
            return True
        if self._is_wanted(entry):
            self._write(entry, save())
            self.forget(entry)
            return True
        return False

    def put_copy(self, entry: Entry, save: Callable[[], State]) -> None:
        """Keep an idle entry whose slot another one is going to cut, if there is room."""
        copy = Entry(entry.tokens, slot=entry.slot, can_rewind=entry.can_rewind)
        copy.last_used, copy.num_uses = entry.last_used, entry.num_uses
        if not self.put(copy, save) or copy.state is None:
            return
        copy.slot = None
        self._index.add(copy, copy.tokens)
        if entry.file:
            copy.file = entry.file
            self._stored.add(copy)

    def take(self, entry: Entry) -> None:
        """Take out a saved entry that goes back into a slot; its checkpoints stay held."""
        self._index.remove(entry)
        self._host.remove(entry)

    def forget(self, entry: Entry) -> None:
        """Give up what is in memory of an entry beside its slot; its file stays."""
        self.release(entry.checkpoints)
        entry.leave_memory()
        if entry.file is None:
            self._index.remove(entry)

    def follow(self, source: Entry, entry: Entry) -> None:
        """Note that `entry` goes on with `source`, which is nowhere in memory any more, though perhaps on disk."""
        before = source.file or source.replaces
        if source.file:
            self._stored.leave(source.tokens, source.checkpoints, source)
        if entry.length and source.is_continued(entry.length):
            entry.replaces = before

    def refuse(self, source: Entry) -> None:
        """Give up an entry that came from disk and that llama.cpp did not take; nobody else is to try it."""
        if source.file is None:
            return
        self._disk.refuse(source.file)
        self._stored.lose(source)
        if source in self._host.entries:
            self.take(source)
            self.release(source.checkpoints)

    def recall(
        self, prompt: list[int], num_there: int, prefill_seconds: Callable[[int], float]
    ) -> Recall | Turn | None:
        """Have read what of a prompt is on disk, if that is quicker than computing it; None if it is not."""
        if self._disk is None:
            return None
        self._stored.find()
        found = self._index.match(prompt, ON_DISK)
        if found.length < num_there + MIN_REUSE:
            return None
        seconds = self._disk.seconds(found.entry) + self._slots.seconds(found.entry.file.num_bytes)
        return self._disk.read(found.entry) if seconds < prefill_seconds(found.length - num_there) else None

    def give_up(self, recall: Recall) -> None:
        """Note that somebody waits no longer for a recall: it has what it waited for, or has ended."""
        recall.give_up()
        if self._host.pinned is recall.entry:
            self._move_down(self._host.unpin())

    def settle(self) -> None:
        """Take note of what has been read and written meanwhile."""
        if self._disk is None:
            return
        # Whoever waits for the pinned one must find it, however little memory there is; then it is the next one's turn.
        if self._host.pinned is None and (recalled := self._disk.take_recalled()):
            self._note_recalled(*recalled)
        for written in self._disk.take_written():
            self._stored.note_written(written)

    @property
    def has_unstored(self) -> bool:
        """Whether there is something for `store_one`."""
        return self._next_unstored() is not None

    def store_one(self) -> None:
        """Begin to write the idle sequence that was used last of those that are not on disk, unless one is written."""
        if entry := self._next_unstored():
            self._write(entry, self._slots.save(entry) if entry.state is None else entry.state)

    def close(self, seconds: float) -> None:
        """Write what is not on disk yet, for as long as this; nobody uses the disk afterwards."""
        if self._disk is None:
            return
        deadline = self._clock() + seconds
        while True:
            self._disk.wait(deadline - self._clock())
            self.settle()
            if self._clock() >= deadline or not self.has_unstored:
                break
            self.store_one()
        self._disk.close()

    def _next_unstored(self) -> Entry | None:
        if self._disk is None or self._disk.is_writing:
            return None
        entries = sorted((*self._slots.idle, *self._host.entries), key=lambda entry: entry.last_used, reverse=True)
        return next(filter(self._is_wanted, entries), None)

    def _is_wanted(self, entry: Entry) -> bool:
        """Say whether an entry is to be written and can be."""
        if self._disk is None or entry.file or entry.length < self._disk.min_tokens or self._disk.is_queued(entry):
            return False
        is_new = self._index.num_unique(entry, HAS_FILE) >= MIN_REUSE
        return is_new and self._disk.accepts(entry.length, self._slots.size(entry), entry.checkpoints)

    def _write(self, entry: Entry, state: State) -> None:
        self._disk.write(entry, Saved(entry.tokens, state, tuple(entry.checkpoints)))

    def _move_down(self, evicted: list[Entry]) -> None:
        """Have entries written that memory has given up, unless they are on disk already or there is no room."""
        for entry in evicted:
            if self._is_wanted(entry):
                self._write(entry, entry.state)
            entry.leave_memory()
            if entry.file is None:
                self._index.remove(entry)

    def _note_recalled(self, entry: Entry, saved: Saved | None) -> None:
        if saved is None:
            self._stored.lose(entry)
        elif entry.indexed and entry.is_on_disk_only:
            entry.state, entry.checkpoints = saved.state, list(saved.checkpoints)
            self._move_down(self._host.pin(entry))
