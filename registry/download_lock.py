"""Keeps two downloads, of this process or another one, from writing to the same file."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from registry.download_sources import DownloadError


@contextmanager
def held(target: Path) -> Iterator[None]:
    """Hold the only right to download to `target`; raise DownloadError if somebody else has it.

    The right ends with the process, however that ends.
    """
    path = target.with_name(f"{target.name}.partial.lock")
    descriptor = _acquire(path, target)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)  # before it is given up: after that it may be somebody else's
        os.close(descriptor)


def _acquire(path: Path, target: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise DownloadError(f"{target} is being downloaded already; wait for that, or end it.") from None
        if _is_still(path, descriptor):
            return descriptor
        os.close(descriptor)  # who held it has deleted it meanwhile


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False
