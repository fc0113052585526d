"""What this process may use of the machine, and what one does use."""

import os
from pathlib import Path

from inference.engine.threads import available_cores

# The limit of a container: control groups of version 2, and of version 1.
MEMORY_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))

__all__ = ["anonymous_memory", "available_cores", "available_memory"]


def available_memory(limits: tuple[Path, ...] = MEMORY_LIMITS) -> int:
    """Return the bytes of memory that the machine or the container has, 0 if the system does not say."""
    found = [_physical_memory(), *map(_limit, limits)]
    return min((size for size in found if size), default=0)


def anonymous_memory(pid: int) -> int | None:
    """Return the bytes that a process has asked for and touched: no files that it has mapped, no code.

    None where there is no such process, or no /proc. The kernel counts them all the time (`RssAnon` and `VmSwap`,
    https://docs.kernel.org/filesystems/proc.html), so that to read them takes no longer for a large process.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("RssAnon:", "VmSwap:")))


def _physical_memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def _limit(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # there is none, or it is "max"
        return 0
