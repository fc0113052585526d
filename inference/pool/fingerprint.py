"""What tells two ways to run a model apart."""

import hashlib
from pathlib import Path

from inference.engine.config import EngineConfig


def file_stamp(path: str) -> tuple[int, int] | None:
    """Return what changes when a file does: its size and its time of change; None if there is none."""
    try:
        stat = Path(path).stat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns


def fingerprint(config: EngineConfig) -> str:
    """Return a hash of a configuration and its file, 64 characters."""
    return hashlib.sha256(repr((config, file_stamp(config.model_path))).encode()).hexdigest()
