"""Bytes of main memory and of each GPU."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest

GIB = 2**30


@dataclass(frozen=True)
class Memory:
    """host: bytes of main memory. devices: bytes of each GPU, in llama.cpp's order; missing ones are 0."""

    host: int = 0
    devices: tuple[int, ...] = ()

    def __add__(self, other: "Memory") -> "Memory":
        return Memory(self.host + other.host, tuple(a + b for a, b in self._pairs(other)))

    def __sub__(self, other: "Memory") -> "Memory":
        return Memory(self.host - other.host, tuple(a - b for a, b in self._pairs(other)))

    def fits(self, limit: "Limit") -> bool:
        """Say whether this is within a limit."""
        is_host_enough = limit.host is None or self.host <= limit.host
        return is_host_enough and all(size <= most for size, most in zip(self.devices, limit.devices, strict=False))

    def at_least(self, other: "Memory") -> "Memory":
        """Return the larger number of each."""
        return Memory(max(self.host, other.host), tuple(max(pair) for pair in self._pairs(other)))

    def _pairs(self, other: "Memory") -> Iterable[tuple[int, int]]:
        return zip_longest(self.devices, other.devices, fillvalue=0)


NOTHING = Memory()


@dataclass(frozen=True)
class Limit:
    """What all models together may take. host None, and GPUs beyond those listed: as much as there is."""

    host: int | None = None
    devices: tuple[int, ...] = ()


def total(sizes: Iterable[Memory]) -> Memory:
    return sum(sizes, NOTHING)


def shown(size: Memory | Limit) -> str:
    """Return sizes as people read them: "7.5 GiB", with GPUs "7.5 GiB + 20.0 GiB on GPU 0"."""
    host = "any amount" if size.host is None else f"{size.host / GIB:.1f} GiB"
    devices = [f"{each / GIB:.1f} GiB on GPU {number}" for number, each in enumerate(size.devices) if each]
    return " + ".join([host, *devices])
