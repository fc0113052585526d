"""How much memory the processes of a server use, as Linux tells it in /proc."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

WORKER = "inference.engine.worker"
WEB = "manage.py"
FIELDS = ("Rss", "Pss", "Anonymous")


@dataclass(frozen=True)
class ProcessMemory:
    """One process, in bytes.

    rss counts every page that is mapped, the model's file included; of pages that several processes map, pss counts a
    share; anonymous leaves files out: it is what the process itself has asked for.
    """

    process: str
    rss: int
    pss: int
    anonymous: int


def memory_of(pid: int) -> list[ProcessMemory]:
    """Return the process and all that descend from it; empty where there is no such process, or no /proc."""
    found = []
    for process in (pid, *descendants(pid)):
        with suppress(OSError, KeyError):  # it may end while we look
            found.append(_memory(process))
    return found


def descendants(pid: int) -> list[int]:
    children = []
    with suppress(OSError):
        for task in list(Path(f"/proc/{pid}/task").glob("*/children")):
            children += map(int, task.read_text().split())
    return [each for child in children for each in (child, *descendants(child))]


def _memory(pid: int) -> ProcessMemory:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kibibytes = {name: int(value.split()[0]) for name, _, value in (line.partition(":") for line in lines)}
    return ProcessMemory(_name(pid), *(kibibytes[field] * 1024 for field in FIELDS))


def _name(pid: int) -> str:
    arguments = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    if WORKER in arguments:
        return "worker"
    return "web process" if WEB in arguments else Path(arguments[0]).name
