"""All models that are in memory, or on their way in or out."""

from collections.abc import Iterator

from inference.memory import Memory, total
from inference.pool.resident import Resident


class Residents:
    """By key those that take requests, and apart those that are leaving, whose memory counts until they are gone."""

    def __init__(self) -> None:
        self.by_key: dict[int, Resident] = {}
        self.leaving: set[Resident] = set()

    def __iter__(self) -> Iterator[Resident]:
        return iter([*self.by_key.values(), *self.leaving])

    def has(self, resident: Resident) -> bool:
        """Say whether this very one still takes requests."""
        return self.by_key.get(resident.spec.key) is resident

    def remove(self, resident: Resident) -> None:
        if self.has(resident):
            del self.by_key[resident.spec.key]

    @property
    def used(self) -> Memory:
        """What all of them take."""
        return total(resident.memory for resident in self)

    @property
    def loaded(self) -> Memory:
        """What those take that have an engine."""
        return total(resident.memory for resident in self if resident.engine)

    @property
    def taken(self) -> int:
        """Bytes of main memory that the system does not count as available because of them."""
        return sum(resident.taken for resident in self)

    @property
    def num_queued(self) -> int:
        """Requests that wait for a model to be loaded."""
        return sum(resident.num_queued for resident in self.by_key.values())

    @property
    def waiting(self) -> list[Resident]:
        """Those that wait for memory, in their order."""
        return [each for each in self.by_key.values() if each.state == "waiting"]

    @property
    def movable(self) -> list[Resident]:
        """The loaded ones that may be unloaded at all."""
        return [each for each in self.by_key.values() if each.engine and not each.spec.pinned]

    @property
    def idle(self) -> list[Resident]:
        """Those of them that nobody waits for."""
        return [each for each in self.movable if not each.is_busy]

    def pinned_beside(self, key: int) -> list[Resident]:
        return [each for each in self.by_key.values() if each.spec.pinned and each.spec.key != key]
