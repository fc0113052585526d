"""The secret that signs sessions: made once, kept in a file that only the owner can read."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from django.core.management.utils import get_random_secret_key

from llmsite.yaml_file import ConfigError


def read_or_create_secret_key(path: Path) -> str:
    """Return the key in `path`, writing a fresh one with mode 0600 if there is none.

    Raises ConfigError if the file can neither be read nor made.
    """
    try:
        if not path.exists():
            _create(path)
        key = path.read_text().strip()
    except OSError as error:
        raise ConfigError(
            f"server.data_dir: the secret key cannot be kept in {path}: {error.strerror}. "
            "Name a folder that can be written to, or give server.secret_key."
        ) from error
    if not key:
        raise ConfigError(f"The secret key's file {path} is empty: delete it, and the next start makes a new one.")
    return key


def _create(path: Path) -> None:
    """Write a key and then give the file its name: of two processes that start at once, both read the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")  # it has mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(get_random_secret_key())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        Path(draft).unlink()
