"""Showing how far a download is: a bar on a terminal, else a line every few seconds."""

import time
from collections.abc import Callable
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

from registry.formatting import human_bytes

SECONDS_BETWEEN_LINES = 5.0


class DownloadProgress(Protocol):
    """What a download reports to."""

    def start(self, done: int, total: int | None) -> None:
        """Begin, or begin again, with `done` of `total` bytes there (None: unknown)."""

    def advance(self, num_bytes: int) -> None:
        """Note that further bytes have arrived."""

    def say(self, message: str) -> None:
        """Show one line."""

    def check(self) -> None:
        """Called all the time while a file's sha256 is computed; like `advance`, it may raise to end the download."""

    def stop(self) -> None:
        """Show the last state; `start` may follow."""


def progress_for(stream: TextIO) -> DownloadProgress:
    """Return a bar if `stream` is a terminal, else plain lines."""
    return BarProgress(Console()) if stream.isatty() else LineProgress(stream.write)


class BarProgress:
    """A bar with bytes, speed and remaining time."""

    def __init__(self, console: Console) -> None:
        columns = (BarColumn(), DownloadColumn(binary_units=True), TransferSpeedColumn(), TimeRemainingColumn())
        self.progress = Progress(*columns, console=console)
        self.task = self.progress.add_task("download", start=False)

    def start(self, done: int, total: int | None) -> None:
        """Show the bar at `done`."""
        self.progress.reset(self.task, total=total, completed=done)
        self.progress.start()

    def advance(self, num_bytes: int) -> None:
        """Move the bar."""
        self.progress.advance(self.task, num_bytes)

    def say(self, message: str) -> None:
        """Print a line above the bar."""
        self.progress.console.print(message, markup=False, highlight=False, soft_wrap=True)

    def check(self) -> None:
        """Show nothing."""

    def stop(self) -> None:
        """Leave the bar as it is."""
        self.progress.stop()


class LineProgress:
    """Plain lines for log files, at most one every few seconds."""

    def __init__(self, write: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> None:
        self.write, self.clock = write, clock
        self.done, self.total = 0, None
        self.first_done, self.started_at, self.next_line_at = 0, 0.0, 0.0

    def start(self, done: int, total: int | None) -> None:
        """Note where it begins."""
        self.done, self.total = done, total
        self.first_done, self.started_at = done, self.clock()
        self.next_line_at = self.started_at + SECONDS_BETWEEN_LINES

    def advance(self, num_bytes: int) -> None:
        """Count, and print a line when one is due."""
        self.done += num_bytes
        if self.clock() >= self.next_line_at:
            self.next_line_at = self.clock() + SECONDS_BETWEEN_LINES
            self.say(self._line())

    def say(self, message: str) -> None:
        """Print a line."""
        self.write(f"{message}\n")

    def check(self) -> None:
        """Print nothing."""

    def stop(self) -> None:
        """Print the last line."""
        self.say(self._line())

    def _line(self) -> str:
        speed = (self.done - self.first_done) / max(self.clock() - self.started_at, 0.001)
        line = f"{human_bytes(self.done)}, {human_bytes(speed)}/s"
        if not self.total:
            return line
        remaining = f", {(self.total - self.done) / speed:.0f} s left" if speed and self.done < self.total else ""
        return f"{self.done * 100 // self.total} % of {human_bytes(self.total)}: {line}{remaining}"
