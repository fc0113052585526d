"""DiskStore: what is found in a directory, and who goes when it is full."""

import errno
import io
import os
from pathlib import Path

import numpy as np
import pytest

from inference.engine.disk_store import ABANDONED, DiskStore
from inference.engine.entry import Stored
from inference.engine.state_file import Saved, StateFileError, Stopped

OURS, OTHERS = b"o" * 16, b"x" * 16
STATE_BYTES = 10_000


class Shelf:
    """Stores over one directory, with a clock and a log."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.now = 1000.0
        self.log: list[str] = []

    def store(self, fingerprint: bytes = OURS, max_bytes: int = 10**9, **seams: object) -> DiskStore:
        return DiskStore(self.directory, fingerprint, max_bytes, self.log.append, clock=lambda: self.now, **seams)

    def write(self, number: int, store: DiskStore | None = None) -> Path:
        """Write a sequence; a second passes."""
        self.now += 1
        return (store or self.store()).write(saved(number), lambda: True)[0].path

    @property
    def paths(self) -> set[Path]:
        return set(self.directory.glob("*/*"))


def saved(number: int, size: int = STATE_BYTES) -> Saved:
    return Saved([number, 2, 3], np.full(size, number, np.uint8))


def found(store: DiskStore) -> list[int]:
    """Return the first tokens of what is there."""
    return sorted(header.tokens[0] for _, header in store.scan())


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "kv")


def test_what_was_written_is_found_and_read(shelf):
    store = shelf.store()
    stored, deleted = store.write(saved(1), lambda: True)
    assert not deleted
    [(file, header)] = shelf.store().scan()
    assert (file, header.tokens) == (stored, [1, 2, 3])
    assert stored.num_bytes == stored.path.stat().st_size
    assert (store.read(stored, lambda: True).state == 1).all()


def test_a_directory_that_is_not_there_holds_nothing(shelf):
    assert found(shelf.store()) == []


def test_only_the_owner_may_read(shelf):
    path = shelf.write(1)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert shelf.directory.stat().st_mode & 0o777 == 0o700


def test_each_fingerprint_has_its_own(shelf):
    shelf.write(1)
    assert found(shelf.store(OTHERS)) == []


def test_the_same_sequence_is_one_file(shelf):
    shelf.write(1)
    shelf.write(1, shelf.store())
    assert len(shelf.paths) == 1


def test_a_file_among_those_of_another_model_is_not_used(shelf):
    path = shelf.write(1)
    folder = shelf.directory / OTHERS.hex()
    folder.mkdir()
    path.rename(folder / path.name)
    assert found(shelf.store(OTHERS)) == []
    assert "another model" in shelf.log[0]


def test_a_file_under_another_name_is_not_used(shelf):
    path = shelf.write(1)
    path.rename(path.with_name("0" * 32 + ".kv"))
    assert found(shelf.store()) == []
    assert len(shelf.log) == 1


@pytest.mark.parametrize("content", [b"", b"0" * 100, b"llmsite\n"])
def test_a_damaged_file_is_reported_once_and_deleted(shelf, content):
    path = shelf.write(1)
    shelf.write(2)
    path.write_bytes(content)
    assert found(shelf.store()) == [2]
    assert not path.exists()
    assert len(shelf.log) == 1
    assert str(path) in shelf.log[0]


def test_what_is_not_ours_is_left_alone(shelf):
    path = shelf.write(1)
    others = [shelf.directory / "README", path.with_name("notes.txt"), path.with_name("x" + path.name)]
    for other in others:
        other.write_text("not ours")
    path.with_name("a" * 32 + ".kv").mkdir()
    full = shelf.store(max_bytes=STATE_BYTES * 3 // 2)
    assert found(full) == [1]
    shelf.write(2, full)
    assert found(full) == [2]
    assert all(other.read_text() == "not ours" for other in others)
    assert shelf.log == []


def test_a_file_that_vanishes_is_an_error_to_the_reader(shelf):
    stored, _ = shelf.store().write(saved(1), lambda: True)
    stored.path.unlink()
    with pytest.raises(FileNotFoundError):
        shelf.store().read(stored, lambda: True)


def test_a_file_that_cannot_be_opened_stays(shelf, monkeypatch):
    path = shelf.write(1)

    def refuse(self: Path, *arguments: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    monkeypatch.setattr(Path, "open", refuse)  # the tests may run as root, who may read everything
    assert found(shelf.store()) == []
    assert path.exists()
    assert "Permission denied" in shelf.log[0]


def test_the_limit_holds_for_all_models_together(shelf):
    limit = STATE_BYTES * 7 // 2
    for number in range(1, 8):
        shelf.write(number, shelf.store(OURS if number % 2 else OTHERS, limit))
        assert sum(path.stat().st_size for path in shelf.directory.glob("*/*.kv")) <= limit
    assert (found(shelf.store()), found(shelf.store(OTHERS))) == ([5, 7], [6])


def test_what_was_read_last_stays(shelf):
    limit = STATE_BYTES * 7 // 2
    store = shelf.store(max_bytes=limit)
    for number in (1, 2, 3):
        shelf.write(number, store)
    shelf.now += 1
    first = next(file for file, header in store.scan() if header.tokens[0] == 1)
    store.read(first, lambda: True)
    _, deleted = store.write(saved(4), lambda: True)
    assert found(store) == [1, 3, 4]
    assert len(deleted) == 1


def test_a_folder_that_becomes_empty_goes(shelf):
    shelf.write(1, shelf.store(OTHERS))
    shelf.write(2, shelf.store(max_bytes=STATE_BYTES * 3 // 2))
    shelf.write(3)
    assert not (shelf.directory / OTHERS.hex()).exists()


def test_what_a_dead_process_left_is_deleted(shelf):
    path = shelf.write(1)
    left = path.with_name(f".{path.stem}.123.tmp")
    left.write_bytes(b"0" * 100)
    os.utime(left, (shelf.now, shelf.now))
    shelf.now += ABANDONED - 10
    shelf.write(2)
    assert left.exists(), "it may still be written"
    shelf.now += 20
    shelf.write(3)
    assert not left.exists()


class Full(io.BytesIO):
    """A file on a disk that has no room."""

    def write(self, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_nothing_behind(shelf):
    def create(path: Path) -> io.BytesIO:
        path.touch()
        return Full()

    with pytest.raises(OSError, match="No space left"):
        shelf.store(create=create).write(saved(1), lambda: True)
    assert shelf.paths == set()


def test_writing_that_is_stopped_leaves_nothing_behind(shelf):
    with pytest.raises(Stopped):
        shelf.store().write(saved(1), lambda: False)
    assert shelf.paths == set()


def test_deleting_twice_is_harmless(shelf):
    stored, _ = shelf.store().write(saved(1), lambda: True)
    store = shelf.store()
    store.delete(stored.path)
    store.delete(stored.path)
    store.reject(stored.path, StateFileError("why"))
    assert "why" in shelf.log[0]
    assert isinstance(stored, Stored)
