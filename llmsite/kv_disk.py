"""The folder in which conversations outlive their engines."""

from pathlib import Path
from tempfile import TemporaryFile

from llmsite.yaml_file import ConfigError


def prepare_kv_disk(directory: str) -> None:
    """Make the folder, for its owner only, unless it is there; raise ConfigError if nothing can be written to it."""
    try:
        Path(directory).mkdir(0o700, parents=True, exist_ok=True)
        with TemporaryFile(dir=directory) as probe:
            probe.write(b"0")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"kv_disk.directory: {directory!r} cannot keep conversations: {reason}") from error
