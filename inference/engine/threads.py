"""How an engine's threads share the machine."""

import os


def choose_threads(cpu_count: int | None = None) -> int:
    """Return all the cores this process may use, half of them when they are many (hyper-threads)."""
    cores = cpu_count or available_cores()
    return cores if cores <= 4 else cores // 2


def available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
