"""The memory beside the KV cache: states of sequences that have lost their slots, and checkpoints."""

from inference.engine.entry import Entry, num_bytes_of


class HostTier:
    """Counts bytes and says who has to go when they become more than `budget`.

    What goes first is chosen by use and age (LFU with dynamic ageing): every use lifts an entry, and so does being
    newer than what went before. A title that is never asked for again leaves before a conversation that came back.
    `pinned` is what a sequence waits for; it stays, even beyond the budget.
    """

    def __init__(self, budget: int) -> None:
        self.num_bytes = 0
        self._budget = budget
        self.pinned: Entry | None = None
        self._entries: list[Entry] = []
        self._age = 0

    def make_room(self, num_bytes: int, keep: Entry | None = None) -> list[Entry] | None:
        """Take out entries, but not `keep`, until `num_bytes` more fit; return them.

        None, with nothing changed, if they cannot fit.
        """
        evictable = [entry for entry in self._entries if entry is not keep and entry is not self.pinned]
        if self.num_bytes - sum(entry.num_bytes for entry in evictable) + num_bytes > self._budget:
            return None
        return self._evict(evictable, num_bytes)

    def pin(self, entry: Entry) -> list[Entry]:
        """Add an entry that was read for a sequence, which is certain to find it; return what had to go for it."""
        self.pinned = entry
        evictable = list(self._entries)
        self.hold(num_bytes_of(entry.checkpoints))
        self.add(entry)
        return self._evict(evictable, 0)

    def unpin(self) -> list[Entry]:
        """Let the pinned entry go like any other; return what goes now."""
        self.pinned = None
        return self._evict(list(self._entries), 0)

    def _evict(self, evictable: list[Entry], num_bytes: int) -> list[Entry]:
        evicted = []
        while evictable and self.num_bytes + num_bytes > self._budget:
            victim = min(evictable, key=lambda entry: (entry.priority, entry.last_used))
            evictable.remove(victim)
            self._age = victim.priority
            self.remove(victim)
            self.release(victim.num_bytes - victim.state.nbytes)
            evicted.append(victim)
        return evicted

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(self._entries)

    def add(self, entry: Entry) -> None:
        """Keep an entry with a state, whose checkpoints are held already."""
        self._entries.append(entry)
        self.hold(entry.state.nbytes)
        self.touch(entry)

    def remove(self, entry: Entry) -> None:
        """Give up an entry; its checkpoints stay held."""
        self._entries.remove(entry)
        self.release(entry.state.nbytes)

    def touch(self, entry: Entry) -> None:
        """Note that an entry has been of use."""
        entry.priority = self._age + 1 + entry.num_uses

    def hold(self, num_bytes: int) -> None:
        self.num_bytes += num_bytes

    def release(self, num_bytes: int) -> None:
        self.num_bytes -= num_bytes
