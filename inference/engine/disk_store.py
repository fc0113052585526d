"""The directory of saved sequences: what is in it, who goes first, and that only whole files are ever found there.

`<directory>/<fingerprint>/<hash of the tokens>.kv`. Several workers may share a directory: a file gets its name when it
is complete, equal sequences have equal names, and what another one has deleted counts as never written.
"""

import os
import re
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

import numpy as np

from inference.engine.entry import Stored
from inference.engine.state_file import Header, Saved, StateFileError, read_header, read_states, write_state

FOLDER_NAME, FILE_NAME = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{32}\.kv")
TEMPORARY_NAME = re.compile(r"\.[0-9a-f]{32}\.\d+\.tmp")
ABANDONED = 300.0  # seconds after which a temporary file that has not grown is a dead process's


@dataclass(frozen=True)
class _File:
    path: Path
    num_bytes: int
    used_at: float


def create_private(path: Path) -> BinaryIO:
    """Open a new file that only its owner may read: it holds a conversation."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


class DiskStore:
    """The files of one fingerprint (16 bytes). Those of all fingerprints together keep to `max_bytes`.

    warn: takes one line for the log. clock: seconds since the epoch, as files have them.
    """

    def __init__(
        self,
        directory: Path,
        fingerprint: bytes,
        max_bytes: int,
        warn: Callable[[str], None],
        create: Callable[[Path], BinaryIO] = create_private,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.max_bytes = max_bytes
        self._directory = directory
        self._folder = directory / fingerprint.hex()
        self._fingerprint = fingerprint
        self._warn = warn
        self._create = create
        self._clock = clock
        self._ignored: set[Path] = set()
        self._changed_at: int | None = None

    def has_changed(self) -> bool:
        """Say whether files may have come or gone since this was asked last."""
        try:
            changed_at = self._folder.stat().st_mtime_ns
        except OSError:  # it is not there
            changed_at = None
        before, self._changed_at = self._changed_at, changed_at
        return changed_at != before

    def scan(self, known: Collection[Path] = ()) -> Iterator[tuple[Stored, Header]]:
        """Yield what is there for this fingerprint and not known yet.

        What cannot be used is reported once, and deleted if it is damaged.
        """
        for file in _files(self._folder, FILE_NAME):
            if file.path in known or file.path in self._ignored:
                continue
            try:
                yield Stored(file.path, file.num_bytes), self._open(file.path, _header_only)
            except (OSError, StateFileError) as error:
                self.reject(file.path, error)

    def read(self, stored: Stored, go_on: Callable[[], bool]) -> Saved:
        """Read a file, which counts as used now. Raises OSError, StateFileError, and Stopped if `go_on` says no."""
        saved = self._open(stored.path, lambda file, header: read_states(file, header, go_on))
        with suppress(OSError):
            self._touch(stored.path)
        return saved

    def write(self, saved: Saved, go_on: Callable[[], bool]) -> tuple[Stored, set[Path]]:
        """Write a file; return it, and those that had to go for it. Raises OSError, and Stopped if `go_on` says no."""
        for folder in (self._directory, self._folder):
            folder.mkdir(0o700, parents=True, exist_ok=True)
        deleted = self._trim(self.max_bytes - saved.num_bytes)
        path = self._folder / f"{_name(saved.tokens)}.kv"
        temporary = self._folder / f".{path.stem}.{os.getpid()}.tmp"
        try:
            with self._create(temporary) as file:
                write_state(file, self._fingerprint, saved, go_on)
            self._touch(temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        deleted |= self._trim(self.max_bytes)
        return Stored(path, saved.num_bytes), deleted - {path}

    def ignore(self, path: Path) -> None:
        """Leave a file out of what `scan` finds."""
        self._ignored.add(path)

    def delete(self, path: Path) -> None:
        with suppress(OSError):
            path.unlink()

    def reject(self, path: Path, error: Exception) -> None:
        """Say why a file is not used; delete it if it is damaged."""
        self._warn(f"the saved conversation {path} is not used: {error}")
        if isinstance(error, StateFileError):
            self.delete(path)
        else:
            self.ignore(path)

    def _open(self, path: Path, read: Callable[[BinaryIO, Header], Saved | Header]) -> Saved | Header:
        """Return what `read` makes of a file behind its header."""
        with path.open("rb") as file:
            header = read_header(file, self._fingerprint, os.fstat(file.fileno()).st_size)
            if _name(header.tokens) != path.stem:
                raise StateFileError("it is not the sequence that its name says")
            return read(file, header)

    def _touch(self, path: Path) -> None:
        """Note in the file's own time that it is used now."""
        now = self._clock()
        os.utime(path, (now, now))

    def _trim(self, max_bytes: int) -> set[Path]:
        """Delete what was not used for the longest time until the rest keeps to `max_bytes`; return what went."""
        folders = [folder for folder in _entries(self._directory) if FOLDER_NAME.fullmatch(folder.name)]
        files = [file for folder in folders for file in _files(folder.path, FILE_NAME)]
        total = sum(file.num_bytes for file in files) + self._clean(folders)
        deleted = set()
        for file in sorted(files, key=lambda file: file.used_at):
            if total <= max_bytes:
                break
            self.delete(file.path)
            deleted.add(file.path)
            total -= file.num_bytes
        return deleted

    def _clean(self, folders: "list[os.DirEntry[str]]") -> int:
        """Delete what dead processes have left; return the bytes of the files that are being written."""
        total = 0
        for folder in folders:
            for file in _files(folder.path, TEMPORARY_NAME):
                if self._clock() - file.used_at > ABANDONED:
                    self.delete(file.path)
                else:
                    total += file.num_bytes
            if folder.path != str(self._folder):
                with suppress(OSError):  # not empty
                    Path(folder.path).rmdir()
        return total


def _header_only(_file: BinaryIO, header: Header) -> Header:
    return header


def _name(tokens: list[int]) -> str:
    return blake2b(np.array(tokens, "<i4").tobytes(), digest_size=16).hexdigest()


def _entries(folder: Path | str) -> "list[os.DirEntry[str]]":
    """Return what is in a folder; nothing if it is not there."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _files(folder: Path | str, name: re.Pattern[str]) -> Iterator[_File]:
    """Yield the files that are called so; one that is deleted meanwhile is left out."""
    for entry in _entries(folder):
        with suppress(OSError):
            if name.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                yield _File(Path(entry.path), status.st_size, status.st_mtime)
