"""How much memory all models together may take."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from inference.memory import Limit

AUTO_SHARE = 0.9  # of what is free; the rest is for the web process, the database and the page cache
MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")


def available_memory(meminfo: Path = MEMINFO, cgroup: Path = CGROUP) -> int | None:
    """Return the bytes of main memory that new processes could get; a container's limit counts, too."""
    found = [size for size in (_available(meminfo), _left_in_container(cgroup)) if size is not None]
    return min(found, default=_physical_memory())


def _available(meminfo: Path) -> int | None:
    """Read MemAvailable (https://docs.kernel.org/filesystems/proc.html#meminfo), which is in KiB."""
    try:
        lines = meminfo.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def _left_in_container(cgroup: Path) -> int | None:
    """Return what a control group (version 2) has left; cached file pages can be taken back and count as free."""
    try:
        most, current = int((cgroup / "memory.max").read_text()), int((cgroup / "memory.current").read_text())
        stat = dict(line.split() for line in (cgroup / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # there is none, or the limit is "max"
        return None
    return max(0, most - current + int(stat.get("active_file", 0)) + int(stat.get("inactive_file", 0)))


def _physical_memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


async def no_gpus() -> tuple[int, ...]:
    """Say that there are no GPUs."""
    return ()


@dataclass(frozen=True)
class Budget:
    """The operator's limits. None, and GPUs beyond those listed: a share of what is available and what the models have.

    available: bytes of main memory that could be had now, None if the system does not say. free_devices: the same for
    each GPU.
    """

    host: int | None = None
    devices: tuple[int, ...] = ()
    available: Callable[[], int | None] = available_memory
    free_devices: Callable[[], Awaitable[tuple[int, ...] | None]] = no_gpus

    def limit(self, taken: int, found: tuple[int, ...] = ()) -> Limit:
        """Return the limit while so much of the main memory is not available because of the models.

        found: what the models could have of each GPU.
        """
        devices = self.devices + tuple(int(AUTO_SHARE * size) for size in found[len(self.devices) :])
        if self.host is not None:
            return Limit(self.host, devices)
        available = self.available()
        return Limit(None if available is None else int(AUTO_SHARE * (available + taken)), devices)


class GPUs:
    """What the models could have of each GPU, as of the last look.

    Looking takes a process. There is none where there are no GPUs, nor for those that the operator has given a limit.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._count: int | None = None
        self.found: tuple[int, ...] = ()

    async def look(self, taken: tuple[int, ...]) -> None:
        """Ask how much is free beside what loaded models have taken; keep what is known if nobody can say."""
        if self._count is not None and self._count <= len(self._budget.devices):
            return
        free = await self._budget.free_devices()
        if free is not None:
            self._count = len(free)
            self.found = tuple(a + b for a, b in zip_longest(free, taken[: len(free)], fillvalue=0))
