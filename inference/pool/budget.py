"""How much memory all models together may take."""

import os
from collections.abc import Callable
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Budget:
    """The operator's limits. host None: a share of what is available and what the models have taken, at the moment.

    devices: bytes for each GPU; GPUs that are not listed may be filled. available: bytes of main memory that could be
    had now, None if the system does not say.
    """

    host: int | None = None
    devices: tuple[int, ...] = ()
    available: Callable[[], int | None] = available_memory

    def limit(self, taken: int) -> Limit:
        """Return the limit while so much of the main memory is not available because of the models."""
        if self.host is not None:
            return Limit(self.host, self.devices)
        available = self.available()
        return Limit(None if available is None else int(AUTO_SHARE * (available + taken)), self.devices)
