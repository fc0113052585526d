"""How much memory there is for models, and how much they take."""

from collections.abc import Iterable
from dataclasses import dataclass

from inference.engine.footprint import Memory
from registry.formatting import human_bytes

__all__ = ["NOTHING", "Limit", "Memory", "shown", "total"]

NOTHING = Memory()


@dataclass(frozen=True)
class Limit:
    """What all models together may take. host None, and GPUs that are not listed: nobody knows of a limit."""

    host: int | None = None
    devices: tuple[int, ...] = ()

    def allows(self, size: Memory) -> bool:
        is_host_enough = self.host is None or size.host <= self.host
        return is_host_enough and all(used <= most for used, most in zip(size.devices, self.devices, strict=False))


def total(sizes: Iterable[Memory]) -> Memory:
    return sum(sizes, NOTHING)


def shown(size: Memory | Limit) -> str:
    """Return sizes as people read them: "7.5 GiB", with GPUs "7.5 GiB + 20.0 GiB on GPU 0"."""
    host = "any amount" if size.host is None else human_bytes(size.host)
    devices = [f"{human_bytes(each)} on GPU {number}" for number, each in enumerate(size.devices) if each]
    return " + ".join([host, *devices])
