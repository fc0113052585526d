"""Whether the machine was quiet: the processor time that neither this process nor what it has started used."""

import os
import time
from contextlib import suppress
from pathlib import Path

from inference.bench.memory import descendants

TICKS = os.sysconf("SC_CLK_TCK")  # per second, in /proc
BUSY = slice(1, None)  # the fields of a line of /proc/stat after its name
IDLE, IOWAIT, GUEST = 3, 4, 8  # guest time is part of user time (man 5 proc_stat)


class NeighbourMeter:
    """Measures from one `lap` to the next, in cores: 1.0 is a core that others kept busy all the time."""

    def __init__(self) -> None:
        self._last = _readings()

    def lap(self) -> float | None:
        """Return what others used since the last lap; None where there is no /proc."""
        before, self._last = self._last, _readings()
        if before is None or self._last is None:
            return None
        seconds, busy, own = (after - earlier for after, earlier in zip(self._last, before, strict=True))
        most = os.cpu_count() * seconds  # the kernel counts in ticks, many of which may fall into a short lap
        return min(max(busy - own, 0.0), most) / seconds if seconds else 0.0


def _readings() -> tuple[float, float, float] | None:
    """Return the clock, the busy seconds of all cores, and those of our own processes."""
    try:
        fields = [int(text) for text in Path("/proc/stat").read_text().splitlines()[0].split()[BUSY]]
    except OSError:
        return None
    busy = sum(fields[:GUEST]) - fields[IDLE] - fields[IOWAIT]
    own = sum(map(processor_seconds, (os.getpid(), *descendants(os.getpid()))))
    return time.monotonic(), busy / TICKS, own


def processor_seconds(pid: int) -> float:
    """Return how long a process has computed; 0 if there is none (any more)."""
    with suppress(OSError):
        # utime and stime, the 14th and 15th field; the second one is a name in parentheses (man 5 proc_pid_stat)
        return sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13])) / TICKS
    return 0.0
