"""What a loaded model takes of the memory, part by part."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import zip_longest


@dataclass(frozen=True)
class Memory:
    """host: bytes of main memory. devices: bytes of each GPU, in llama.cpp's order; missing ones are 0."""

    host: int = 0
    devices: tuple[int, ...] = ()

    def __add__(self, other: "Memory") -> "Memory":
        return Memory(self.host + other.host, tuple(a + b for a, b in self._pairs(other)))

    def __sub__(self, other: "Memory") -> "Memory":
        return Memory(self.host - other.host, tuple(a - b for a, b in self._pairs(other)))

    def at_least(self, other: "Memory") -> "Memory":
        """Return the larger number of each."""
        return Memory(max(self.host, other.host), tuple(max(pair) for pair in self._pairs(other)))

    def _pairs(self, other: "Memory") -> Iterable[tuple[int, int]]:
        return zip_longest(self.devices, other.devices, fillvalue=0)


@dataclass(frozen=True)
class Footprint:
    """The bytes that a configuration takes once its whole context is in use.

    process: Python, the libraries' own data, the vocabulary and llama.cpp's bookkeeping.
    weights: all of them, also where the file is mapped and the system could take pages back: without them no token
        is computed.
    kv_cache: the KV cache, and the states of recurrent layers. compute: intermediate results and the logits.
    adapters: LoRA adapters. draft: all of the draft model, but no process, since it has none of its own.
    host_cache_bytes: the budget for sequences that lost their cells. It fills with use only, and is in no sum but
        `most_host_bytes`.
    """

    process: int
    weights: Memory
    kv_cache: Memory
    compute: Memory
    adapters: Memory = field(default_factory=Memory)
    draft: Memory = field(default_factory=Memory)
    host_cache_bytes: int = 0

    @property
    def host_bytes(self) -> int:
        """Main memory, as long as nothing is in the host cache."""
        return self.process + self._sum.host

    @property
    def most_host_bytes(self) -> int:
        """Main memory with a full host cache."""
        return self.host_bytes + self.host_cache_bytes

    @property
    def device_bytes(self) -> tuple[int, ...]:
        """The memory of each GPU."""
        return self._sum.devices

    @property
    def memory(self) -> Memory:
        """All of it, as long as nothing is in the host cache."""
        return Memory(self.host_bytes, self.device_bytes)

    @property
    def _sum(self) -> Memory:
        return self.weights + self.kv_cache + self.compute + self.adapters + self.draft
