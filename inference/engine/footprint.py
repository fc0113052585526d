"""What a loaded model takes of the memory, part by part."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Part:
    """Bytes in main memory, and on each GPU in llama.cpp's order; () where none is used."""

    host: int = 0
    devices: tuple[int, ...] = ()

    def __add__(self, other: "Part") -> "Part":
        longest = max(len(self.devices), len(other.devices))
        ours, theirs = (part.devices + (0,) * (longest - len(part.devices)) for part in (self, other))
        return Part(self.host + other.host, tuple(map(sum, zip(ours, theirs, strict=True))))


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
    weights: Part
    kv_cache: Part
    compute: Part
    adapters: Part = field(default_factory=Part)
    draft: Part = field(default_factory=Part)
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
    def _sum(self) -> Part:
        return self.weights + self.kv_cache + self.compute + self.adapters + self.draft
