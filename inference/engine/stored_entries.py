"""The entries that have files, kept in step with the prefix index: what is on disk is found as long as it is there."""

from pathlib import Path

from inference.engine.disk_tier import DiskTier, Written
from inference.engine.entry import Checkpoint, Entry
from inference.engine.prefix_index import ON_DISK, PrefixIndex


class StoredEntries:
    """Each file belongs to one entry, that in memory if there is one."""

    def __init__(self, index: PrefixIndex, disk: DiskTier, can_rewind: bool) -> None:
        self._index = index
        self._disk = disk
        self._can_rewind = can_rewind
        self._by_path: dict[Path, Entry] = {}
        self.num_bytes = 0
        self.find()

    def __len__(self) -> int:
        return len(self._by_path)

    def find(self) -> None:
        """Take up files that were there before, or that another worker has written."""
        for entry in self._disk.find(self._by_path, self._can_rewind):
            self.add(entry)
            self._index.add(entry, entry.tokens)

    def add(self, entry: Entry) -> None:
        """Note that an entry has a file, which no other one has any more."""
        path = entry.file.path
        known = self._by_path.get(path)
        if known is not entry:
            if known:
                self.lose(known)
            self._by_path[path] = entry
            self.num_bytes += entry.file.num_bytes

    def lose(self, entry: Entry) -> None:
        """Know no more of an entry's file, if it has one."""
        if entry.file is None:
            return
        if self._by_path.pop(entry.file.path, None):
            self.num_bytes -= entry.file.num_bytes
        entry.file = None
        if not entry.is_in_memory:
            self._index.remove(entry)

    def leave(self, tokens: list[int], checkpoints: list[Checkpoint], source: Entry) -> Entry:
        """Return a new entry for the file of `source`, which is gone from the memory."""
        lengths = [Checkpoint(each.length, None) for each in checkpoints]
        entry = Entry(tokens, file=source.file, can_rewind=self._can_rewind, checkpoints=lengths)
        entry.replaces = source.replaces
        self.add(entry)
        self._index.add(entry, tokens)
        return entry

    def note_written(self, written: Written) -> None:
        """Take note of a new file, of those that had to go for it, and delete those that it makes superfluous."""
        for path in written.deleted & self._by_path.keys():
            self.lose(self._by_path[path])
        entry, saved = written.entry, written.saved
        entry.file = written.file
        if entry.indexed:
            self.add(entry)
        else:  # it has gone on, or memory has given it up
            entry = self.leave(saved.tokens, list(saved.checkpoints), entry)
        for other in self._earlier(entry):
            self._disk.delete(other.file)
            self.lose(other)

    def _earlier(self, entry: Entry) -> list[Entry]:
        """Return the entries on disk of the same conversation, when it was shorter."""
        earlier = [
            other
            for other in self._index.prefixes(entry.tokens, ON_DISK)
            if entry.usable(other.length) * 2 >= other.length
        ]
        replaced = self._by_path.get(entry.replaces.path) if entry.replaces else None
        if replaced and replaced.is_on_disk_only and replaced not in (entry, *earlier):
            earlier.append(replaced)
        entry.replaces = None
        return earlier
