"""How long OpenMP's threads spin at their barriers before they sleep.

To spin is the fastest way to wait for a thread that computes, and a waste if that one waits for a core that this one
keeps from it: beside the web process and its clients long spinning makes eight streams faster, by a tenth or so, beside
a program that keeps a core busy it halves their speed (docs/performance.md, "Beside a busy neighbour"). So the threads
spin long until the kernel says that they wait for cores.

libgomp reads GOMP_SPINCOUNT once, but it also hardly spins while it has more threads than there are cores
(https://gcc.gnu.org/onlinedocs/libgomp/GOMP_005fSPINCOUNT.html). Threads that only sleep count, and can come and go.
"""

import ctypes
import os
import re
import threading
import time
from collections.abc import Callable, MutableMapping
from pathlib import Path

from inference.engine.threads import available_cores

VARIABLE = "GOMP_SPINCOUNT"
LONG = "1000000"  # some 10 ms; a step of a small model takes as long
SHORT = "1000"  # for systems that do not say who waits for a core
WINDOW = 0.5  # seconds of work from one look to the next
CROWDED, FREE = 0.35, 0.2  # cores that the threads wait for; the web process and clients make it some 0.1, at most 0.22
CALM_WINDOWS = 4  # after which the neighbour is gone
TASKS = Path("/proc/self/task")
LIBGOMP = re.compile(r"/.*/libgomp[^/]*\.so[.\d]*")
NANO = 1e-9


def choose_spinning(environment: MutableMapping[str, str], tasks: Path = TASKS) -> None:
    """Set libgomp's GOMP_SPINCOUNT unless the operator has; it is read when the library is loaded."""
    environment.setdefault(VARIABLE, SHORT if seconds_waited(tasks) is None else LONG)


def seconds_waited(tasks: Path = TASKS) -> float | None:
    """Return how long this process's threads have waited for a core in all; None if the system does not say.

    Linux does in the second number of `schedstat` (https://docs.kernel.org/scheduler/sched-stats.html).
    """
    waited = None
    for task in tasks.glob("*/schedstat"):
        try:
            waited = (waited or 0) + int(task.read_text().split()[1])
        except (OSError, ValueError, IndexError):  # the thread has just ended, or the kernel keeps no such figures
            continue
    return None if waited is None else waited * NANO


class Crowd:
    """More OpenMP threads than there are cores, all asleep. library: the libgomp that computes."""

    def __init__(self, library: str, cores: int | None = None) -> None:
        self._library = ctypes.CDLL(library)
        self._count = (cores or available_cores()) + 1
        # They have to do something once: a function that takes and changes nothing.
        self._nothing = ctypes.cast(ctypes.CDLL(None).getpid, ctypes.c_void_p)
        self._leave: threading.Event | None = None

    @property
    def is_there(self) -> bool:
        return self._leave is not None

    def gather(self) -> None:
        """Start the threads, unless they are there."""
        if self._leave is None:
            self._leave = threading.Event()
            threading.Thread(target=self._hold, args=(self._leave,), daemon=True).start()

    def disperse(self) -> None:
        """End the threads; libgomp does with the thread that has started them."""
        if self._leave is not None:
            self._leave.set()
            self._leave = None

    def _hold(self, leave: threading.Event) -> None:
        self._library.GOMP_parallel(self._nothing, None, self._count, 0)
        leave.wait()


class Spinning:
    """Gathers the crowd when the process's threads wait for cores, and disperses it when they do no more.

    crowd: None leaves them as they are.
    """

    def __init__(
        self,
        crowd: Crowd | None,
        waited: Callable[[], float | None] = seconds_waited,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._crowd = crowd
        self._waited = waited
        self._clock = clock
        self._since: float | None = None
        self._before = 0.0
        self._calm = 0

    @property
    def minds_neighbours(self) -> bool:
        return self._crowd is not None

    def worked(self) -> None:
        """Look, from time to time, at what the last steps waited for. To be called after each step."""
        if self._crowd is None:
            return
        now = self._clock()
        if self._since is None:
            self._since, self._before = now, self._waited() or 0.0
        elif now - self._since >= WINDOW:
            waited = self._waited() or 0.0
            self._decide((waited - self._before) / (now - self._since))
            self._since, self._before = now, waited

    def rested(self) -> None:
        """Begin anew with the next step: while there is no work, nobody waits for cores."""
        self._since = None

    def _decide(self, cores: float) -> None:
        self._calm = self._calm + 1 if cores < FREE else 0
        if cores >= CROWDED:
            self._crowd.gather()
        elif self._calm >= CALM_WINDOWS:
            self._crowd.disperse()


def new_spinning(environment: MutableMapping[str, str] = os.environ) -> Spinning:
    """Return what minds the neighbours, unless the operator has decided, or another OpenMP computes.

    To be called when llama.cpp is loaded.
    """
    library = loaded_libgomp()
    return Spinning(Crowd(library) if library and environment.get(VARIABLE) == LONG else None)


def loaded_libgomp(maps: Path = Path("/proc/self/maps")) -> str | None:
    """Return the path of the libgomp that this process has loaded; wheels may bring their own."""
    try:
        lines = maps.read_text().splitlines()
    except OSError:
        return None
    paths = (line.split(maxsplit=5)[-1] for line in lines)  # the sixth field (man 5 proc_pid_maps)
    return next((path for path in paths if LIBGOMP.fullmatch(path)), None)
