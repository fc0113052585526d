"""How far a download of the admin is, and the way to end it."""

import threading
import time
from collections.abc import Callable

SPEED_WINDOW = 5.0  # seconds over which the speed is measured


class Stopped(Exception):
    """Somebody has paused or cancelled the download."""


class JobProgress:
    """What the files of a job report to, one after the other, from its thread; it is read from any.

    total: bytes of all files, None while that is not known. done: bytes of them that are there. note: what it does
    beside receiving, for people.
    """

    def __init__(self, total: int | None, num_files: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self.total, self.clock = total, clock
        self.done, self.note = 0, ""
        self._num_files = num_files
        self._before = 0  # bytes of the files that are complete
        self._stop = threading.Event()
        self._measured: int | None = None
        self._begin_window()

    @property
    def speed(self) -> int | None:
        """Bytes a second, None while nobody can tell."""
        if self._measured is not None:
            return self._measured
        elapsed = self.clock() - self._window_at
        return int(self._in_window / elapsed) if elapsed >= 1 else None

    def end(self) -> None:
        """Let the next sign of life raise Stopped."""
        self._stop.set()

    def begin_file(self, before: int, num_bytes: int) -> None:
        """Say that the files before have `before` bytes, and that `num_bytes` of this one are there."""
        self._before, self.done = before, before + num_bytes
        self.check()

    def start(self, done: int, total: int | None) -> None:
        """Begin a file, or begin it again."""
        self.done, self.note = self._before + done, ""
        if self._num_files == 1 and total is not None:
            self.total = total
        self._forget_speed()
        self.check()

    def advance(self, num_bytes: int) -> None:
        """Count; raise Stopped if it is to end."""
        self.check()
        self.done += num_bytes
        self._in_window += num_bytes
        elapsed = self.clock() - self._window_at
        if elapsed >= SPEED_WINDOW:
            self._measured = int(self._in_window / elapsed)
            self._begin_window()

    def say(self, message: str) -> None:
        """Keep what it does now."""
        self.note = message

    def check(self) -> None:
        """Raise Stopped if it is to end."""
        if self._stop.is_set():
            raise Stopped

    def stop(self) -> None:
        """Note that nothing comes for now."""
        self._forget_speed()

    def wait(self, seconds: float) -> None:
        """Wait before another attempt; raise Stopped as soon as it is to end."""
        self._stop.wait(seconds)
        self.check()

    def _forget_speed(self) -> None:
        self._measured = None
        self._begin_window()

    def _begin_window(self) -> None:
        self._window_at, self._in_window = self.clock(), 0
