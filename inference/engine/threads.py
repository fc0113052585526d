"""How an engine's threads share the machine."""

import os
from collections.abc import MutableMapping

# OpenMP's threads spin at their barriers before they sleep. With libgomp's default and a busy neighbour, a thread that
# has its core spins away the time in which the other could run: 0.9 tokens/s instead of 28 (README, "Performance").
SPIN_COUNT = "1000"


def choose_threads(cpu_count: int | None = None) -> int:
    """Return all the cores this process may use, half of them when they are many (hyper-threads)."""
    cores = cpu_count or available_cores()
    return cores if cores <= 4 else cores // 2


def limit_spinning(environment: MutableMapping[str, str]) -> None:
    """Set libgomp's GOMP_SPINCOUNT unless the operator has; it is read when the library is loaded."""
    environment.setdefault("GOMP_SPINCOUNT", SPIN_COUNT)


def available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
