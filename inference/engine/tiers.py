"""Where sequences are kept that lose their slots: in main memory, and below it on disk, if there is a DiskTier."""

import time
from collections.abc import Callable

from inference.engine.disk_tier import DiskTier, Recall, Turn, Written
from inference.engine.entry import Checkpoint, Entry, State, num_bytes_of
from inference.engine.host_tier import HostTier
from inference.engine.prefix_index import HAS_FILE, MIN_REUSE, ON_DISK, PrefixIndex
from inference.engine.slots import Slots
from inference.engine.state_file import Saved


class Tiers:
    """Moves entries down when there is no room for them, and up again when somebody waits for one.

    An entry with a file stays in the index as long as the file is there, so that it is found when it is nowhere else.
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
        self._by_path = {entry.file.path: entry for entry in disk.stored(slots.can_rewind)} if disk else {}
        for entry in self._by_path.values():
            index.add(entry, entry.tokens)
        self._num_stored_bytes = self._count_stored()

    @property
    def num_saved_bytes(self) -> int:
        """Memory taken beside the KV cache."""
        return self._host.num_bytes

    @property
    def num_stored(self) -> int:
        """Sequences on disk."""
        return len(self._by_path)

    @property
    def num_stored_bytes(self) -> int:
        """What they take of the disk, when something was read or written last."""
        return self._num_stored_bytes

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
            copy.file, entry.file = entry.file, None
            self._by_path[copy.file.path] = copy

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
        if source.file:
            self._know(source.tokens, [each.length for each in source.checkpoints], source)
        if entry.length and source.is_continued(entry.length):
            entry.replaces = source.file or source.replaces

    def refuse(self, source: Entry) -> None:
        """Give up an entry that came from disk and that llama.cpp did not take; nobody else is to try it."""
        if source.file is None:
            return
        self._disk.refuse(source.file)
        self._by_path.pop(source.file.path, None)
        source.file = None
        if source in self._host.entries:
            self.take(source)
            self.release(source.checkpoints)

    def recall(
        self, prompt: list[int], num_there: int, prefill_seconds: Callable[[int], float]
    ) -> Recall | Turn | None:
        """Have read what of a prompt is on disk, if that is quicker than computing it; None if it is not."""
        found = self._index.match(prompt, ON_DISK) if self._by_path else None
        if found is None or found.length < num_there + MIN_REUSE:
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
        recalled, written = self._disk.take_recalled(), self._disk.take_written()
        if recalled:
            self._note_recalled(*recalled)
        for each in written:
            self._note_written(each)
        if recalled or written:
            self._num_stored_bytes = self._count_stored()

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
            self._lose(entry)
        elif entry.indexed and entry.is_on_disk_only:
            entry.state, entry.checkpoints = saved.state, list(saved.checkpoints)
            self._move_down(self._host.pin(entry))

    def _note_written(self, written: Written) -> None:
        for path in written.deleted & self._by_path.keys():
            self._lose(self._by_path[path])
        entry, saved = written.entry, written.saved
        entry.file = written.file
        if entry.indexed:
            self._by_path[entry.file.path] = entry
        else:  # it has gone on, or memory has given it up
            entry = self._know(saved.tokens, [each.length for each in saved.checkpoints], entry)
        self._delete_before(entry)

    def _know(self, tokens: list[int], lengths: list[int], source: Entry) -> Entry:
        """Return an entry for the file of one that is gone from the memory."""
        checkpoints = [Checkpoint(length, None) for length in lengths]
        entry = Entry(tokens, file=source.file, replaces=source.replaces, checkpoints=checkpoints)
        entry.can_rewind = source.can_rewind
        known = self._by_path.get(entry.file.path)
        if known and known is not source:
            self._lose(known)
        self._by_path[entry.file.path] = entry
        self._index.add(entry, tokens)
        return entry

    def _delete_before(self, entry: Entry) -> None:
        """Delete the files that a new one makes superfluous: those of the same conversation, when it was shorter."""
        before = [
            other
            for other in self._index.prefixes(entry.tokens, ON_DISK)
            if entry.usable(other.length) * 2 >= other.length
        ]
        replaced = self._by_path.get(entry.replaces.path) if entry.replaces else None
        if replaced and replaced.is_on_disk_only and replaced not in before:
            before.append(replaced)
        entry.replaces = None
        for other in before:
            self._disk.delete(other.file)
            self._lose(other)

    def _count_stored(self) -> int:
        return sum(entry.file.num_bytes for entry in self._by_path.values())

    def _lose(self, entry: Entry) -> None:
        """Know no more of an entry's file, if it has one."""
        if entry.file is None:
            return
        self._by_path.pop(entry.file.path, None)
        entry.file = None
        if not entry.is_in_memory:
            self._index.remove(entry)
